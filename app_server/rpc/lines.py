"""Bytes to lines, for transports that put one message on a line.

Pure, and linear in what it is fed. A line longer than the limit costs that line only: it is skipped
up to its end, and memory is not kept for it.
"""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

LONGEST_LINE_BYTES = 96 * 1024 * 1024


class LineSplitter:
    """Collects pieces and gives back whole lines, without their ends."""

    def __init__(self, longest_bytes: int = LONGEST_LINE_BYTES) -> None:
        self._longest_bytes = longest_bytes
        self._begun: list[bytes] = []
        self._begun_bytes = 0
        self._skipping = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines this piece completes; empty ones are left out."""
        *ends, rest = piece.split(b"\n")
        lines = []
        for end in ends:
            line = self._complete(end)
            if line.strip():
                lines.append(line)
        self._begin(rest)
        return lines

    def last(self) -> bytes:
        """What followed the last line end, once nothing more will come."""
        return self._complete(b"").strip()

    def _complete(self, end: bytes) -> bytes:
        self._begin(end)
        line = b"" if self._skipping else b"".join(self._begun)
        self._forget()
        self._skipping = False
        return line

    def _begin(self, rest: bytes) -> None:
        if not rest or self._skipping:
            return
        self._begun.append(rest)
        self._begun_bytes += len(rest)
        if self._begun_bytes > self._longest_bytes:
            log.warning("skipped a line of more than %d bytes", self._longest_bytes)
            self._forget()
            self._skipping = True

    def _forget(self) -> None:
        self._begun = []
        self._begun_bytes = 0
