"""Bytes to lines."""

import pytest

from app_server.rpc.lines import LineSplitter


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\nc"], [b"ab"]),
        ([b"\n\n  \na\n"], [b"a"]),
        ([b"a\r\nb\n"], [b"a\r", b"b"]),
        ([b"a", b"b", b"c", b"\n"], [b"abc"]),
        ([b"\xff\xfe\nb\n"], [b"\xff\xfe", b"b"]),
    ],
)
def test_whole_lines_come_out(pieces: list[bytes], lines: list[bytes]) -> None:
    splitter = LineSplitter()
    assert [line for piece in pieces for line in splitter.feed(piece)] == lines


def test_what_follows_the_last_line_end_is_kept_for_the_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\nrest") == [b"a"]
    assert splitter.last() == b"rest"
    assert splitter.last() == b""


def test_a_line_that_is_too_long_costs_only_itself() -> None:
    splitter = LineSplitter(longest_bytes=10)
    lines = []
    for piece in (b"ok\n", b"x" * 8, b"x" * 8, b"x" * 8 + b"\nnext\n", b"y" * 11 + b"\nlast\n"):
        lines += splitter.feed(piece)
    assert lines == [b"ok", b"next", b"last"]


def test_a_long_line_in_many_pieces_is_put_together() -> None:
    splitter = LineSplitter()
    for _ in range(5000):
        assert splitter.feed(b"z" * 100) == []
    assert splitter.feed(b"\n") == [b"z" * 500_000]
