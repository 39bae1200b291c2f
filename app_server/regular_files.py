"""Reading files that somebody else may have made.

A name may turn out to be a pipe, a device or a terminal, whose reading would never end. What is not
a regular file is refused without waiting, and no more than the caller's limit is read.
"""

import errno
import os
import stat


def read_regular_file(path: str | os.PathLike[str], limit_bytes: int | None = None) -> bytes:
    """The content of a regular file, links followed; at most `limit_bytes` of it.

    Raises OSError: that of opening, or EINVAL for what is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read(-1 if limit_bytes is None else limit_bytes)


def os_reason(error: OSError) -> str:
    """An operating system error the way the original words it."""
    reason = error.strerror or str(error)
    return f"{reason} (os error {error.errno})" if error.errno else reason
