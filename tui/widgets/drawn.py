"""A widget that shows lines somebody else has drawn, as high as they are many."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

BLANK = Strip([])


class Drawn(Widget):
    """Lines as strips; a change of height lays the screen out again, another change does not."""

    DEFAULT_CSS = "Drawn { height: auto; width: 1fr; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Strip] = []

    @property
    def lines(self) -> Sequence[Strip]:
        return self._lines

    def show_lines(self, lines: Sequence[Strip]) -> bool:
        """Show these; returns whether the height has changed."""
        before, self._lines = self._lines, list(lines)
        if len(before) != len(self._lines):
            self.display = bool(self._lines)
            self.refresh(layout=True)
            return True
        if before != self._lines:
            self.refresh()
        return False

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        lines = self._lines
        width = self.size.width
        return lines[y].adjust_cell_length(width) if y < len(lines) else Strip.blank(width)


def styled(*parts: tuple[str, Style]) -> Strip:
    """One line of text in styles; the text must hold no control characters."""
    return Strip([Segment(text, style) for text, style in parts if text])


def cut(strip: Strip, width: int) -> Strip:
    """`strip` no wider than `width`, with a mark where something is missing."""
    if strip.cell_length <= width:
        return strip
    if width <= 0:
        return BLANK
    last = next((s.style for s in reversed(list(strip)) if s.style is not None), None)
    return Strip([*strip.crop(0, width - 1), Segment("…", last)])


def cut_text(text: str, width: int) -> str:
    """`text` no wider than `width` cells, with a mark where something is missing."""
    if cell_len(text) <= width:
        return text
    kept = ""
    for character in text:
        if cell_len(kept + character) > width - 1:
            break
        kept += character
    return kept + "…" if width > 0 else ""


def elide_middle(text: str, width: int) -> str:
    """`text` no wider than `width`, the middle left out: paths keep their ends."""
    if len(text) <= width:
        return text
    if width < 3:
        return text[:width]
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def neutral(text: str) -> str:
    """`text` without control characters, for labels made of names somebody else chose."""
    return "".join(
        character if character.isprintable() else " " if character in "\t\n\r" else "�"
        for character in text
    )
