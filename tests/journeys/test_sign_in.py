"""Signing in at a terminal and out again: the real program, an issuer and a model on loopback."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from tests.journeys.conftest import Open, environment_of, open_with, press_until
from tests.support.issuer import Issuer
from tests.support.model_server import fails_with, provider_toml, says

pytestmark = pytest.mark.pty

WELCOME = "Welcome to Codex"
KEY = "sk-planted-secret-of-a-journey"


@pytest.fixture
def open_signed_out(
    model: ScriptedModel, issuer: Issuer, codex_home: Path, repository: Path
) -> Iterator[Open]:
    """Opens `codex WORDS…` over ssh, with a provider that needs a sign-in and without one."""
    trust = f'[projects."{repository}"]\ntrust_level = "trusted"\n'
    provider = provider_toml(model) + "requires_openai_auth = true\n"
    (codex_home / "config.toml").write_text(provider + trust)
    environment = {
        **environment_of(codex_home),
        "SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22",
        "CODEX_APP_SERVER_LOGIN_ISSUER": issuer.url,
        "CODEX_REFRESH_TOKEN_URL_OVERRIDE": f"{issuer.url}/oauth/token",
        "CODEX_REVOKE_TOKEN_URL_OVERRIDE": f"{issuer.url}/oauth/revoke",
    }
    with open_with(environment, repository) as opened:
        yield opened


def test_a_pasted_key_opens_the_session_and_logging_out_forgets_it(
    open_signed_out: Open, model: ScriptedModel, codex_home: Path
) -> None:
    model.script(says("Good morning."))
    terminal = open_signed_out(columns=100, rows=40)
    press_until(terminal, WELCOME, "3", "╭─ API key")
    terminal.paste(f"OPENAI_API_KEY={KEY}\n")
    terminal.wait_for("•••••••")
    terminal.press("enter")
    terminal.wait_for("Signed in: with an API key.")
    terminal.type("good morning")
    terminal.press("enter")
    terminal.wait_for("Good morning.")
    assert json.loads((codex_home / "auth.json").read_text())["OPENAI_API_KEY"] == KEY
    assert (codex_home / "auth.json").stat().st_mode & 0o777 == 0o600
    assert model.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    terminal.type("/logout")
    terminal.press("enter")
    terminal.wait_for("Sign out?")
    terminal.press("1")
    terminal.wait_for(lambda shown: "Sign out?" not in shown.screen())
    assert (codex_home / "auth.json").exists()
    terminal.type("/logout")
    terminal.press("enter")
    terminal.wait_for("Sign out?")
    terminal.press("2")
    assert terminal.wait_for_exit() == 0
    assert "Signed out." in terminal.everything()
    assert not (codex_home / "auth.json").exists()
    assert KEY not in terminal.everything()
    for file in codex_home.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_a_code_typed_on_another_device_signs_in(
    open_signed_out: Open, issuer: Issuer, model: ScriptedModel
) -> None:
    issuer.approved = False
    model.script(says("Hello, you."))
    terminal = open_signed_out(columns=100, rows=40)
    press_until(terminal, WELCOME, "1", "ABCD-1234")
    shown = terminal.screen()
    assert f"{issuer.url}/codex/device" in shown
    assert "█ ▄▄▄▄▄ █" in shown
    issuer.approved = True
    terminal.wait_for("Signed in: user@example.com (pro plan), with ChatGPT.")
    terminal.type("hello")
    terminal.press("enter")
    terminal.wait_for("Hello, you.")
    terminal.type("/status")
    terminal.press("enter")
    terminal.wait_for("user@example.com (pro plan)")


def test_a_code_is_given_up_and_another_way_gone(open_signed_out: Open, issuer: Issuer) -> None:
    issuer.approved = False
    terminal = open_signed_out(columns=100, rows=40)
    press_until(terminal, WELCOME, "1", "ABCD-1234")
    terminal.press("escape")
    terminal.wait_for("The sign-in was given up.")
    leave = re.search(r"(\d)\. Leave", terminal.screen())  # after the model servers on this machine
    assert leave is not None
    terminal.press(leave[1])
    assert terminal.wait_for_exit() == 0
    assert "Nobody is signed in. codex login does that" in terminal.everything()


def test_a_message_refused_for_want_of_a_sign_in_goes_out_after_it(
    open_signed_out: Open, issuer: Issuer, model: ScriptedModel, codex_home: Path
) -> None:
    (codex_home / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": "sk-of-yesterday"}))
    model.script(
        fails_with(401, {"error": {"message": "Incorrect API key provided", "code": "invalid"}}),
        says("Now I hear you."),
    )
    terminal = open_signed_out(columns=100, rows=40)
    terminal.wait_for("gpt-5.5 ")
    terminal.type("do you hear me?")
    terminal.press("enter")
    press_until(terminal, "Your sign-in no longer works", "1", "Now I hear you.")
    texts = [part["text"] for item in model.requests[-1].body["input"] for part in item["content"]]
    assert "do you hear me?" in texts
