"""Makes any text safe to show: nothing in it can move the cursor, colour, hide or reorder.

Everything that comes from models, commands, files or servers passes through here (or through
`ansi`, which keeps colours) before it is drawn. Control characters become visible marks, so that a
reader sees that something was there; line ends and tabs keep their meaning.
"""

import re

TAB_CELLS = 4

_VISIBLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "␡",
    **dict.fromkeys(range(128, 160), "�"),
    **dict.fromkeys((*range(8234, 8239), *range(8294, 8298)), "�"),
    **dict.fromkeys((8206, 8207, 1564, 65279, 173), ""),
    0x2028: " ",
    0x2029: " ",
    **dict.fromkeys(range(55296, 57344), "�"),
    **dict.fromkeys(range(917504, 917632), "�"),
    **dict.fromkeys(range(65529, 65532), "�"),
}
del _VISIBLE[0x0A]

_UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)

_PICTURE = "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_STRAY_JOINER = re.compile(
    f"(?:^|(?<=[^{_PICTURE}]))[\u200d\ufe0f]+"  # after something that is no picture
    f"|\u200d+(?![{_PICTURE}])"  # before something that is none
)
"""Joiners that join no pictures: what follows them would be measured as nothing."""


def clean(text: str) -> str:
    """The text with line feeds as its only control character; tabs become spaces."""
    if text.isascii() and text.isprintable():
        return text
    if "\u200d" in text or "\ufe0f" in text:
        text = _STRAY_JOINER.sub("", text)
    if _UNSAFE.search(text) is None:
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\t" in text:
        text = "\n".join(expand_tabs(line) for line in text.split("\n"))
    return text.translate(_VISIBLE)


def clean_line(text: str) -> str:
    """The same on one line: line ends become visible marks, for names and titles."""
    return clean(text).replace("\n", "␊")


_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u2800\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U0010ffff]"
)
"""What is not seen, looks like an ordinary space, or changes the order of what is seen."""

MARK = re.compile("⟨U\\+[0-9A-F]{4,6}⟩")


def marked(text: str) -> str:
    """The same for text that somebody agrees to: what cannot be seen is told by its number.

    Line feeds, tabs and what joins pictures stay what they are; nothing is left out.
    """
    if text.isascii() and text.isprintable():
        return text
    return clean(_HIDDEN.sub(_number, text))


def marked_line(text: str) -> str:
    """The same on one line."""
    return marked(text).replace("\n", "␊")


def _number(found: re.Match[str]) -> str:
    hidden, text = found[0], found.string
    if hidden in "\u200d\ufe0f":
        start, end = found.span()
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        joins = _PICTURES.match(before) and (hidden == "\ufe0f" or _PICTURES.match(after))
        if joins:
            return hidden
    return f"⟨U+{ord(hidden):04X}⟩"


_PICTURES = re.compile(f"[{_PICTURE}]")


def expand_tabs(line: str) -> str:
    """Tabs as spaces up to the next tab stop; wide characters count as one column."""
    return line.expandtabs(TAB_CELLS) if "\t" in line else line
