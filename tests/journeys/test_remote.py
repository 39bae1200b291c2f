"""A terminal here, the server elsewhere: a session over a port, through a restart of the server."""

import contextlib
import os
import random
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from tests.journeys.conftest import CODEX, Open, leave, press_until
from tests.support.model_server import provider_toml, runs_command, says

pytestmark = pytest.mark.pty

TOKEN = "sekrit-token-of-the-journey"
BOUND_SECONDS = 60


def port_to_come_back_to() -> str:
    """A free one that nobody is given who asks for any: those begin at 32768."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return str(port)
    raise AssertionError("no port is free")


@contextlib.contextmanager
def serving(home: Path, folder: Path, port: str = "0") -> Iterator[str]:
    """A server that asks for the token; gives its port."""
    token_file = home / "token"
    token_file.write_text(TOKEN)
    listen = ["--listen", f"ws://127.0.0.1:{port}"]
    auth = ["--ws-auth", "capability-token", "--ws-token-file", str(token_file)]
    server = subprocess.Popen(
        [CODEX, "app-server", *listen, *auth],
        cwd=folder,
        env={**os.environ, "CODEX_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        told = "".join(server.stderr.readline() for _ in range(2))
        found = re.search(r"ws://127\.0\.0\.1:(\d+)", told)
        assert found is not None, told
        yield found[1]
    finally:
        server.terminate()  # which waits for turns that run, where a test has failed
        try:
            server.communicate(timeout=BOUND_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


def test_a_session_at_a_server_elsewhere_outlives_its_restart(
    open_session: Open,
    model: ScriptedModel,
    tmp_path: Path,
    codex_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model.script(
        runs_command("pwd > here.txt", call_id="before"),
        says("Done over there."),
        runs_command("pwd > again.txt", call_id="after"),
        says("Still here."),
    )
    home, folder = tmp_path / "elsewhere", tmp_path / "work-elsewhere"
    home.mkdir()
    folder.mkdir()
    provider_toml(model, home=home)
    with serving(home, folder, port_to_come_back_to()) as port:
        terminal = open_session(
            *("--remote", f"ws://127.0.0.1:{port}", "--remote-auth-token-env", "REMOTE_TOKEN"),
            *("-a", "untrusted", "-s", "danger-full-access"),
            REMOTE_TOKEN=TOKEN,
        )
        terminal.wait_for("work-elsewhere")
        terminal.type("where are you?")
        terminal.press("enter")
        terminal.wait_for("here.txt")
        press_until(terminal, "Run this command?", "y", "Done over there.")
        assert (folder / "here.txt").read_text() == f"{folder}\n"
    terminal.wait_for("trying again")
    with serving(home, folder, port):
        terminal.wait_for("Connected again.")
        terminal.type("and now?")
        terminal.press("enter")
        terminal.wait_for("again.txt")
        press_until(terminal, "Run this command?", "y", "Still here.")
        assert leave(terminal) == 0
    (stored,) = home.rglob("rollout-*.jsonl")
    ended = [line for line in stored.read_text().splitlines() if '"exec_command_end"' in line]
    assert ['"before"' in line for line in ended] == [True, False]
    assert "with the same --remote" in terminal.everything()
    assert TOKEN not in (codex_home / "log" / "codex.log").read_text()


def test_a_server_that_is_not_there_or_wants_a_token_is_said_and_ends_the_program(
    open_session: Open, codex_home: Path, workspace: Path
) -> None:
    with serving(codex_home, workspace) as port:
        terminal = open_session("--remote", f"ws://127.0.0.1:{port}")
        terminal.wait_for("missing websocket bearer token")
        assert terminal.wait_for_exit() == 1
    terminal = open_session("--remote", f"ws://127.0.0.1:{port}")
    terminal.wait_for("Connection refused")
    assert terminal.wait_for_exit() == 1
