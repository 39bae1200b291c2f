"""The two process attributes that tie children to their owner. Linux only.

The C library is loaded when this module is imported, so that nothing is loaded after a fork.
"""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


_adopting_pid = 0


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    global _adopting_pid
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _adopting_pid = os.getpid()


def adopts_orphans() -> bool:
    """Whether this very process asked for that."""
    return _adopting_pid == os.getpid()


def end_with_parent(parent_pid: int, signal_number: int = signal.SIGKILL) -> None:
    """Get a signal when the parent ends; at once if it already has."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal_number)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
