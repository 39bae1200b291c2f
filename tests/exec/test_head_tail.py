"""Keeping the beginning and the end, and whole characters."""

import pytest

from app_server.exec.head_tail import HeadTail, whole_characters


@pytest.mark.parametrize("piece_bytes", [1, 3, 7, 100])
def test_the_first_and_the_last_half_are_kept_whatever_the_pieces(piece_bytes: int) -> None:
    data = bytes(range(100))
    kept = HeadTail(20)
    for start in range(0, 100, piece_bytes):
        kept.add(data[start : start + piece_bytes])
    assert kept.joined() == data[:10] + data[-10:]
    assert kept.dropped_bytes == 80


def test_what_fits_is_kept_unchanged() -> None:
    kept = HeadTail(20)
    for piece in (b"hello ", b"", b"world"):
        kept.add(piece)
    assert (kept.joined(), kept.dropped_bytes) == (b"hello world", 0)


@pytest.mark.parametrize(
    ("count", "last"), [(0, b""), (3, b"rld"), (7, b"o world"), (99, b"hello world")]
)
def test_the_end_can_be_looked_at(count: int, last: bytes) -> None:
    kept = HeadTail(12)
    kept.add(b"hello ")
    kept.add(b"world")
    assert kept.last_bytes(count) == last


@pytest.mark.parametrize(
    ("data", "whole", "rest"),
    [
        (b"", b"", b""),
        (b"abc", b"abc", b""),
        ("aä".encode(), "aä".encode(), b""),
        ("aä".encode()[:-1], b"a", b"\xc3"),
        ("€".encode()[:2], b"", "€".encode()[:2]),
        ("😀".encode()[:3], b"", "😀".encode()[:3]),
        ("😀".encode(), "😀".encode(), b""),
        (b"a\xff", b"a", b"\xff"),
        (b"\x80\x80\x80\x80\x80", b"\x80\x80\x80\x80\x80", b""),
    ],
)
def test_an_unfinished_character_is_split_off(data: bytes, whole: bytes, rest: bytes) -> None:
    assert whole_characters(data) == (whole, rest)
