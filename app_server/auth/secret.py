"""Text that must not be shown: it prints as dots, wherever it ends up."""

from __future__ import annotations


class Secret:
    """A key or token; `reveal()` is the only way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret does not leave its process")


def masked(key: str) -> str:
    """A key as it may be shown to its owner: both ends, or nothing if it is short."""
    return "***" if len(key) <= 13 else f"{key[:8]}***{key[-5:]}"
