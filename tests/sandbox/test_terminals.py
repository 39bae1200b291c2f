"""A command with a terminal owns it: job control, keys that signal, sizes, its name."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.sandbox.conftest import MakeStage
from tests.sandbox.stage import READ_ONLY, Stage, read_to_end, spawn

LONGEST_WAIT_SECONDS = 60.0

pytestmark = pytest.mark.sandbox


class Terminal:
    def __init__(self, fd: int, pid: int) -> None:
        self.fd = fd
        self.pid = pid
        self.seen = ""
        self.has_finished = False

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def until(self, words: str) -> None:
        while words not in self.seen:
            assert select.select([self.fd], [], [], LONGEST_WAIT_SECONDS)[0], self.seen
            piece = os.read(self.fd, 4096)  # ends with an error when the command does
            self.seen += piece.decode()

    def finish(self) -> tuple[int, str]:
        self.seen += read_to_end(self.fd, self.pid)
        self.has_finished = True
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), self.seen


@contextmanager
def terminal(stage: Stage, *argv: str) -> Iterator[Terminal]:
    """As the process service does it: a new session, and the terminal handed over unclaimed."""
    ours, theirs = pty.openpty()
    os.fchown(theirs, stage.uid, stage.uid)
    command = stage.prepared(argv, tty=True)
    assert command.claims_terminal
    with stage.mount_points(command):
        pid = spawn(command, stage.uid, theirs, theirs)
        os.close(theirs)
        screen = Terminal(ours, pid)
        try:
            yield screen
        finally:
            if not screen.has_finished:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            os.close(ours)


def _waits_for(name: str, then: str) -> str:
    return (
        f"import os, signal\n"
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.{name}])\n"
        f"print('ready', flush=True)\n"
        f"signal.sigwait([signal.{name}])\n"
        f"{then}"
    )


def test_the_interrupt_key_reaches_the_command_and_only_it(stage: Stage) -> None:
    source = _waits_for("SIGINT", "print('caught')")
    with terminal(stage, stage.interpreter, "-I", "-S", "-c", source) as screen:
        screen.until("ready")
        screen.type(b"\x03")
        code, seen = screen.finish()
    assert code == 0
    assert "caught" in seen


def test_a_new_size_is_told(stage: Stage) -> None:
    source = _waits_for("SIGWINCH", "print(*os.get_terminal_size())")
    with terminal(stage, stage.interpreter, "-I", "-S", "-c", source) as screen:
        screen.until("ready")
        fcntl.ioctl(screen.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        _, seen = screen.finish()
    assert "77 33" in seen


def test_an_interactive_shell_has_job_control(stage: Stage) -> None:
    with terminal(stage, "/usr/bin/env", "PS1=> ", "ENV=", "/bin/sh", "-i") as screen:
        screen.until("> ")
        screen.type(b"cat\n")
        screen.until("cat")
        screen.type(b"line\n")
        screen.until("line\r\nline")
        screen.type(b"\x1a")
        screen.until("Stopped")
        screen.type(b"jobs; kill %1; exit 3\n")
        screen.until("exit")
        screen.type(b"exit 3\n")
        code, seen = screen.finish()
    assert code == 3
    assert "can't access tty" not in seen


def test_the_terminal_is_reached_by_its_name(stage: Stage) -> None:
    line = "echo by name > /dev/tty; test -t 0 && test -t 1 && echo both; echo x > $(tty)"
    with terminal(stage, "/bin/sh", "-c", line) as screen:
        code, seen = screen.finish()
    assert (code, seen) == (0, "by name\r\nboth\r\nx\r\n")


def test_landlock_leaves_the_terminal_to_the_launcher(make_stage: MakeStage, uid: int) -> None:
    stage = make_stage("landlock", uid)
    assert not stage.prepared(["true"], READ_ONLY, tty=True).claims_terminal
