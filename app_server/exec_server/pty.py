"""Terminals: opening, sizing, and what is special about reading them.

One descriptor carries input and output. Once the last process has let go of the terminal, reading
answers EIO, which counts as its end.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from app_server.exec_server.streams import Streams


def open_streams(rows: int, cols: int) -> Streams:
    """A new terminal of this size; the command gets its inner side three times."""
    outer, inner = os.openpty()
    resize(inner, rows, cols)
    os.set_blocking(outer, False)
    return Streams(stdin=inner, stdout=inner, stderr=inner, input_fd=outer, outputs={outer: "pty"})


def resize(fd: int, rows: int, cols: int) -> None:
    """Give the terminal another size; its foreground processes are told by SIGWINCH."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
