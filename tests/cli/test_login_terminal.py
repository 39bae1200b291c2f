"""`codex login` at a terminal: keys as dots, codes as pictures, pasted addresses."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app_server.cli.secret_prompt import after_keys
from app_server.client.sign_in import can_open_browser, qr_code, time_left
from tests.support.issuer import Issuer
from tests.support.terminal import Terminal

KEY = "sk-planted-0123456789"

ON_A_FREE_PORT = """
import sys
from app_server.auth import browser_login
from app_server.cli.main import main
browser_login.PORTS = (0,)
sys.exit(main())
"""
"""The program, with no say in whose sign-in holds the registered ports of this machine."""


@contextmanager
def login(home: Path, *words: str, issuer: Issuer | None = None) -> Iterator[Terminal]:
    environment = {"PATH": os.defpath, "HOME": str(home.parent), "CODEX_HOME": str(home)}
    environment["LANG"] = "C.UTF-8"
    if issuer is not None:
        environment["CODEX_APP_SERVER_LOGIN_ISSUER"] = issuer.url
    call = [sys.executable, "-c", ON_A_FREE_PORT, "login", *words]
    with Terminal(call, cwd=home, environment=environment, columns=100, rows=40) as terminal:
        yield terminal


@pytest.mark.pty
@pytest.mark.parametrize("pasted", [False, True])
def test_a_key_shows_as_dots_and_is_stored(codex_home: Path, pasted: bool) -> None:
    with login(codex_home, "--with-api-key") as terminal:
        terminal.wait_for("API key:")
        (terminal.paste if pasted else terminal.type)(KEY)
        terminal.wait_for("•" * len(KEY))
        terminal.press("enter")
        assert terminal.wait_for_exit() == 0
        assert "Successfully logged in" in terminal.screen()
        assert KEY.encode() not in terminal.output
    assert json.loads((codex_home / "auth.json").read_text())["OPENAI_API_KEY"] == KEY


@pytest.mark.pty
def test_ctrl_c_leaves_nobody_signed_in(codex_home: Path) -> None:
    with login(codex_home, "--with-api-key") as terminal:
        terminal.wait_for("API key:")
        terminal.type("sk-half")
        terminal.press("ctrl+c")
        assert terminal.wait_for_exit() == 130
        assert "Traceback" not in terminal.everything()
    assert not (codex_home / "auth.json").exists()


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ("sk-1\r", ("sk-1", True)),
        ("sk-1", ("sk-1", False)),
        ("sk-x\x7f1\n", ("sk-1", True)),
        ("wrong\x15sk-1\r", ("sk-1", True)),
        ("\x1b[200~sk-1\x1b[201~\r", ("sk-1", True)),
        ("s\x1b[Dk-1\x1bOA\r", ("sk-1", True)),
        ("sk-1\x04", ("", True)),
        ("sk-1\rmore", ("sk-1", True)),
        ("\x7f\x7f", ("", False)),
    ],
)
def test_keys_make_a_text(keys: str, outcome: tuple[str, bool]) -> None:
    assert after_keys("", keys) == outcome


@pytest.mark.pty
def test_a_code_comes_with_its_picture_and_the_time_left(codex_home: Path, issuer: Issuer) -> None:
    issuer.approved = False
    with login(codex_home, issuer=issuer) as terminal:
        terminal.wait_for("Waiting for the code: 1")
        screen = terminal.screen()
        assert "ABCD-1234" in screen
        assert all(line in screen for line in qr_code(f"{issuer.url}/codex/device"))
        issuer.approved = True
        assert terminal.wait_for_exit() == 0
        assert "user@example.com, plan: pro" in terminal.screen()
        assert "Waiting for the code" not in terminal.screen()


@pytest.mark.pty
def test_the_address_a_browser_elsewhere_ended_on_is_pasted(
    codex_home: Path, issuer: Issuer
) -> None:
    with login(codex_home, "--browser", issuer=issuer) as terminal:
        terminal.wait_for("paste its address here")
        shown = "".join(line.strip() for line in terminal.everything().splitlines())
        asked = shown[shown.index(f"{issuer.url}/oauth") : shown.index("If the page")]
        terminal.type("http://localhost:1455/auth/callback?code=c&state=wrong\r")
        terminal.wait_for("That is not the address this sign-in ends on.")
        terminal.type(f"{issuer.authorize(asked)}\r")
        assert terminal.wait_for_exit() == 0
        assert "Successfully logged in" in terminal.screen()
    assert json.loads((codex_home / "auth.json").read_text())["auth_mode"] == "chatgpt"


@pytest.mark.pty
def test_where_the_service_has_no_codes_the_browser_is_offered(
    codex_home: Path, issuer: Issuer
) -> None:
    issuer.refuse("/api/accounts/deviceauth/usercode", 404)
    with login(codex_home, issuer=issuer) as terminal:
        terminal.wait_for("paste its address here")
        assert "offers no codes" in terminal.everything()
        terminal.press("ctrl+c")
        assert terminal.wait_for_exit() == 130


SEEN_BY_WHOEVER_SITS_HERE = [
    ({"DISPLAY": ":0"}, True),
    ({"WAYLAND_DISPLAY": "wayland-0"}, True),
    ({"BROWSER": "firefox"}, True),
    ({}, sys.platform == "darwin"),
    ({"DISPLAY": ":0", "SSH_CONNECTION": "a b c d"}, False),
    ({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}, False),
]


@pytest.mark.parametrize(("environment", "can"), SEEN_BY_WHOEVER_SITS_HERE)
def test_a_browser_can_open_where_it_would_be_seen(environment: dict[str, str], can: bool) -> None:
    assert can_open_browser(environment) is can


def test_a_picture_holds_the_modules_of_the_code() -> None:
    segno = pytest.importorskip("segno")
    text = "https://auth.openai.com/codex/device"
    dark = {" ": (1, 1), "█": (0, 0), "▀": (0, 1), "▄": (1, 0)}
    drawn = [[dark[half][row] for half in line] for line in qr_code(text) for row in (0, 1)]
    expected = [
        [int(module) for module in row]
        for row in segno.make(text, micro=False, error="l").matrix_iter(border=2)
    ]
    assert drawn[: len(expected)] == expected
    assert all(not any(row) for row in drawn[len(expected) :])


@pytest.mark.parametrize(
    ("seconds", "text"), [(900, "15:00"), (59.6, "1:00"), (5, "0:05"), (-3, "0:00")]
)
def test_time_left_is_minutes_and_seconds(seconds: float, text: str) -> None:
    assert time_left(seconds) == text
