"""Server-sent events: what is an event, however it is cut."""

import pytest

from app_server.model.sse import SseParser

STREAMS = [
    ("line feeds", b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    ("carriage returns and line feeds", b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    ("carriage returns alone", b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    ("mixed line ends", b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"]),
    ("names and ids are read over", b"event: x\nid: 7\nretry: 5\ndata: a\n\n", [b"a"]),
    ("comments are read over", b": hi\ndata: a\n:\n\n: keep-alive\n\n", [b"a"]),
    ("several data lines are one text", b"data: a\ndata: b\n\n", [b"a\nb"]),
    ("one space after the colon is not data", b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
    ("a data line without a colon is empty", b"data\ndata: a\n\n", [b"\na"]),
    ("blank lines between events", b"\n\n\ndata: a\n\n\n\n", [b"a"]),
    ("an event without data is none", b"event: ping\n\ndata: a\n\n", [b"a"]),
    (
        "other line separators are content",
        "data: a\x0b\x0c\u2028b\n\n".encode(),
        ["a\x0b\x0c\u2028b".encode()],
    ),
    ("the last event may lack its blank line", b"data: a\n\ndata: b\n", [b"a", b"b"]),
    ("the last event may lack its line end", b"data: a\n\ndata: b", [b"a", b"b"]),
    ("nothing", b"", []),
]


@pytest.mark.parametrize(
    ("stream", "expected"), [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS]
)
def test_events_are_the_same_wherever_the_stream_is_cut(
    stream: bytes, expected: list[bytes]
) -> None:
    whole = SseParser()
    assert whole.feed(stream) + whole.finish() == expected
    for size in (1, 2, 3, 5):
        parser = SseParser()
        events = [
            event
            for start in range(0, len(stream), size)
            for event in parser.feed(stream[start : start + size])
        ]
        assert events + parser.finish() == expected, f"cut every {size} bytes"


def test_an_event_comes_out_with_the_piece_that_ends_it() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\n") == []
    assert parser.feed(b"\ndata: b") == [b"a"]
    assert parser.feed(b"\r") == []
    assert parser.feed(b"\n\r") == [b"b"]
    assert parser.feed(b"\ndata: c\n\n") == [b"c"]


def test_the_bytes_of_a_large_event_are_looked_at_once() -> None:
    """A parser that joins or searches what it holds at each piece would touch gigabytes here."""
    piece = CountedBytes(b"x" * 16_384)
    parser = SseParser()
    parser.feed(b"data: ")
    for _ in range(640):
        parser.feed(piece)
    assert CountedBytes.searches == 2 * 640
    (event,) = parser.feed(b"\n\n")
    assert len(event) == 640 * 16_384
    assert parser.finish() == []


class CountedBytes(bytes):
    searches = 0

    def rfind(self, *arguments: object) -> int:
        CountedBytes.searches += 1
        return super().rfind(*arguments)  # type: ignore[arg-type]
