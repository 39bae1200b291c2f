"""The inside of a paragraph: emphasis, code, links, as runs of styled text.

A line end in the source is a line end on the screen. Links show as `label (url)`; where label and
address are the same, once.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from tui.text.links import find_urls, linked
from tui.text.palette import Palette
from tui.text.sanitize import clean, clean_line
from tui.text.spans import Spans, text_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST_INLINE_CHARS = 20_000
"""A paragraph beyond this is shown as it was written."""
DEEPEST = 40
"""Blocks nested deeper are shown as they were written; the parser would drop them."""


@lru_cache(maxsize=1)
def parser() -> "MarkdownIt":
    """The parser of blocks, made at first use: markdown-it costs about 80 ms."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    made.enable(["table", "strikethrough"]).disable("reference")
    made.core.ruler.enableOnly(["normalize", "block"])
    return made


def draw_inline(token: "Token", palette: Palette, base: Style) -> list[Spans]:
    """The logical lines of an inline token, not wrapped yet."""
    if len(token.content) > LONGEST_INLINE_CHARS:
        return [[Segment(row, base or None)] for row in clean(token.content).split("\n")]
    children: list[Token] = []
    parser().inline.parse(token.content, parser(), {}, children)
    writer = _Writer(palette, base)
    for child in children:
        writer.write(child)
    return writer.lines


class _Writer:
    """Collects runs while styles open and close."""

    def __init__(self, palette: Palette, base: Style) -> None:
        self.lines: list[Spans] = [[]]
        self._palette = palette
        self._styles = [base]
        self._links: list[tuple[str, int, int]] = []

    def write(self, token: "Token") -> None:
        palette = self._palette
        match token.type:
            case "text":
                self._text(token.content)
            case "code_inline":
                self._add(token.content, self._styles[-1] + palette.code)
            case "softbreak" | "hardbreak":
                self.lines.append([])
            case "em_open":
                self._styles.append(self._styles[-1] + palette.emphasis)
            case "strong_open":
                self._styles.append(self._styles[-1] + palette.strong)
            case "s_open":
                self._styles.append(self._styles[-1] + palette.struck)
            case "em_close" | "strong_close" | "s_close":
                self._styles.pop()
            case "link_open":
                self._open_link(str(token.attrGet("href") or ""))
            case "link_close":
                self._close_link()
            case "image":
                self._image(token)
            case _:
                self._text(token.content)

    def _text(self, text: str) -> None:
        style = self._styles[-1]
        if self._links:
            self._add(text, style)
            return
        at = 0
        for start, end in find_urls(text):
            self._add(text[at:start], style)
            url = text[start:end]
            self._add(url, linked(style + self._palette.link, url))
            at = end
        self._add(text[at:], style)

    def _add(self, text: str, style: Style) -> None:
        if text:
            self.lines[-1].append(Segment(clean_line(text), style or None))

    def _open_link(self, href: str) -> None:
        self._links.append((href, len(self.lines), len(self.lines[-1])))

    def _close_link(self) -> None:
        href, rows, at = self._links.pop()
        label = text_of(self.lines[-1][at:]) if rows == len(self.lines) else ""
        style = linked(self._styles[-1] + self._palette.link, href)
        if label == href or f"mailto:{label}" == href or _same_address(label, href):
            self.lines[-1][at:] = [Segment(clean_line(label), style)]
            return
        if href:
            self._add(" (", self._styles[-1])
            self._add(href, style)
            self._add(")", self._styles[-1])

    def _image(self, token: "Token") -> None:
        source = str(token.attrGet("src") or "")
        self._add(token.content or "image", self._styles[-1] + self._palette.emphasis)
        if source:
            self._add(" (", self._styles[-1])
            self._add(source, linked(self._styles[-1] + self._palette.link, source))
            self._add(")", self._styles[-1])


def _same_address(label: str, href: str) -> bool:
    """Autolinks come back percent-encoded; what was written is what one wants to see."""
    from urllib.parse import unquote

    return bool(label) and unquote(href) == unquote(label)
