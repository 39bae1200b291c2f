"""Textual's driver for the full-screen face: the stock one, with our keys and on stdout."""

from typing import Any

from textual.drivers.linux_driver import LinuxDriver

from tui.terminal.first_paint import FirstPaint, HandOver, restore_tty
from tui.terminal.inline_driver import terminal_size, terminal_writer
from tui.terminal.key_reader import KeyReader


class FullDriver(KeyReader, LinuxDriver):
    """`first_paint` is set on a subclass by `full_driver`."""

    first_paint: FirstPaint

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file = terminal_writer()

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self.first_paint.tty_before is not None:
            self.attrs_before = self.first_paint.tty_before

    def take_over(self) -> HandOver | None:
        """At the first frame: go on from the raw picture. None when that has been done."""
        if self.may_read.is_set():
            return None
        handed_over = self.first_paint.hand_over()
        self.early_input = handed_over.waiting
        self.may_read.set()
        return handed_over

    def stop_application_mode(self) -> None:
        self.take_over()
        super().stop_application_mode()
        if self.attrs_before is not None:
            restore_tty(self.attrs_before)
        self.first_paint.forget()

    def _enable_mouse_support(self) -> None:
        """Wheel, clicks and drags; not every movement of the mouse."""
        if self._mouse:
            self.write("\x1b[?1000h\x1b[?1002h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write("\x1b[?1006l\x1b[?1002l\x1b[?1000l")

    def _get_terminal_size(self) -> tuple[int, int]:
        return terminal_size()


def full_driver(first_paint: FirstPaint) -> type[FullDriver]:
    """A driver class that goes on where the first paint ends."""
    return type("FullDriver", (FullDriver,), {"first_paint": first_paint})
