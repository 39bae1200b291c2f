"""Running a tiny command to its end, to see whether a mechanism works here."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LONGEST_TRIAL_SECONDS = 15.0
"""Far more than any mechanism needs; a program that hangs must not hang us."""
_MOST_WORDS_BYTES = 2000


class Trial(NamedTuple):
    """How it went."""

    works: bool
    complaint: str
    """What the program said on stderr, on one line."""


def attempt(argv: Sequence[str], env: Mapping[str, str], data: Mapping[int, bytes]) -> Trial:
    """Run `argv` with these descriptors and nothing else. Blocks; safe beside other threads."""
    opened = [os.memfd_create("complaint"), os.open(os.devnull, os.O_RDWR)]
    complaint, nothing = opened
    actions: list[tuple[int, int, int]] = [
        (os.POSIX_SPAWN_DUP2, nothing, 0),
        (os.POSIX_SPAWN_DUP2, nothing, 1),
        (os.POSIX_SPAWN_DUP2, complaint, 2),
    ]
    try:
        for number, content in data.items():
            fd = os.memfd_create("inherited")
            opened.append(fd)
            os.write(fd, content)
            os.lseek(fd, 0, os.SEEK_SET)
            if fd == number:  # duplicating it onto itself would leave it closed on execution
                opened.append(fd := os.dup(fd))
            actions.append((os.POSIX_SPAWN_DUP2, fd, number))
        try:
            pid = os.posix_spawn(argv[0], list(argv), env, file_actions=actions, setsid=True)
        except OSError as error:
            return Trial(False, f"{argv[0]}: {error.strerror}")
        code = _wait(pid)
        os.lseek(complaint, 0, os.SEEK_SET)
        words = os.read(complaint, _MOST_WORDS_BYTES).decode(errors="replace")
        return Trial(code == 0, " ".join(words.split()) or f"ended with status {code}")
    finally:
        for fd in opened:
            os.close(fd)


def _wait(pid: int) -> int:
    pidfd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(LONGEST_TRIAL_SECONDS * 1000):
            os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(pidfd)
