"""Reads the keyboard on a thread of its own: keys through Textual's parser, pastes in one piece.

The stock drivers parse a paste letter by letter (a second of CPU a megabyte) and wake up ten times
a second; here the end of a paste is searched for, and the thread sleeps until something comes.
What the first paint has left unread comes first.
"""

import os
import select
import threading
from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

PASTE_BEGINS = "\x1b[200~"
PASTE_ENDS = "\x1b[201~"
SAME_KEYS = (
    ("\x1b\r", "\x1b[13;3u"),
    ("\x1b,", "\x1b[44;3u"),
    ("\x1b.", "\x1b[46;3u"),
    ("\x1b[27;2;13~", "\x1b[13;2u"),
)
"""How older terminals write Alt+Enter, Alt+comma, Alt+stop and Shift+Enter, which Textual's parser
takes for something else, and how newer ones do."""
ESCAPE_SECONDS = 0.05
"""How long after a lone Esc the rest of an escape sequence may still come."""


class KeyStream:
    """Decoded input → events. No I/O."""

    def __init__(self) -> None:
        self._parser = XTermParser()
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._pasted: str | None = None

    def feed(self, data: bytes) -> Iterable[Message]:
        text = self._decode(data)
        while text:
            if self._pasted is not None:
                seen = max(0, len(self._pasted) - len(PASTE_ENDS))
                self._pasted += text
                end = self._pasted.find(PASTE_ENDS, seen)
                if end < 0:
                    return
                whole, text = self._pasted[:end], self._pasted[end + len(PASTE_ENDS) :]
                self._pasted = None
                yield events.Paste(whole.replace("\x00", ""))
                continue
            begin = text.find(PASTE_BEGINS)
            typed = text if begin < 0 else text[:begin]
            for written, meant in SAME_KEYS:
                typed = typed.replace(written, meant)
            if typed:
                yield from self._parser.feed(typed)
            if begin < 0:
                return
            self._pasted = ""
            text = text[begin + len(PASTE_BEGINS) :]

    def tick(self) -> Iterable[Message]:
        """Nothing came for a while: a lone Esc was the key."""
        if self._parser._timeout_time is not None:
            self._parser._timeout_time = 0.0
        return self._parser.tick()


if TYPE_CHECKING:
    from textual.driver import Driver as _Driver
else:
    _Driver = object


class KeyReader(_Driver):
    """Mixed into a Linux driver before it; replaces its input thread."""

    fileno: int
    exit_event: threading.Event
    early_input: bytes = b""
    """To be taken as typed before anything is read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wake_reader, self._wake_writer = os.pipe()
        self.may_read = threading.Event()
        """Set once the first paint has let go of the keyboard."""

    def run_input_thread(self) -> None:
        self.may_read.wait()
        keys = KeyStream()
        early, self.early_input = self.early_input, b""
        self._pass_on(keys.feed(early))
        waits_for_more = bool(early)
        while True:  # until woken: a byte left behind would end the next thread at its beginning
            timeout = ESCAPE_SECONDS if waits_for_more else None
            ready, _, _ = select.select([self.fileno, self._wake_reader], [], [], timeout)
            if self._wake_reader in ready:
                os.read(self._wake_reader, 1)
                return
            if not ready:
                self._pass_on(keys.tick())
                waits_for_more = False
                continue
            try:
                data = os.read(self.fileno, 65536)
            except OSError:
                data = b""
            if not data:
                self._terminal_is_gone()
                return
            self._pass_on(keys.feed(data))
            waits_for_more = True

    def disable_input(self) -> None:
        if not self.exit_event.is_set():
            os.write(self._wake_writer, b"x")
        self.may_read.set()
        super().disable_input()  # type: ignore[safe-super]  # the driver mixed in has it

    def _pass_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, events.CursorPosition):
                self.cursor_origin = (message.x, message.y)
                self.cursor_told(message.y)
            else:
                self.process_message(message)

    def cursor_told(self, row: int) -> None:
        """The terminal says in which of its rows, from 0, the cursor stands."""

    def _terminal_is_gone(self) -> None:
        """Nobody can read or write any more: leave, without asking."""
        self._loop.call_soon_threadsafe(self._app.exit)
