"""The two programs as a user starts them: what they say, who gets in, how they end."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest

from app_server.exec.environments import Environments
from app_server.exec_server.client import ExecServerError
from app_server.exec_server.websocket_client import connect_websocket
from tests.exec.commands import everything, shell
from tests.exec_server.stdio_peer import LONGEST_WAIT_SECONDS

BANNER = "codex-exec-server listening on "
PROGRAMS = [["codex", "exec-server"], ["codex-exec-server"]]
SECRET = "s" * 32


def program(words: list[str]) -> list[str]:
    return [str(Path(sys.executable).with_name(words[0])), *words[1:]]


@contextmanager
def listener(words: list[str], *options: str) -> Iterator[str]:
    """The URL of one that listens; it ends politely and has said nothing on stdout."""
    process = subprocess.Popen(
        [*program(words), "--listen", "ws://127.0.0.1:0", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stdout is not None
    banner = process.stderr.readline()
    assert banner.startswith(BANNER)
    yield banner.removeprefix(BANNER).strip()
    process.terminate()
    assert process.wait(LONGEST_WAIT_SECONDS) == 0
    assert process.stdout.read() == ""
    process.stdout.close()
    process.stderr.close()


def said(words: list[str], *options: str) -> tuple[int, str]:
    ended = subprocess.run(
        [*program(words), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT_SECONDS,
        check=False,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("words", PROGRAMS, ids=" ".join)
def test_without_a_url_one_client_is_served_on_the_standard_streams(words: list[str]) -> None:
    initialize = {"id": 1, "method": "initialize", "params": {"clientName": "test"}}
    ended = subprocess.run(
        program(words),
        input=json.dumps(initialize) + "\n",
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT_SECONDS,
        check=True,
    )
    result = {"protocolVersion": "exec-server.v0"}
    assert json.loads(ended.stdout) == {"id": 1, "result": result}
    assert ended.stderr == ""


@pytest.mark.parametrize("words", PROGRAMS, ids=" ".join)
async def test_the_banner_names_the_url_that_was_given_by_the_system(words: list[str]) -> None:
    with listener(words) as url:
        client = await connect_websocket(url)
        await client.close()


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("http://x", 2, "unsupported --listen URL `http://x`; expected `stdio://` or `ws://IP"),
        ("ws://localhost:1", 2, "invalid websocket --listen URL `ws://localhost:1`; expected"),
        ("ws://0.0.0.0:0", 1, "refusing to listen on ws://0.0.0.0:0 without credentials"),
    ],
)
def test_a_url_that_cannot_be_served_is_refused(url: str, status: int, text: str) -> None:
    code, error = said(PROGRAMS[1], "--listen", url)
    assert code == status
    assert text in error


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        status, error = said(PROGRAMS[1], "--listen", url)
    assert status == 1
    assert error.startswith("codex-exec-server: ")
    assert error.endswith("address already in use\n")
    assert error.count("\n") == 1


async def test_only_who_has_the_token_gets_in(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("let-me-in")
    with listener(
        PROGRAMS[1], "--ws-auth", "capability-token", "--ws-token-file", str(file)
    ) as url:
        for token in (None, "let-me-i", "wrong"):
            with pytest.raises(ExecServerError, match="HTTP 401"):
                await connect_websocket(url, bearer_token=token)
        (tmp_path / "environments.toml").write_text(
            'default = "box"\n[[environments]]\nid = "box"\n'
            f"url = {json.dumps(url)}\nbearer_token_file = {json.dumps(str(file))}\n"
        )
        environments = Environments(tmp_path, {})
        process = await environments.get().spawn(shell("echo in"))
        assert await everything(process) == b"in\n"
        await environments.close()


async def test_only_who_has_a_signed_token_gets_in(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    options = ("--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", str(file))
    with listener(PROGRAMS[1], *options) as url:
        for secret, lifetime_seconds in ((SECRET, -3600), ("t" * 32, 3600)):
            claims = {"exp": int(time.time()) + lifetime_seconds}
            with pytest.raises(ExecServerError, match="HTTP 401"):
                await connect_websocket(url, bearer_token=jwt.encode(claims, secret))
        claims = {"exp": int(time.time()) + 3600}
        client = await connect_websocket(url, bearer_token=jwt.encode(claims, SECRET))
        await client.close()
