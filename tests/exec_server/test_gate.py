"""Who is let in to the process service over a websocket."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

import pytest

from app_server.exec_server.client import ExecServerError
from app_server.exec_server.gate import answer_to
from app_server.exec_server.listen import WebSocketAddress
from app_server.exec_server.websocket_client import connect_websocket
from app_server.exec_server.websocket_server import serve_websocket
from app_server.rpc.ws_auth import CapabilityToken
from tests.exec_server.stdio_peer import LONGEST_WAIT_SECONDS, ROOT

GOOD = {"Host": "127.0.0.1:1234", "Upgrade": "websocket"}
TOKEN = CapabilityToken(hashlib.sha256(b"secret").digest())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"Host": "localhost"}, None),
        ({"Host": "[::1]:80"}, None),
        ({"Origin": "null"}, HTTPStatus.FORBIDDEN),
        ({"Origin": "http://127.0.0.1:1234"}, HTTPStatus.FORBIDDEN),
        ({"Host": "rebound.example:1234"}, HTTPStatus.FORBIDDEN),
        ({"Host": ""}, HTTPStatus.FORBIDDEN),
        ({"Upgrade": ""}, HTTPStatus.BAD_REQUEST),
    ],
)
def test_what_a_web_page_could_send_is_refused(
    headers: Mapping[str, str], status: HTTPStatus | None
) -> None:
    answer = answer_to("/", {**GOOD, **headers}, None)
    assert (None if answer is None else answer.status) == status


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Bearer secret", None),
        (None, "missing websocket bearer token\n"),
        ("Bearer secre", "invalid websocket bearer token\n"),
        ("Basic secret", "invalid authorization header\n"),
    ],
)
def test_where_there_is_a_token_it_must_be_shown(
    authorization: str | None, reason: str | None
) -> None:
    headers = GOOD if authorization is None else {**GOOD, "Authorization": authorization}
    answer = answer_to("/", headers, TOKEN)
    assert (None if answer is None else answer.text) == reason
    assert answer is None or answer.status == HTTPStatus.UNAUTHORIZED


def test_other_machines_are_not_served_without_credentials(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert serve_websocket(WebSocketAddress("0.0.0.0", 0)) == 1
    told = capfd.readouterr().err
    assert "refusing to listen on ws://0.0.0.0:0 without credentials" in told
    assert "--ws-auth capability-token" in told


@pytest.fixture
def token_url(tmp_path: Path) -> Iterator[str]:
    """A listener whose clients must show the token `secret`."""
    (tmp_path / "token").write_text("secret\n")
    run = "from app_server.cli.exec_server import main; raise SystemExit(main())"
    flags = ["--ws-auth", "capability-token", "--ws-token-file", str(tmp_path / "token")]
    process = subprocess.Popen(
        [sys.executable, "-c", run, "--listen", "ws://127.0.0.1:0", *flags],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    url = process.stderr.readline().rpartition(" ")[2].strip()
    yield url
    process.terminate()
    assert process.wait(LONGEST_WAIT_SECONDS) == 0
    process.stderr.close()


async def test_the_commands_flags_ask_for_a_token(token_url: str) -> None:
    with pytest.raises(ExecServerError, match="401"):
        await connect_websocket(token_url)
    client = await connect_websocket(token_url, bearer_token="secret")
    await client.close()


def test_flags_that_contradict_each_other_start_nothing() -> None:
    run = "from app_server.cli.exec_server import main; raise SystemExit(main())"
    done = subprocess.run(
        [sys.executable, "-c", run, "--listen", "ws://127.0.0.1:0", "--ws-token-file", "x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "require `--ws-auth" in done.stderr
