"""The composer's text: a cursor, atomic elements, a kill buffer and undo. Pure.

Elements are stretches of the text that stand for something else: a long paste, a picture. The
cursor never rests inside one, and deleting any part of one deletes all of it. Positions count
characters; wrapping is `layout`'s business.
"""

from typing import Literal, NamedTuple

from rich.cells import cell_len

UNDO_STEPS = 100
LONG_PASTE_CHARS = 1000
"""A paste longer than this is shown as one element."""


class Element(NamedTuple):
    start: int
    end: int
    kind: Literal["paste", "image"]
    value: str
    """What it stands for: the pasted text, the picture's path."""


class _Moment(NamedTuple):
    text: str
    cursor: int
    elements: tuple[Element, ...]


class Expanded(NamedTuple):
    """The text as it is sent: pastes written out, pictures by path in the order of their labels."""

    text: str
    images: tuple[str, ...]


class Buffer:
    """Text being written. Every change goes through `replace`."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.cursor = len(text)
        self.elements: tuple[Element, ...] = ()
        self.killed = ""
        self._undo: list[_Moment] = []
        self._typing = False

    def replace(self, start: int, end: int, text: str) -> None:
        """Put `text` in place of a range; the cursor goes behind it."""
        for element in self.elements:
            if element.start < end and start < element.end:
                start, end = min(start, element.start), max(end, element.end)
        shift = len(text) - (end - start)
        self.elements = tuple(
            element
            if element.end <= start
            else element._replace(start=element.start + shift, end=element.end + shift)
            for element in self.elements
            if element.end <= start or element.start >= end
        )
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)

    def insert(self, text: str) -> None:
        """Type `text` at the cursor."""
        single = len(text) == 1 and not text.isspace()
        if not (single and self._typing):
            self._remember()
        self._typing = single
        self.replace(self.cursor, self.cursor, text)

    def insert_element(self, kind: Literal["paste", "image"], value: str) -> None:
        """Put an element at the cursor under a label not yet in the text."""
        self._remember()
        start = self.cursor
        self.replace(start, start, self._label(kind, value))
        self.elements = tuple(sorted((*self.elements, Element(start, self.cursor, kind, value))))

    def paste(self, text: str) -> None:
        """A paste: long ones become an element."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(text) > LONG_PASTE_CHARS:
            self.insert_element("paste", text)
        else:
            self._remember()
            self.replace(self.cursor, self.cursor, text)

    def set(self, text: str, cursor: int | None = None) -> None:
        """Another text altogether; elements are gone."""
        self._remember()
        self.text, self.elements = text, ()
        self.cursor = len(text) if cursor is None else cursor

    def clear(self) -> None:
        self.set("")

    def undo(self) -> None:
        if self._undo:
            self.text, self.cursor, self.elements = self._undo.pop()
        self._typing = False

    def expanded(self) -> Expanded:
        pieces, images, position = [], [], 0
        for element in self.elements:
            pieces.append(self.text[position : element.start])
            if element.kind == "paste":
                pieces.append(element.value)
            else:
                images.append(element.value)
                pieces.append(self.text[element.start : element.end])
            position = element.end
        pieces.append(self.text[position:])
        return Expanded("".join(pieces), tuple(images))

    def move(self, position: int) -> None:
        """Cursor to `position`, or behind the element that is there."""
        self._typing = False
        position = max(0, min(len(self.text), position))
        inside = self._element_around(position)
        self.cursor = position if inside is None else inside.end

    def left(self) -> None:
        self.move_to_edge(self._before(self.cursor), towards="start")

    def right(self) -> None:
        self.move_to_edge(self._after(self.cursor), towards="end")

    def word_left(self) -> None:
        self.move_to_edge(self._word_start(), towards="start")

    def word_right(self) -> None:
        self.move_to_edge(self._word_end(), towards="end")

    def line_start(self) -> None:
        start = self._line_start()
        if start == self.cursor and start > 0:
            start = self.text.rfind("\n", 0, start - 1) + 1
        self.move_to_edge(start, towards="start")

    def line_end(self) -> None:
        end = self._line_end()
        if end == self.cursor and end < len(self.text):
            following = self.text.find("\n", end + 1)
            end = len(self.text) if following < 0 else following
        self.move_to_edge(end, towards="end")

    def move_to_edge(self, position: int, *, towards: Literal["start", "end"]) -> None:
        inside = self._element_around(position)
        if inside is not None:
            position = inside.start if towards == "start" else inside.end
        self._typing = False
        self.cursor = max(0, min(len(self.text), position))

    def backspace(self) -> None:
        self._delete(self._before(self.cursor), self.cursor)

    def delete(self) -> None:
        self._delete(self.cursor, self._after(self.cursor))

    def delete_word_left(self) -> None:
        self._kill(self._word_start(), self.cursor)

    def delete_word_right(self) -> None:
        self._kill(self.cursor, self._word_end())

    def kill_to_start(self) -> None:
        start = self._line_start()
        self._kill(start - 1 if start == self.cursor and start else start, self.cursor)

    def kill_to_end(self) -> None:
        end = self._line_end()
        self._kill(self.cursor, end + 1 if end == self.cursor else end)

    def yank(self) -> None:
        if self.killed:
            self._remember()
            self.replace(self.cursor, self.cursor, self.killed)

    def token_before_cursor(self, mark: str) -> tuple[int, str] | None:
        """The word being typed, if it begins with `mark`: where it starts, what follows."""
        start = self.cursor
        while start > 0 and not self.text[start - 1].isspace():
            start -= 1
        word = self.text[start : self.cursor]
        if not word.startswith(mark) or self._element_around(start + 1) is not None:
            return None
        return start, word[len(mark) :]

    def _delete(self, start: int, end: int) -> None:
        start, end = max(0, start), min(len(self.text), end)
        if start < end:
            self._remember()
            self._typing = False
            self.replace(start, end, "")

    def _kill(self, start: int, end: int) -> None:
        start, end = max(0, start), min(len(self.text), end)
        for element in self.elements:
            if element.start < end and start < element.end:
                start, end = min(start, element.start), max(end, element.end)
        if start < end:
            self.killed = self.text[start:end]
            self._delete(start, end)

    def _remember(self) -> None:
        moment = _Moment(self.text, self.cursor, self.elements)
        if not self._undo or self._undo[-1] != moment:
            self._undo = [*self._undo[-UNDO_STEPS:], moment]

    def _label(self, kind: str, value: str) -> str:
        if kind == "image":
            number = 1 + sum(element.kind == "image" for element in self.elements)
            return f"[Image #{number}]"
        label = f"[Pasted Content {len(value)} chars]"
        taken = {self.text[element.start : element.end] for element in self.elements}
        number = 2
        candidate = label
        while candidate in taken:
            candidate, number = f"{label} #{number}", number + 1
        return candidate

    def _element_around(self, position: int) -> Element | None:
        return next((e for e in self.elements if e.start < position < e.end), None)

    def _before(self, position: int) -> int:
        position -= 1
        while position > 0 and _joins(self.text, position):
            position -= 1
        return position

    def _after(self, position: int) -> int:
        position += 1
        while position < len(self.text) and _joins(self.text, position):
            position += 1
        return position

    def _line_start(self) -> int:
        return self.text.rfind("\n", 0, self.cursor) + 1

    def _line_end(self) -> int:
        end = self.text.find("\n", self.cursor)
        return len(self.text) if end < 0 else end

    def _word_start(self) -> int:
        position = self.cursor
        while position > 0 and not _in_word(self.text[position - 1]):
            position -= 1
        while position > 0 and _in_word(self.text[position - 1]):
            position -= 1
        return position

    def _word_end(self) -> int:
        position, end = self.cursor, len(self.text)
        while position < end and not _in_word(self.text[position]):
            position += 1
        while position < end and _in_word(self.text[position]):
            position += 1
        return position


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _joins(text: str, position: int) -> bool:
    """The character here is drawn together with the one before it."""
    character = text[position]
    if character.isascii():
        return False
    return character == "\u200d" or text[position - 1] == "\u200d" or cell_len(character) == 0
