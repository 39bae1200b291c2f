"""Puts the first waiting question on the screen, and takes it away when it is settled.

Approvals and forms are one panel each; questions with choices from the agent are asked one after
another. Knows the chat screen only by what it does with panels.
"""

from typing import TYPE_CHECKING

from textual.widget import Widget

from app_server.protocol.approvals import (
    ToolRequestUserInputAnswer,
    ToolRequestUserInputParams,
    ToolRequestUserInputResponse,
)
from app_server.protocol.shared import RequestId
from tui.state.actions import AnswerUserInput, Interrupt
from tui.state.cells import PatchCell
from tui.state.model import AppState
from tui.state.reduce_questions import waiting_command
from tui.state.select import open_questions
from tui.state.thread import PendingQuestion
from tui.text.palette import Palette
from tui.widgets.pickers.list_picker import Choice, ListPicker
from tui.widgets.questions.approval import Approval
from tui.widgets.questions.choices import ask_for

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

OTHER = "None of these; I will say it in a message"


class QuestionPanel:
    """One per chat screen."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._open: RequestId | None = None
        self._panel: Approval | ListPicker | None = None
        self._answers: dict[str, ToolRequestUserInputAnswer] = {}

    def sync(self, chat: "ChatScreen", state: AppState) -> None:
        """Show what the state says is to be shown."""
        waiting = open_questions(state) if state.focused is not None else ()
        thread, first = waiting[0] if waiting else (None, None)
        if self._open is not None and (first is None or first.id != self._open):
            panel, self._open, self._panel = self._panel, None, None
            if panel is not None and chat.stands(panel):
                chat.close_panel()
        if first is None or thread is None:
            return
        if self._open == first.id:
            if isinstance(self._panel, Approval):
                self._panel.show_waiting(len(waiting) - 1)
            return
        if chat.keeps_panel:
            return
        self._open = first.id
        if isinstance(first.params, ToolRequestUserInputParams):
            self._answers = {}
            self._ask_next(chat, first, first.params)
            return
        cell = waiting_command(thread, first.params)
        ask = ask_for(first, cell, state.settings)
        elsewhere = thread.id != state.focused
        if elsewhere:  # what is written goes to the conversation on screen
            ask = ask._replace(options=tuple(one for one in ask.options if one.keys != "t"))
        self._panel = Approval(
            ask,
            chat.app.clock,
            keymap=chat.app.keymap,
            change=cell if isinstance(cell, PatchCell) else None,
            whose=(thread.name or thread.agent_name or thread.id) if elsewhere else "",
            waiting=len(waiting) - 1,
            palette=self._palette,
        )
        chat.show_panel(self._panel)

    def pushed_aside(self, panel: Widget) -> None:
        """Another panel has come into the place of this one: its question is put again later."""
        if panel is self._panel:
            self._open = self._panel = None

    def open_full_view(self, chat: "ChatScreen", state: AppState) -> None:
        """The whole command or diff in the pager."""
        for thread, question in open_questions(state)[:1]:
            cell = waiting_command(thread, question.params)
            chat.app.open_full_view(ask_for(question, cell, state.settings), cell)

    def _ask_next(
        self, chat: "ChatScreen", question: PendingQuestion, params: ToolRequestUserInputParams
    ) -> None:
        number = len(self._answers)
        if number == len(params.questions):
            response = ToolRequestUserInputResponse(answers=self._answers)
            chat.act(AnswerUserInput(question_id=question.id, response=response))
            return
        asked = params.questions[number]
        choices = [Choice(o.label, o.label, o.description) for o in asked.options or ()]
        choices.append(Choice(OTHER, None))

        def chosen(choice: Choice) -> None:
            given = [] if choice.value is None else [choice.value]
            self._answers[asked.id] = ToolRequestUserInputAnswer(answers=given)
            self._ask_next(chat, question, params)

        self._panel = chat.pick(
            asked.question,
            choices,
            chosen,
            intro=[f"{asked.header} · question {number + 1} of {len(params.questions)}"],
            on_cancelled=lambda: chat.act(Interrupt()),
            uncalled=number == 0,
        )
