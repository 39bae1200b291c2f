"""The kernel as the program asks it: system calls by number, and what a failed one says."""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    import _signal as signal  # without the 2 ms of the module around it

signals = signal

SET_UP_FAILED = 125
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Failed(Exception):
    """A step that did not work, and why."""

    def __init__(self, step: str, error: OSError) -> None:
        self.step = step
        self.error = error


def syscall(number: int, *arguments: Any) -> int:
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return int(libc.syscall(ctypes.c_long(number), *converted))


def check(what: str, result: int) -> None:
    """Raise `Failed` if a call's result says that it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise Failed(what, OSError(number, os.strerror(number)))


def stop(step: str, error: OSError) -> NoReturn:
    say(f"codex: the sandbox could not be set up: {step}: {error.strerror}")
    os._exit(SET_UP_FAILED)


def say(text: str) -> None:
    try:
        os.write(2, os.fsencode(text + "\n"))
    except OSError:
        pass


def shell_code(status: int) -> int:
    """What a shell would say of this wait status."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
