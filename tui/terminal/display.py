"""An app that can show itself inline: frames go to our painter, with the cursor where one types.

The terminal's own cursor stands on the insertion point of the focused widget after every frame,
as input methods and screen readers need it. `paint_now` shows a change in the same step instead of
at the next tick of Textual's timer. The one place that touches Textual's private members for
painting, along with `inline_driver`.
"""

from typing import Any, TypeVar

from rich.console import RenderableType
from textual import events
from textual._compositor import InlineUpdate
from textual.app import App
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget

from tui.keymap import Keymap
from tui.terminal.ansi_rows import row_of, rows_of
from tui.terminal.first_paint import HandOver
from tui.terminal.full_driver import FullDriver
from tui.terminal.inline_driver import InlineDriver
from tui.terminal.painter import HIDE, SHOW

T = TypeVar("T")


class DisplayApp(App[T]):
    """An app whose frames are painted inline when its driver is an `InlineDriver`.

    Keys are taken at once and in order: Textual's own way sends letters and bound keys through
    different queues, so that what is typed fast, or before the program was ready, gets mixed up.
    From the focused widget upwards each may take the key (`take_key`), else its contexts
    (`KEY_CONTEXTS`) say which action it is.
    """

    INLINE_PADDING = 0
    keymap = Keymap()

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self.app_focus = True
        event.stop()
        if isinstance(event, events.Paste):
            take_paste = getattr(self.focused, "take_paste", None)
            if take_paste is not None:
                take_paste(event.text)
            return
        await self._take_key(event)

    async def _take_key(self, event: events.Key) -> None:
        start = self.focused or self.screen
        for node in (start, *start.ancestors):
            take_key = getattr(node, "take_key", None)
            if take_key is not None and take_key(event):
                return
            action = self.keymap.action(getattr(node, "KEY_CONTEXTS", ()), event.key)
            if action is not None:
                await self.run_action(action, node)
                return

    @property
    def inline_driver(self) -> InlineDriver | None:
        driver = self._driver
        return driver if isinstance(driver, InlineDriver) else None

    @property
    def can_paint(self) -> bool:
        """False while the terminal is being resized: what is shown now would be torn."""
        driver = self.inline_driver
        return driver is None or driver.can_paint(self.size)

    def commit_strips(self, strips: list[Any]) -> None:
        """Write lines above the region with the next frame. Inline only."""
        driver = self.inline_driver
        if driver is not None:
            driver.painter.commit(rows_of(strips, self.console._color_system))

    def take_back(self, columns: int, most_rows: int) -> int:
        """Give up committed lines so that the next frame lays them out anew; how many rows of a
        terminal that was never narrower than `columns` they are. None here."""
        return 0

    def narrowed(self, columns: int) -> None:
        """The terminal is, or was for a while, this wide."""

    def keep_all(self) -> None:
        """What is committed so far can no longer be given up."""

    def paint_now(self, widget: Widget) -> None:
        """Show `widget` as it is now, without waiting for the timer; its size is unchanged."""
        screen = self.screen
        if not self._running or widget.screen is not screen or screen._layout_required:
            widget.refresh()
            return
        widget._set_dirty()
        screen._compositor.update_widgets({widget})
        screen._compositor_refresh()

    def lay_out_now(self) -> None:
        """Lay the current screen out and show it, without waiting for the timer."""
        screen = self.screen
        if not self._running or not self.can_paint:
            return
        for widget in (screen, *screen.walk_children(Widget)):
            widget._clear_arrangement_cache()
            if widget._layout_required:
                widget._layout_required = False
                widget._layout_updates += 1
            if widget._repaint_required and widget.is_mounted:
                widget._repaint_required = False
                widget._set_dirty()
                screen._dirty_widgets.add(widget)
        screen._refresh_layout()

    def insertion_point(self) -> Offset | None:
        """Where the focused widget types; None where nothing does."""
        focused = self.focused
        offset = getattr(focused, "cursor_screen_offset", None)
        return offset if isinstance(offset, Offset) else None

    def taken_over(self, handed_over: HandOver) -> None:
        """The first paint has let go; what was typed there belongs into the composer."""

    def _take_over(self) -> bool:
        """Before the first frame: end the first paint, and draw again with what was typed."""
        driver = self._driver
        if not isinstance(driver, InlineDriver | FullDriver):
            return False
        handed_over = driver.take_over()
        if handed_over is None:
            return False
        self.taken_over(handed_over)
        self.screen.refresh(layout=True)
        self.call_next(self.lay_out_now)
        return True

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self._running and not self.is_headless and self._take_over():
            return
        driver = self.inline_driver
        point = self.insertion_point()
        if driver is None or not isinstance(renderable, InlineUpdate):
            if self.is_headless or self._driver is None or not self._running:
                super()._display(screen, renderable)
                return
            if point is not None:
                self.cursor_position = point
            self._driver.write(HIDE)
            super()._display(screen, renderable)
            if point is not None:
                self._driver.write(SHOW)
            return
        if not self._running or self._closed or self._batch_count:
            return
        if not driver.can_paint(self.size):
            return
        colors = self.console._color_system
        rows = [row_of(strip, colors) for strip in renderable.strips]
        cursor = None
        if point is not None:
            cursor = (
                min(max(point.x, 0), self.size.width - 1),
                min(max(point.y, 0), max(0, len(rows) - 1)),
            )
        driver.paint(rows, cursor)
        self._previous_cursor_position = Offset(0, 0)
