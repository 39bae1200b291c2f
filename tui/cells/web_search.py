"""Searches of the web: for what, on which page."""

from rich.segment import Segment

from app_server.protocol.item import (
    FindInPageWebSearchAction,
    OpenPageWebSearchAction,
    SearchWebSearchAction,
)
from tui.cells.canvas import Canvas, words
from tui.state.cells import WebSearchCell
from tui.text.links import linked
from tui.text.spans import Spans


def draw_web_search(cell: WebSearchCell, canvas: Canvas) -> list[Spans]:
    palette = canvas.palette
    if not cell.complete:
        title = [Segment("Searching the web", palette.strong)]
        if cell.query:
            title.append(words(f" {cell.query}"))
        return canvas.titled(title, style=palette.running)
    return canvas.titled([Segment("Searched ", palette.strong), *_subject(cell, canvas)])


def _subject(cell: WebSearchCell, canvas: Canvas) -> Spans:
    link = canvas.palette.link
    match cell.action:
        case SearchWebSearchAction(query=query, queries=queries):
            return [words(query or ", ".join(queries or []) or cell.query)]
        case OpenPageWebSearchAction(url=url) if url:
            return [words(url, linked(link, url))]
        case FindInPageWebSearchAction(pattern=pattern, url=url):
            found = [words(f"'{pattern or ''}'")]
            return [*found, Segment(" in "), words(url, linked(link, url))] if url else found
        case _:
            return [words(cell.query or "the web")]
