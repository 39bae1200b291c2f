"""Empty directories a sandbox needs to mount over, made before a command and removed after it.

Several commands, of several servers, may share one: each holds a shared lock on the directory while
it runs, and only who can lock it alone removes it. What we made is told from what the user made by
its modification time, which the first entry put into it would change.
"""

from __future__ import annotations

import fcntl
import os

_MADE_BY_US_NS = 1_003_004_005_006_007_008
"""An hour in 2001 with nanoseconds nobody else would choose."""
_ATTEMPTS = 20


class MountPointBlocked(Exception):
    """Something that is not a directory stands where a mount point is needed."""


def hold(path: str) -> int:
    """Make the directory if it is missing and keep it; returns the descriptor that holds it.

    The holder passes to whoever inherits the descriptor. Raises `MountPointBlocked` or `OSError`.
    """
    for _ in range(_ATTEMPTS):
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:
            pass
        else:
            os.utime(path, ns=(_MADE_BY_US_NS, _MADE_BY_US_NS))
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError:
            raise MountPointBlocked(f"{path} is not a directory") from None
        fcntl.flock(fd, fcntl.LOCK_SH)
        if _is_still(path, fd):
            return fd
        # Its last user removed it between our two steps.
        os.close(fd)
    raise MountPointBlocked(f"{path} comes and goes")


def release(path: str, fd: int) -> None:
    """Remove the directory if we made it, it is empty and nobody else holds it. Closes `fd`."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_mtime_ns == _MADE_BY_US_NS and _is_still(path, fd):
            os.rmdir(path)
    except OSError:
        pass  # held by another command, filled by the user, or already gone
    finally:
        os.close(fd)


def _is_still(path: str, fd: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False
