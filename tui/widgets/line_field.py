"""One line being written inside a panel, with the composer's own editing keys.

Holds text and cursor and says which part of it is seen; how it is framed is the panel's business.
"""

from rich.cells import cell_len
from textual import events

from tui.keymap import Keymap
from tui.widgets.composer.buffer import Buffer
from tui.widgets.drawn import neutral

_EDITS = frozenset({
    "left", "right", "word_left", "word_right", "line_start", "line_end", "backspace", "delete",
    "delete_word_left", "delete_word_right", "kill_to_start", "kill_to_end", "yank", "undo",
})  # fmt: skip


class LineField:
    """What is being written; `secret` text is shown as dots."""

    def __init__(self, text: str = "", *, secret: bool = False) -> None:
        self._buffer = Buffer(text)
        self._secret = secret

    @property
    def text(self) -> str:
        return self._buffer.text

    def take_key(self, event: events.Key, keymap: Keymap) -> bool:
        """Whether the key has changed the text or moved the cursor."""
        action = keymap.action(("editor",), event.key)
        if action in _EDITS:
            getattr(self._buffer, action)()
            return True
        character = event.character
        if not event.is_printable or character is None or event.key.startswith("alt+"):
            return False
        self._buffer.insert(character)
        return True

    def insert(self, text: str) -> None:
        """Put `text` at the cursor, as one line."""
        self._buffer.insert(" ".join(text.split()))

    def visible(self, room: int) -> tuple[str, int]:
        """What is seen of it in `room` cells, and the cell the cursor stands on in there."""
        text = self._buffer.text
        shown = "•" * len(text) if self._secret else neutral(text)
        cursor = self._buffer.cursor
        start = 0
        while cell_len(shown[start:cursor]) >= max(1, room):
            start += 1
        end = len(shown)
        while cell_len(shown[start:end]) > room:
            end -= 1
        return shown[start:end], cell_len(shown[start:cursor])
