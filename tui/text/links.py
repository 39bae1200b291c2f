"""Addresses one can open: which are safe to link, and where they stand in plain text."""

import re
from urllib.parse import quote

from rich.style import Style

_URL = re.compile(r"(?:https?|file)://[^\s<>\"'`\x00-\x20\x7f-\xa0]+", re.IGNORECASE)
_SCHEMES = ("http://", "https://", "file://", "mailto:")
_TRAILING = ".,;:!?"
_CLOSING = {")": "(", "]": "[", "}": "{"}
_LONGEST_LINK = 2_000


def linked(style: Style, url: str) -> Style:
    """The style as a hyperlink of the terminal's, where the address is one we would open."""
    target = safe_target(url)
    return style if target is None else style + Style(link=target)


def safe_target(url: str) -> str | None:
    """The address as printable ASCII, or None if it is of a kind we do not link."""
    if not url.lower().startswith(_SCHEMES) or len(url) > _LONGEST_LINK:
        return None
    return quote(url, safe="%:/?#[]@!$&'()*+,;=~-._")


def find_urls(text: str) -> list[tuple[int, int]]:
    """Where bare addresses stand, closing punctuation left out."""
    if "://" not in text:
        return []
    return [
        (match.start(), match.start() + _length(match.group())) for match in _URL.finditer(text)
    ]


def _length(url: str) -> int:
    end = len(url)
    while end:
        last = url[end - 1]
        opening = _CLOSING.get(last)
        if last in _TRAILING or (opening and url.count(opening, 0, end) < url.count(last, 0, end)):
            end -= 1
        else:
            break
    return end
