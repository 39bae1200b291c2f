"""A screen with one thing at a time below its transcript: the composer, or a panel in its place.

What comes up by itself waits for its turn: it neither takes the place of a panel that somebody is
about to answer, nor the keys that were on their way to the draft.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from tui.text.palette import Palette
from tui.widgets.composer.composer import Composer
from tui.widgets.pickers.list_picker import Choice, ListPicker
from tui.widgets.questions.approval import Approval
from tui.widgets.typed_ahead import TypedAhead

if TYPE_CHECKING:
    from tui.app import CodexApp


class PanelScreen(Screen[None]):
    """`redraw` shows the state again; it is called once a panel has come or gone."""

    app: "CodexApp"

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._on_chosen: Callable[[Choice], None] | None = None
        self._on_cancelled: Callable[[], None] | None = None
        self._standing: Widget | None = None
        self._keeps = False
        self._turns = asyncio.Lock()
        self._is_free = asyncio.Event()
        self._is_free.set()

    def redraw(self) -> None:
        raise NotImplementedError

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def panel(self) -> Vertical:
        """Where panels stand; shown only while one does."""
        return self.query_one("#panel", Vertical)

    @property
    def keeps_panel(self) -> bool:
        """What stands there now, or comes next, is not to be pushed aside: it ends by itself."""
        return self._keeps or self._turns.locked()

    def stands(self, panel: Widget) -> bool:
        return self._standing is panel

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The composer's place for panels that follow each other; the agent's questions wait."""
        try:
            async with self._turns:
                await self.until_free()
                yield
        finally:
            if self.is_attached:
                self.redraw()

    async def until_free(self) -> None:
        """Wait until no panel stands."""
        while self._standing is not None:
            await self._is_free.wait()

    def pushed_aside(self, panel: Widget) -> None:
        """Another one has come into the place of `panel`, which was not answered."""

    def show_panel(self, panel: Widget, *, keeps: bool = False) -> None:
        """`panel` in the composer's place; with `keeps`, questions wait until it has closed."""
        before = self._take_away()
        if before is not None:
            self.pushed_aside(before)
        self._standing, self._keeps = panel, keeps
        self._is_free.clear()
        self.panel.mount(panel)
        self.panel.display = True
        self.composer.display = False
        self.set_focus(panel, scroll_visible=False)
        self.call_after_refresh(self._panel_is_there, panel)

    def _panel_is_there(self, panel: Widget) -> None:
        if panel.is_attached:
            self.redraw()

    def close_panel(self) -> None:
        """The composer again; nothing where the screen is gone already, at the end."""
        if not self.is_attached:
            return
        self._take_away()
        self.panel.display = False
        self.composer.display = True
        self.set_focus(self.composer.editor, scroll_visible=False)
        self._on_chosen = self._on_cancelled = None
        self._is_free.set()
        self.call_after_refresh(self.redraw)

    def _take_away(self) -> Widget | None:
        """What stood there; what was typed before it could be read goes into the draft."""
        panel, self._standing, self._keeps = self._standing, None, False
        self.panel.remove_children()
        if isinstance(panel, Approval | ListPicker):
            self.composer.type_ahead(panel.for_draft(is_empty=self.composer.is_empty))
        return panel

    @property
    def has_panel(self) -> bool:
        return self._standing is not None

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
        uncalled: bool = False,
    ) -> ListPicker:
        """Let the user choose; `on_chosen` is called once, after the panel has closed.

        `leaving` says what Esc does here. `uncalled` says that nobody has asked for the list: it
        may come up while they type.
        """
        picker = ListPicker(
            title,
            choices,
            intro=intro,
            footer=f"enter to choose · esc to {leaving}",
            searchable=searchable,
            palette=self._palette,
            typed_ahead=TypedAhead(self.app.clock) if uncalled else None,
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
        uncalled: bool = False,
    ) -> Any:
        """The value of one of `choices`, or None; questions wait meanwhile."""
        await self.until_free()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def settle(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)

        picker = self.pick(
            title,
            choices,
            lambda choice: settle(choice.value),
            intro=intro,
            searchable=searchable,
            on_cancelled=lambda: settle(None),
            keeps=True,
            leaving=leaving,
            uncalled=uncalled,
        )
        try:
            return await answer
        finally:
            if self.stands(picker):  # whoever asked does not want to know any more
                self.close_panel()

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
