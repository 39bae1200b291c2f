"""Server-sent events, without I/O: bytes in as they arrive, the data of whole events out.

Only `data` matters here; names, ids and comments are read over. Lines may end in LF, CR or CRLF and
may be cut anywhere. Every byte is looked at once, so an event of many megabytes costs no more per
byte than a small one, and its memory is given back with it.
"""

from __future__ import annotations


class SseParser:
    """One stream; `feed` for each piece of it, `finish` at its end."""

    def __init__(self) -> None:
        self._unfinished_line: list[bytes] = []
        self._data: list[bytes] = []
        self._after_cr = False
        """The last byte was CR: a LF right after it belongs to the same line end."""

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events this piece completes, in order."""
        if self._after_cr and piece:
            self._after_cr = False
            if piece[:1] == b"\n":
                piece = piece[1:]
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if not end:
            if piece:
                self._unfinished_line.append(piece)
            return []
        self._after_cr = piece[end - 1] == 0x0D
        whole = piece[:end]
        if self._unfinished_line:
            whole = b"".join((*self._unfinished_line, whole))
            self._unfinished_line.clear()
        if end < len(piece):
            self._unfinished_line.append(piece[end:])
        return self._events_in(whole)

    def finish(self) -> list[bytes]:
        """The last event, where the stream ended without the blank line that should close it."""
        return self._events_in(b"".join((*self._unfinished_line, b"\n\n")))

    def _events_in(self, lines: bytes) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines.splitlines():
            if not line:
                if data:
                    events.append(data[0] if len(data) == 1 else b"\n".join(data))
                    data.clear()
            elif line.startswith(b"data: "):
                data.append(line[6:])
            elif line.startswith(b"data:"):
                data.append(line[5:])
            elif line == b"data":
                data.append(b"")
        return events
