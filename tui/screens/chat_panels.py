"""What stands in the composer's place during a conversation, and what becomes of its answers.

Questions of the agent, the commands in the background. Panels post messages; here these become
actions for the store or requests.
"""

from typing import Any

from textual import on
from textual.widget import Widget

from tui.commands.terminals import show_terminals, stop_one
from tui.screens.panels import PanelScreen
from tui.state.actions import Action, Say, StopTerminals
from tui.state.cells import NoticeLevel
from tui.state.model import AppState
from tui.state.select import running_terminals
from tui.text.palette import Palette
from tui.widgets.panels.terminals import Terminals
from tui.widgets.questions.approval import Approval
from tui.widgets.questions.question_panel import QuestionPanel


class ChatPanels(PanelScreen):
    """The lower half of the chat screen."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._questions = QuestionPanel(palette)

    # Commands in the background

    def show_panels(self, state: AppState, at: float) -> None:
        """The first open question, and whatever panel follows the state."""
        self._questions.sync(self.app.chat, state)
        thread = state.thread
        for panel in self.panel.query(Terminals):
            panel.show_commands(running_terminals(thread) if thread is not None else (), at)

    @on(Terminals.StopWanted)
    def _stop_wanted(self, event: Terminals.StopWanted) -> None:
        event.stop()
        if event.command is None:
            self.act(StopTerminals())
        else:
            stop_one(self.app.chat, event.command)

    @on(Terminals.OutputWanted)
    def _output_wanted(self, event: Terminals.OutputWanted) -> None:
        event.stop()
        self.app.open_output(event.command.id)

    @on(Terminals.Closed)
    def _terminals_closed(self, event: Terminals.Closed) -> None:
        event.stop()
        self.close_panel()

    def action_background_terminals(self) -> None:
        show_terminals(self.app.chat, "")

    # Questions

    def pushed_aside(self, panel: Widget) -> None:
        self._questions.pushed_aside(panel)

    @on(Approval.Answered)
    def _answered(self, event: Approval.Answered) -> None:
        event.stop()
        self.act(*event.actions)

    @on(Approval.FullViewWanted)
    def _full_view(self, event: Approval.FullViewWanted) -> None:
        event.stop()
        self._questions.open_full_view(self.app.chat, self.app.store.state)

    # What commands may ask for

    def act(self, *actions: Action) -> None:
        self.app.act(*actions)

    def say(self, level: NoticeLevel, text: str, details: str = "") -> None:
        self.act(Say(level=level, text=text, details=details))

    async def request(self, row: Any, params: Any) -> Any:
        return await self.app.link.request(row, params)
