"""The server for many clients as a program: where it listens, how it ends, what it refuses."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.client.connect import open_unix_socket
from app_server.client.events import Disconnected
from app_server.demo.provider import ScriptedModel
from app_server.protocol.model import MODEL_LIST, ModelListParams
from app_server.rpc.websocket import bind
from tests.server.listening_program import BOUND_SECONDS, COMMAND, ME, ListeningProgram, listening
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import hangs, provider_toml, requests_seen, says, waits_at

ANY_PORT = ("--listen", "ws://127.0.0.1:0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_an_idle_program_ends_on_a_signal_with_status_0(
    codex_home: Path, number: int
) -> None:
    async with listening(codex_home, *ANY_PORT) as program:
        client = await program.client()
        program.process.send_signal(number)
        async with asyncio.timeout(BOUND_SECONDS):
            events = [event async for event in client.events()]
        assert events[-1] == Disconnected("the server closed the connection")
        await client.__aexit__(None, None, None)
        assert (await program.ended())[0] == 0
        assert program.process.stdout is not None
        assert await program.process.stdout.read() == b""


async def in_a_turn(program: ListeningProgram, workspace: Path) -> Conversation:
    client = await program.client()
    conversation = await Conversation.begin(client, cwd=str(workspace))
    await conversation.say("go")
    return conversation


async def test_a_running_turn_is_waited_for_and_everything_works_meanwhile(
    model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    model.script(waits_at("the end", says("done")))
    async with listening(codex_home, *ANY_PORT, RUST_LOG="info") as program:
        conversation = await in_a_turn(program, workspace)
        await requests_seen(model, 1)
        program.process.send_signal(signal.SIGTERM)
        late = await program.client()
        assert (await late.request(MODEL_LIST, ModelListParams())).data
        model.release("the end")
        turn = await conversation.ended(PROCESS_WAIT_SECONDS)
        assert turn.status == "completed"
        status, told = await program.ended()
        for client in (late, conversation.client):
            await client.__aexit__(None, None, None)
    assert status == 0
    assert "ending: 1 connections, 1 running turns" in told


async def test_a_second_signal_ends_a_running_turn_with_status_0(
    model: ScriptedModel, codex_home: Path, workspace: Path
) -> None:
    provider_toml(model, home=codex_home)
    model.script(hangs("a word"))
    async with listening(codex_home, *ANY_PORT, RUST_LOG="info") as program:
        conversation = await in_a_turn(program, workspace)
        await requests_seen(model, 1)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.stderr is not None
        async with asyncio.timeout(BOUND_SECONDS):
            while b"ending: " not in await program.process.stderr.readline():
                pass
        program.process.send_signal(signal.SIGINT)
        status, told = await program.ended()
        await conversation.client.__aexit__(None, None, None)
    assert status == 0
    assert "ending at once: 1 running turns are interrupted" in told
    lines = [json.loads(line) for line in conversation.path.read_text().splitlines()]
    assert lines[-1]["payload"]["type"] == "turn_aborted"


async def test_one_server_listens_at_several_places(
    codex_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ("--listen", "ws://[::1]:0", "--listen", "unix://s.sock")
    async with listening(codex_home, *ANY_PORT, *more) as program:
        assert [place.partition("://")[0] for place in program.places] == ["ws", "ws", "unix"]
        over_port = await program.client()
        async with Client(await open_unix_socket(Path("s.sock"))) as over_file:
            await over_file.initialize(ME)
            assert (await over_file.request(MODEL_LIST, ModelListParams())).data
        assert (await over_port.request(MODEL_LIST, ModelListParams())).data
        await over_port.__aexit__(None, None, None)
        program.process.send_signal(signal.SIGTERM)
        assert (await program.ended())[0] == 0
    assert not (tmp_path / "s.sock").exists()


async def test_beside_a_port_stdin_is_served_too_and_its_end_ends_the_program(
    codex_home: Path,
) -> None:
    async with listening(codex_home, "--listen", "stdio://", *ANY_PORT) as program:
        stdin, stdout = program.process.stdin, program.process.stdout
        assert stdin is not None
        assert stdout is not None
        client = await program.client()
        params = {"clientInfo": {"name": "stdio", "version": "1"}}
        hello = {"id": "one", "method": "initialize", "params": params}
        stdin.write(json.dumps(hello).encode() + b"\n")
        async with asyncio.timeout(BOUND_SECONDS):
            assert json.loads(await stdout.readline())["id"] == "one"
            assert (await client.request(MODEL_LIST, ModelListParams())).data
            stdin.close()
            events = [event async for event in client.events()]
        assert isinstance(events[-1], Disconnected)
        await client.__aexit__(None, None, None)
        assert (await program.ended())[0] == 0


async def test_the_proxy_carries_a_websocket_over_stdin_and_stdout(
    codex_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from websockets.client import ClientProtocol
    from websockets.http11 import Response
    from websockets.uri import parse_uri

    monkeypatch.chdir(tmp_path)
    async with (
        listening(codex_home, "--listen", "unix://s.sock") as program,
        asyncio.timeout(BOUND_SECONDS),
    ):
        proxy = await asyncio.create_subprocess_exec(
            *COMMAND, "proxy", "--sock", "s.sock",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert proxy.stdin is not None
        assert proxy.stdout is not None
        speaker = ClientProtocol(parse_uri("ws://localhost/"))
        speaker.send_request(speaker.connect())
        proxy.stdin.write(b"".join(speaker.data_to_send()))
        heard = []
        while len(heard) < 2:
            speaker.receive_data(await proxy.stdout.read(65536))
            heard += speaker.events_received()
            if len(heard) == 1:
                speaker.send_text(b'{"id":1,"method":"model/list","params":{}}')
                proxy.stdin.write(b"".join(speaker.data_to_send()))
        assert isinstance(heard[0], Response)
        assert heard[0].status_code == 101
        assert b"Not initialized" in heard[1].data  # type: ignore[union-attr]
        proxy.stdin.close()
        await proxy.stdout.read()
        assert await proxy.wait() == 0
        assert program.process.returncode is None


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ws://localhost:1"], 2, "error: invalid websocket --listen URL `ws://localhost:1`"),
        (["tcp://x"], 2, "error: unsupported --listen URL `tcp://x`"),
        (["off"], 1, "no transport configured; use --listen or enable remote control"),
        (["off", "stdio://"], 2, "error: --listen `off` cannot be combined with another --listen"),
        (["stdio://", "stdio://"], 2, "error: --listen `stdio://` is given twice"),
        (["ws://0.0.0.0:0"], 1, "refusing to listen on 0.0.0.0 without credentials"),
        (["ws://127.0.0.1:TAKEN"], 1, "cannot listen on 127.0.0.1:TAKEN: Address already in use"),
        (["ws://127.0.0.1:0", "ws://127.0.0.1:TAKEN"], 1, "cannot listen on 127.0.0.1:TAKEN: "),
        (["unix:///dev/null"], 1, "socket path exists and is not a socket: /dev/null"),
    ],
)
async def test_what_cannot_be_listened_on_ends_with_one_clear_line(
    codex_home: Path, arguments: list[str], status: int, message: str
) -> None:
    taken = bind("127.0.0.1", 0)
    taken.listen()
    port = str(taken.getsockname()[1])
    listens = [word for url in arguments for word in ("--listen", url.replace("TAKEN", port))]
    program = await asyncio.create_subprocess_exec(
        *COMMAND, *listens,
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(BOUND_SECONDS):
        _, err = await program.communicate()
    taken.close()
    assert program.returncode == status
    assert message.replace("TAKEN", port) in err.decode()
    assert err.decode().count("\n") == 1


async def test_a_proxy_without_a_server_says_where_it_looked() -> None:
    program = await asyncio.create_subprocess_exec(
        *COMMAND, "proxy", "--sock", "/no/such.sock",
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(BOUND_SECONDS):
        _, err = await program.communicate()
    assert program.returncode == 1
    assert err == (
        b"codex: failed to connect to socket at /no/such.sock: No such file or directory\n"
    )
