"""Bytes from the keyboard → keys and pastes, in order."""

import itertools
import os
import threading
from queue import Empty, Queue
from typing import Any

import pytest
from textual import events

from tui.terminal.key_reader import KeyReader, KeyStream

BOUND_SECONDS = 10


def read(*chunks: bytes) -> list[str]:
    keys = KeyStream()
    found = list(itertools.chain.from_iterable(keys.feed(chunk) for chunk in chunks))
    found += keys.tick()
    return [
        f"paste:{message.text}" if isinstance(message, events.Paste) else message.key
        for message in found
        if isinstance(message, events.Key | events.Paste)
    ]


def test_letters_and_named_keys() -> None:
    assert read("aé\r\x7f".encode()) == ["a", "é", "enter", "backspace"]
    assert read(b"\x1b[A\x1b[5~\x0a\x1b[13;2u") == ["up", "pageup", "ctrl+j", "shift+enter"]


def test_keys_of_older_terminals_are_understood() -> None:
    assert read(b"\x1b\r\x1b,\x1b.\x1b[27;2;13~") == [
        "alt+enter", "alt+comma", "alt+full_stop", "shift+enter",
    ]  # fmt: skip


def test_a_character_cut_in_two_is_one_key() -> None:
    assert read("é".encode()[:1], "é".encode()[1:]) == ["é"]


def test_a_lone_escape_is_a_key_once_nothing_follows() -> None:
    assert read(b"\x1b") == ["escape"]


def test_a_paste_is_one_event_however_it_is_cut() -> None:
    data = b"a\x1b[200~one\rtwo\x1b[201~b"
    whole = ["a", "paste:one\rtwo", "b"]
    assert read(data) == whole
    for cut in range(8, len(data)):
        assert read(data[:cut], data[cut:]) == whole


def test_escape_codes_inside_a_paste_are_text() -> None:
    assert read(b"\x1b[200~x\x1b[31my\x1b[201~") == ["paste:x\x1b[31my"]


class _Driver:
    """What the reader needs of the driver it is mixed into."""

    def __init__(self, fileno: int) -> None:
        self.fileno = fileno
        self.exit_event = threading.Event()
        self.thread: threading.Thread | None = None

    def disable_input(self) -> None:
        assert self.thread is not None
        self.exit_event.set()
        self.thread.join()
        self.exit_event.clear()


class _Keyboard(KeyReader, _Driver):
    def __init__(self, fileno: int) -> None:
        super().__init__(fileno)
        self.heard: Queue[Any] = Queue()
        self.may_read.set()

    def begin(self) -> None:
        self.thread = threading.Thread(target=self.run_input_thread, daemon=True)
        self.thread.start()

    def process_message(self, message: Any) -> None:
        self.heard.put(message.key)
        if message.key == "ctrl+z":
            self.exit_event.wait(BOUND_SECONDS)  # who stops the reader finds it at work


def test_a_keyboard_that_was_let_go_in_the_midst_of_a_key_is_read_again_later() -> None:
    theirs, ours = os.pipe()
    keyboard = _Keyboard(theirs)
    for key in (b"\x1a", b"a"):
        keyboard.begin()
        os.write(ours, key)
        try:
            assert keyboard.heard.get(timeout=BOUND_SECONDS) == (
                "ctrl+z" if key == b"\x1a" else "a"
            )
        except Empty:
            pytest.fail("nobody reads the keyboard any more")
        keyboard.disable_input()
    for end in (theirs, ours):
        os.close(end)
