"""Floods through the server as a program of its own: nothing lost, little kept."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app_server.protocol.errors import OVERLOADED
from tests.exec_server.stdio_peer import eventually

SIZE_BYTES = 45 * 1000 * 1000
MOST_KEPT_BYTES = 20 * 1024 * 1024
QUIET_POLLS = 20

FILE_BYTES = 1024 * 1024
READS = 300
MOST_UNREAD_BYTES = 320 * 1024 * 1024
"""Half of what all these answers would take; a quarter is what is kept and what is being made."""


@pytest.fixture
def program(codex_home: Path) -> Iterator[subprocess.Popen[bytes]]:
    (codex_home / "config.toml").write_text('sandbox_mode = "danger-full-access"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "app_server.cli.main", "app-server"],
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    yield process
    process.kill()
    process.communicate()


def ask(program: subprocess.Popen[bytes], request_id: int, method: str, params: Any) -> None:
    assert program.stdin is not None
    request = {"id": request_id, "method": method, "params": params}
    program.stdin.write(json.dumps(request).encode() + b"\n")
    program.stdin.flush()


def lines_to_answer(program: subprocess.Popen[bytes], request_id: int) -> list[bytes]:
    """The streamed pieces before an answer."""
    assert program.stdout is not None
    beginning = b'{"id":%d,' % request_id
    pieces = []
    for line in program.stdout:
        if line.startswith(beginning):
            assert b'"result"' in line, line
            return pieces
        found = re.search(rb'"deltaBase64":"([^"]*)"', line)
        if found is not None:
            pieces.append(found[1])
    raise AssertionError("the server ended")


def most_memory_bytes(program: subprocess.Popen[bytes]) -> int:
    status = Path(f"/proc/{program.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def test_a_client_that_does_not_read_holds_a_flood_up_and_then_gets_all_of_it(
    program: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    ask(program, 1, "initialize", {"clientInfo": {"name": "test", "version": "1"}})
    ask(program, 2, "command/exec", {"command": ["true"]})
    lines_to_answer(program, 2)
    ask(program, 4, "thread/start", {"ephemeral": True})  # so that all code is loaded by now
    lines_to_answer(program, 4)
    before = most_memory_bytes(program)
    line = f"head -c {SIZE_BYTES} /dev/zero & echo $! > {tmp_path / 'pid'}; wait"
    params = {"processId": "flood", "streamStdoutStderr": True, "disableOutputCap": True}
    ask(program, 3, "command/exec", {"command": ["sh", "-c", line], **params})
    pid = eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    wait_until_it_waits(int(pid))
    arrived = sum(len(piece) // 4 * 3 - piece.count(b"=") for piece in lines_to_answer(program, 3))
    assert arrived == SIZE_BYTES
    assert most_memory_bytes(program) - before < MOST_KEPT_BYTES


def test_a_client_that_asks_for_much_and_reads_nothing_is_refused_what_would_not_fit(
    program: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(bytes(FILE_BYTES))
    ask(program, 0, "initialize", {"clientInfo": {"name": "test", "version": "1"}})
    lines_to_answer(program, 0)
    before = most_memory_bytes(program)
    for number in range(1, READS + 1):
        ask(program, number, "fs/readFile", {"path": str(tmp_path / "large")})
    ask(program, READS + 1, "fs/createDirectory", {"path": str(tmp_path / "last")})
    eventually((tmp_path / "last").exists)
    assert program.stdout is not None
    answers = {}
    while len(answers) < READS + 1:
        answer = json.loads(program.stdout.readline())
        if "id" in answer:
            assert answer["id"] not in answers
            answers[answer["id"]] = answer.get("error", {}).get("code")
    assert answers[READS + 1] is None
    assert set(answers.values()) == {None, OVERLOADED}
    assert most_memory_bytes(program) - before < MOST_UNREAD_BYTES


def wait_until_it_waits(pid: int) -> None:
    """Until the process has written nothing more for a while, or has written everything."""
    same, last = 0, -1

    def is_waiting() -> bool:
        nonlocal same, last
        written = written_bytes(pid)
        same, last = (same + 1, written) if written == last else (0, written)
        return written == SIZE_BYTES or same >= QUIET_POLLS

    eventually(is_waiting)


def written_bytes(pid: int) -> int:
    try:
        found = re.search(r"wchar: (\d+)", Path(f"/proc/{pid}/io").read_text())
    except OSError:
        found = None  # it has ended
    return SIZE_BYTES if found is None else int(found[1])
