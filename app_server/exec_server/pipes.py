"""Plain pipes: output and errors apart, input open or closed from the start."""

from __future__ import annotations

import fcntl
import os

from app_server.exec_server.streams import Streams

OUTPUT_PIPE_BYTES = 256 * 1024
"""Four times the usual, so that a flood wakes us less; no more, as a user has a limited share."""


def open_streams(is_stdin_open: bool) -> Streams:
    """Three streams; a closed input reads as an immediate end of file."""
    if is_stdin_open:
        stdin, input_fd = os.pipe()
        os.set_blocking(input_fd, False)
    else:
        stdin, input_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), None
    output_fd, stdout = os.pipe()
    error_fd, stderr = os.pipe()
    try:
        fcntl.fcntl(output_fd, fcntl.F_SETPIPE_SZ, OUTPUT_PIPE_BYTES)
    except OSError:
        pass  # the user's share of pipe memory is used up; the usual size works as well
    os.set_blocking(output_fd, False)
    os.set_blocking(error_fd, False)
    return Streams(
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        input_fd=input_fd,
        outputs={output_fd: "stdout", error_fd: "stderr"},
    )
