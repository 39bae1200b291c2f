"""What we add to v0: exact streams, closing input, resizing, waiting, snapshots, ways to end."""

import asyncio
import base64

import pytest

from app_server.cli.exec_server import _limits, run
from app_server.cli.options import parse
from app_server.exec_server.handler import ExecHandler
from app_server.exec_server.limits import Limits
from app_server.exec_server.protocol import (
    Body,
    InitializeParams,
    PipeIo,
    PreparedRequest,
    PreparedStartParams,
    ServiceError,
    StartParams,
)
from tests.exec_server.stdio_peer import StdioPeer, encode

OPEN = {"type": "pipe", "stdin": "open"}


def test_a_pipe_with_open_input_is_written_and_closed(peer: StdioPeer) -> None:
    peer.start("a", "/bin/cat", io=OPEN)
    peer.call("process/write", {"processId": "a", "chunk": encode(b"hello ")})
    peer.call("process/write", {"processId": "a", "chunk": encode(b"world")})
    assert peer.call("process/closeStdin", {"processId": "a"})["result"] == {}
    assert peer.exited("a")["exitCode"] == 0
    assert peer.output("a") == b"hello world"
    assert "error" in peer.call("process/write", {"processId": "a", "chunk": encode(b"more")})


def test_ten_megabytes_go_through_a_slow_reader_in_order(peer: StdioPeer) -> None:
    peer.start("a", "/usr/bin/cksum", io=OPEN)
    data = bytes(range(256)) * 4 * 1024
    for _ in range(10):
        peer.ask("process/write", {"processId": "a", "chunk": encode(data)})
    peer.call("process/closeStdin", {"processId": "a"})
    peer.exited("a")
    assert peer.output("a").split()[1] == str(len(data) * 10).encode()


def test_a_terminal_is_opened_and_resized(peer: StdioPeer) -> None:
    line = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done"
    peer.shell("a", line, tty=True, io={"type": "pty", "rows": 10, "cols": 20})
    peer.output_until("a", b"10 20")
    peer.call("process/resize", {"processId": "a", "rows": 33, "cols": 44})
    assert b"33 44" in peer.output_until("a", b"33 44")


def test_a_process_whose_output_is_held_waits_and_loses_nothing(peer: StdioPeer) -> None:
    peer.shell("a", "read go; head -c 300000 /dev/zero; echo done >&2", io=OPEN)
    assert peer.call("process/holdOutput", {"processId": "a", "hold": True})["result"] == {}
    peer.call("process/write", {"processId": "a", "chunk": encode(b"go\n")})
    peer.shell("b", "echo other")
    peer.exited("b")
    assert peer.output("b") == b"other\n"
    assert peer.output("a") == b""
    peer.call("process/holdOutput", {"processId": "a", "hold": False})
    assert peer.exited("a")["exitCode"] == 0
    assert len(peer.output("a", "stdout")) == 300_000


def test_waiting_holds_up_no_other_request(peer: StdioPeer) -> None:
    peer.shell("a", "exec sleep 60")
    waiting = peer.ask("process/wait", {"processId": "a"})
    peer.call("process/terminate", {"processId": "a", "mode": {"type": "force"}})
    assert peer.answer(waiting)["result"] == {"exitCode": -1, "signal": 9}
    assert peer.call("process/wait", {"processId": "a"})["result"]["signal"] == 9


def test_a_killed_process_reports_minus_one_and_its_signal(peer: StdioPeer) -> None:
    peer.shell("a", "kill -11 $$")
    assert peer.exited("a") == {"processId": "a", "exitCode": -1, "signal": 11}


def test_graceful_termination_lets_a_process_clean_up(peer: StdioPeer) -> None:
    peer.shell("a", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    peer.output_until("a", b"ready")
    mode = {"type": "graceful", "timeoutMs": 20_000}
    peer.call("process/terminate", {"processId": "a", "mode": mode})
    assert peer.exited("a")["exitCode"] == 5
    assert b"bye\n" in peer.output("a")


def test_a_snapshot_keeps_streams_apart_and_says_when_it_was_cut(peer: StdioPeer) -> None:
    peer.shell("a", "echo out; echo err >&2")
    peer.exited("a")
    assert peer.call("process/snapshot", {"processId": "a"})["result"] == {
        "stdout": encode(b"out\n"),
        "stderr": encode(b"err\n"),
        "terminal": "",
        "truncated": False,
        "exitCode": 0,
        "running": False,
    }
    peer.shell("b", "head -c 2000000 /dev/zero; echo end; exec sleep 60", tty=True)
    peer.output_until("b", b"end\r\n")
    snapshot = peer.call("process/snapshot", {"processId": "b"})["result"]
    assert snapshot["truncated"] is True
    assert snapshot["running"] is True
    assert base64.b64decode(snapshot["terminal"]).endswith(b"end\r\n")


def test_a_client_that_uses_an_addition_hears_of_the_start_and_the_close(peer: StdioPeer) -> None:
    peer.shell("a", "echo x", io={"type": "pipe"})
    peer.told("process/closed", "a")
    methods = [
        message["method"]
        for message in peer.seen
        if message.get("params", {}).get("processId") == "a"
    ]
    ends = ["process/output", "process/exited", "process/closed"]
    assert methods == ["process/started", *ends]


def test_a_prepared_command_is_run_exactly_as_it_was_resolved(peer: StdioPeer) -> None:
    argv = ["/bin/sh", "-c", 'echo "$0 $A"; pwd']
    request = {"argv": argv, "cwd": "/usr", "env": {"A": "1"}, "arg0": None}
    params = {"processId": "p", "request": request, "io": {"type": "pipe", "stdin": "closed"}}
    pid = peer.call("process/start", params)["result"]["pid"]
    assert peer.told("process/started", "p") == {"processId": "p", "pid": pid}
    assert peer.told("process/exited", "p")["exitCode"] == 0
    output = peer.call("process/snapshot", {"processId": "p"})["result"]["stdout"]
    assert base64.b64decode(output) == b"/bin/sh 1\n/usr\n"


def test_the_direct_form_needs_no_tty_and_says_what_failed(peer: StdioPeer) -> None:
    params: dict[str, object] = {
        "processId": "p",
        "argv": ["/no/such"],
        "cwd": "/",
        "env": {},
        "arg0": None,
    }
    answer = peer.call("process/start", params | {"io": {"type": "pty", "rows": 5, "cols": 6}})
    problem = "No such file or directory (os error 2)"
    assert answer["error"] == {"code": -32603, "message": problem}
    assert peer.told("process/failed", "p") == {"processId": "p", "message": problem}


def test_a_client_of_v0_hears_of_output_and_exit_alone(peer: StdioPeer) -> None:
    peer.shell("p", "echo hi")
    peer.told("process/exited", "p")
    peer.start("q", "/no/such")
    peer.call("process/terminate", {"processId": "none"})
    told = {message["method"] for message in peer.seen if "method" in message}
    assert told == {"process/output", "process/exited"}


@pytest.mark.parametrize(
    ("limits", "is_prepared", "refusal"),
    [
        (Limits(allow_direct_exec=False), False, "this service runs prepared commands only"),
        (Limits(allow_prepared_exec=False), True, "this service runs no prepared commands"),
    ],
)
async def test_a_form_of_starting_can_be_switched_off(
    limits: Limits, is_prepared: bool, refusal: str
) -> None:
    answers: list[Body | ServiceError] = []
    handler = ExecHandler(asyncio.get_running_loop(), lambda notification: None, limits)
    handler.initialize(InitializeParams(client_name="test"))
    handler.initialized()
    direct = StartParams(process_id="p", argv=["true"], cwd="/", env={}, tty=False)
    request = PreparedRequest(argv=["true"], cwd="/", env={})
    prepared = PreparedStartParams(process_id="p", request=request, io=PipeIo())
    handler.handle(prepared if is_prepared else direct, answers.append)
    [refused] = answers
    assert isinstance(refused, ServiceError)
    assert (refused.code, refused.message) == (-32600, refusal)


def test_limits_are_settings_of_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    given = parse(["exec-server", "-c", "exec_server.max_processes_per_connection=8"])
    assert _limits(given).max_processes_per_connection == 8
    wrong = parse(["exec-server", "-c", "exec_server.max_proceses=8"])
    assert run(wrong) == 2
    assert "there is no setting exec_server.max_proceses" in capfd.readouterr().err
