"""The two sides of a command's input and output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from app_server.exec_server.protocol import Stream


class Streams(NamedTuple):
    """Descriptors the command gets, and those we keep, which are non-blocking."""

    stdin: int
    stdout: int
    stderr: int
    input_fd: int | None
    """Where its input is written; None if it has none."""
    outputs: Mapping[int, Stream]
    """Where its output is read."""
