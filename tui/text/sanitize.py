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


def expand_tabs(line: str) -> str:
    """Tabs as spaces up to the next tab stop; wide characters count as one column."""
    return line.expandtabs(TAB_CELLS) if "\t" in line else line
