"""A screen with one thing at a time below its transcript: the composer, or a panel in its place."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from textual import on
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from tui.text.palette import Palette
from tui.widgets.composer.composer import Composer
from tui.widgets.pickers.list_picker import Choice, ListPicker


class PanelScreen(Screen[None]):
    """`redraw` shows the state again; it is called once a panel has come or gone."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._on_chosen: Callable[[Choice], None] | None = None
        self._on_cancelled: Callable[[], None] | None = None
        self.keeps_panel = False
        """What stands there now is not to be pushed aside: it comes to an end by itself."""

    def redraw(self) -> None:
        raise NotImplementedError

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def panel(self) -> Vertical:
        """Where panels stand; shown only while one does."""
        return self.query_one("#panel", Vertical)

    def show_panel(self, panel: Widget, *, keeps: bool = False) -> None:
        """`panel` in the composer's place; with `keeps`, questions wait until it has closed."""
        self.keeps_panel = keeps
        self.panel.remove_children()
        self.panel.mount(panel)
        self.panel.display = True
        self.composer.display = False
        self.call_after_refresh(self._panel_is_there, panel)

    def _panel_is_there(self, panel: Widget) -> None:
        if panel.is_attached:
            panel.focus()
            self.redraw()

    def close_panel(self) -> None:
        """The composer again; nothing where the screen is gone already, at the end."""
        if not self.is_attached:
            return
        self.panel.remove_children()
        self.panel.display = False
        self.composer.display = True
        self.composer.editor.focus()
        self._on_chosen = self._on_cancelled = None
        self.keeps_panel = False
        self.call_after_refresh(self.redraw)

    @property
    def has_panel(self) -> bool:
        return self.panel.display

    def pick(
        self,
        title: str,
        choices: Sequence[Choice],
        on_chosen: Callable[[Choice], None],
        *,
        intro: Sequence[str] = (),
        searchable: bool = False,
        selected: int | None = None,
        on_cancelled: Callable[[], None] | None = None,
        keeps: bool = False,
        leaving: str = "go back",
    ) -> ListPicker:
        """Let the user choose; `on_chosen` is called once, after the panel has closed.

        `leaving` says what Esc does here.
        """
        picker = ListPicker(
            title,
            choices,
            intro=intro,
            footer=f"enter to choose · esc to {leaving}",
            searchable=searchable,
            palette=self._palette,
        )
        if selected is not None:
            picker.selected = selected
        self.show_panel(picker, keeps=keeps)
        self._on_chosen, self._on_cancelled = on_chosen, on_cancelled
        return picker

    async def choose(
        self,
        title: str,
        choices: Sequence[Choice],
        intro: Sequence[str] = (),
        *,
        searchable: bool = False,
        leaving: str = "go back",
    ) -> Any:
        """The value of one of `choices`, or None; questions wait meanwhile."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def settle(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)

        self.pick(
            title,
            choices,
            lambda choice: settle(choice.value),
            intro=intro,
            searchable=searchable,
            on_cancelled=lambda: settle(None),
            keeps=True,
            leaving=leaving,
        )
        return await answer

    @on(ListPicker.Chosen)
    def _picked(self, event: ListPicker.Chosen) -> None:
        event.stop()
        on_chosen = self._on_chosen
        self.close_panel()
        if on_chosen is not None:
            on_chosen(event.choice)

    @on(ListPicker.Cancelled)
    def _pick_cancelled(self, event: ListPicker.Cancelled) -> None:
        event.stop()
        on_cancelled = self._on_cancelled
        self.close_panel()
        if on_cancelled is not None:
            on_cancelled()
