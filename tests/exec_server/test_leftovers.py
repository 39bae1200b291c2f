"""Nothing of a command outlives it, its connection, or the service."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exec_server.stdio_peer import (
    ROOT,
    StdioPeer,
    eventually,
    is_running,
    kill,
    pids_in,
)

STUBBORN = "trap '' TERM INT HUP; echo $$ >> {file}; while :; do sleep 1; done"
"""A shell that ignores every polite signal."""


def stubborn(file: Path) -> str:
    return STUBBORN.format(file=file)


def detached(file: Path) -> str:
    """Forks twice into a session of its own, closes its outputs, and ignores polite signals."""
    own = stubborn(file).replace("$", "\\$")  # its number, not that of the shell around it
    return f'(setsid sh -c "{own}" >/dev/null 2>&1 </dev/null &)'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def assert_gone(pids: list[int]) -> None:
    eventually(lambda: not any(is_running(pid) for pid in pids))


def test_terminating_ends_what_ignores_the_polite_signal(peer: StdioPeer, file: Path) -> None:
    peer.shell("a", stubborn(file))
    pids = pids_in(file, 1)
    mode = {"type": "graceful", "timeoutMs": 50}
    peer.call("process/terminate", {"processId": "a", "mode": mode})
    assert peer.exited("a")["signal"] == signal.SIGKILL
    assert_gone(pids)


def test_terminating_ends_grandchildren_that_left_the_session(peer: StdioPeer, file: Path) -> None:
    peer.shell("a", f"{detached(file)}; echo $$ >> {file}; exec sleep 60")
    pids = pids_in(file, 2)
    peer.call("process/terminate", {"processId": "a", "mode": {"type": "force"}})
    peer.exited("a")
    assert_gone(pids)


def test_a_command_that_ends_by_itself_leaves_no_daemon(peer: StdioPeer, file: Path) -> None:
    peer.shell(
        "a", f"{detached(file)}; sleep 60 & while [ ! -s {file} ]; do :; done; echo $! >> {file}"
    )
    assert peer.exited("a")["exitCode"] == 0
    assert_gone(pids_in(file, 2))


def test_what_a_command_leaves_does_not_delay_its_exit(peer: StdioPeer, file: Path) -> None:
    # The leftover holds the output open and ignores the polite signal, so only force ends it.
    peer.shell(
        "a",
        f"({stubborn(file)}) & while [ ! -s {file} ]; do :; done; echo done",
        io={"type": "pipe"},
    )
    assert peer.exited("a")["exitCode"] == 0
    assert peer.output("a") == b"done\n"
    peer.told("process/closed", "a")
    assert_gone(pids_in(file, 1))


def test_ending_one_command_leaves_another_alone(peer: StdioPeer, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    peer.shell("a", stubborn(one))
    peer.shell("b", f"{detached(other)}; exec sleep 60")
    pids, others = pids_in(one, 1), pids_in(other, 1)
    peer.call("process/terminate", {"processId": "a", "mode": {"type": "force"}})
    peer.exited("a")
    assert_gone(pids)
    assert all(is_running(pid) for pid in others)


def test_a_command_that_stops_its_keeper_ends_all_the_same(peer: StdioPeer, file: Path) -> None:
    stop = "kill -STOP $PPID; " * 50  # before and after it could tell of the start
    peer.shell("a", f"{stop} echo $$ >> {file}; exec sleep 60")
    pids = pids_in(file, 1)
    peer.call("process/terminate", {"processId": "a", "mode": {"type": "force"}})
    peer.exited("a")
    assert_gone(pids)


def test_a_command_that_kills_its_keeper_leaves_nothing(peer: StdioPeer, tmp_path: Path) -> None:
    file, other, told = tmp_path / "one", tmp_path / "other", tmp_path / "told"
    peer.shell("b", stubborn(other))
    # A keeper that is killed before it has told of the start has started nothing.
    ready = f"[ -s {file} ] && [ -e {told} ]"
    peer.shell("a", f"{detached(file)}; until {ready}; do sleep 0.01; done; kill -9 $PPID; wait")
    told.touch()
    assert peer.exited("a")["exitCode"] == -1
    assert_gone(pids_in(file, 1))
    assert all(is_running(pid) for pid in pids_in(other, 1))


@pytest.mark.parametrize("has_terminal", [False, True])
def test_the_end_of_the_connection_ends_everything(
    peer: StdioPeer, file: Path, has_terminal: bool
) -> None:
    peer.shell("a", f"{detached(file)}; {stubborn(file)}", tty=has_terminal)
    pids = pids_in(file, 2)
    assert peer.process.stdin is not None
    peer.process.stdin.close()
    assert peer.end()[0] == 0
    assert not any(is_running(pid) for pid in pids)


def test_a_request_to_end_ends_everything(peer: StdioPeer, file: Path) -> None:
    peer.shell("a", f"{detached(file)}; {stubborn(file)}")
    pids = pids_in(file, 2)
    peer.process.terminate()
    assert peer.end()[0] == 0
    assert not any(is_running(pid) for pid in pids)


def service_of(peer: StdioPeer) -> int:
    """The process below the guardian, which does the work."""
    children = Path(f"/proc/{peer.process.pid}/task/{peer.process.pid}/children").read_text()
    return int(children.split()[0])


def test_killing_the_service_leaves_nothing(peer: StdioPeer, file: Path) -> None:
    peer.shell("a", f"{detached(file)}; {stubborn(file)}")
    pids = pids_in(file, 2)
    kill(service_of(peer), signal.SIGKILL)
    assert peer.end()[0] == 128 + signal.SIGKILL
    assert not any(is_running(pid) for pid in pids)


def test_killing_the_guardian_leaves_nothing(peer: StdioPeer, file: Path) -> None:
    peer.shell("a", f"{detached(file)}; {stubborn(file)}")
    pids = [*pids_in(file, 2), service_of(peer)]
    kill(peer.process.pid, signal.SIGKILL)
    assert_gone(pids)


OWNER = """
import asyncio, sys
from app_server.exec.environment import SpawnRequest
from app_server.exec.local import LocalEnvironment

async def main():
    environment = LocalEnvironment()
    argv = ("/bin/sh", "-c", sys.argv[1])
    await environment.spawn(SpawnRequest(argv=argv, cwd="/", env={"PATH": "/usr/bin:/bin"}))
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_killing_the_owner_of_the_service_leaves_nothing(file: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, f"{detached(file)}; {stubborn(file)}"], cwd=ROOT
    )
    pids = pids_in(file, 2)
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    assert_gone(pids)
