"""What keys, commands and effects ask of the application around the conversation.

Mixed into the app: overlays, the clipboard, the external editor, notes outside the window, files to
suggest, messages to remember. Each is a few lines that join a screen, the link and the terminal.
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from textual.strip import Strip

from app_server.protocol.collaboration import COLLABORATION_MODE_LIST, CollaborationModeListParams
from app_server.protocol.errors import RpcError
from app_server.protocol.file_search import FUZZY_FILE_SEARCH, FuzzyFileSearchParams
from tui.cells.draw import draw
from tui.clock import Clock
from tui.link import Link
from tui.main import TuiOptions
from tui.preferences import NotifyKind, Preferences
from tui.prompts_kept import KeptPrompts
from tui.screens.pager import Lines, Pager
from tui.state.actions import Action, CopyLastAnswer, RollBack, Say, SetModel, SetPlanMode
from tui.state.cells import AnyCell, CommandCell, NoticeLevel, PatchCell, UserMessageCell
from tui.state.select import live_cells, running_terminals
from tui.state.store import Store
from tui.terminal.clipboard import copy_with_program, osc52
from tui.terminal.display import DisplayApp
from tui.terminal.external_editor import NoEditor, edit, editor_command
from tui.terminal.last_used import remember
from tui.terminal.notify import notification
from tui.text.palette import Palette
from tui.text.sanitize import marked
from tui.widgets.composer.slash_popup import Suggestion
from tui.widgets.pickers.list_picker import Choice
from tui.widgets.questions.choices import Ask

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen
    from tui.widgets.composer.composer import Composer

FILES_OFFERED = 50
GONE = "This command has ended; its end is in the conversation."


class Errands(DisplayApp[int]):
    """What `CodexApp` adds its life to."""

    options: TuiOptions
    clock: Clock
    palette: Palette
    store: Store
    link: Link
    prompts: KeptPrompts
    _told_of_history = False
    _drawn_in_full: Mapping[tuple[str, int], tuple[AnyCell, list[Strip]]] = MappingProxyType({})
    """Settled cells of the transcript overlay, by id and width."""
    shows_what_grows = False
    """What the pager shows grows with the conversation."""
    preferences = Preferences()

    @property
    def chat(self) -> "ChatScreen":
        """The conversation's screen, below any overlay."""
        raise NotImplementedError

    def act(self, *actions: Action) -> None:
        """Something the user did."""
        raise NotImplementedError

    def write_terminal(self, sequence: str) -> None:
        """Escape codes that move nothing."""
        raise NotImplementedError

    # Overlays

    def open_transcript(self) -> None:
        self.shows_what_grows = True
        self.open_pager("transcript", self._transcript_lines, at_end=True)

    def open_diff(self, changes: PatchCell) -> None:
        self.open_pager("diff", lambda width: draw(changes, width, self.palette, "full"))

    def open_full_view(self, ask: Ask, cell: CommandCell | PatchCell | None) -> None:
        """All of what a question is about."""

        def lines(width: int) -> Sequence[Strip]:
            strips: list[Strip] = []
            if isinstance(cell, PatchCell):
                strips += draw(cell, width, self.palette, "full")
            elif ask.command:
                command = CommandCell(id="", command=ask.command, status="waiting")
                strips += draw(command, width, self.palette, "full")
            if ask.reason:
                strips += [Strip([]), *plain_lines(f"Reason: {marked(ask.reason)}", width)]
            strips += [Strip([]), *plain_lines(marked("\n".join(ask.facts)), width)]
            return strips

        self.open_pager("approval", lines)

    def open_output(self, command_id: str) -> None:
        """What a background command has written so far, growing while one looks."""

        def lines(width: int) -> Sequence[Strip]:
            thread = self.store.state.thread
            running = running_terminals(thread) if thread is not None else ()
            found = next((cell for cell in running if cell.id == command_id), None)
            if found is None:
                return plain_lines(GONE, width)
            return draw(found, width, self.palette, "full", now=self.clock.now())

        self.shows_what_grows = True
        self.open_pager("output", lines, at_end=True)

    def open_pager(self, title: str, lines: Lines, *, at_end: bool = False) -> None:
        driver = self.inline_driver
        if driver is not None:
            driver.enter_alternate()
        pager = Pager(title, lines, self.palette, at_end=at_end)
        self.push_screen(pager, lambda _: self._pager_closed())

    def _pager_closed(self) -> None:
        self.shows_what_grows = False
        self._drawn_in_full = MappingProxyType({})
        driver = self.inline_driver
        if driver is not None:
            driver.leave_alternate()
        self.call_next(self.chat.present, self.store.state)

    def _transcript_lines(self, width: int) -> Sequence[Strip]:
        thread = self.store.state.thread
        if thread is None:
            return ()
        now = self.clock.now()
        kept = self._drawn_in_full
        drawn: dict[tuple[str, int], tuple[AnyCell, list[Strip]]] = {}
        for cell in thread.settled:
            key = (cell.id, width)
            before = kept.get(key)
            if before is None or before[0] is not cell:
                before = (cell, draw(cell, width, self.palette, "full", now=now))
            drawn[key] = before
        self._drawn_in_full = drawn
        blocks = [lines for _, lines in drawn.values()]
        live = live_cells(thread)
        blocks += [draw(cell, width, self.palette, "full", now=now) for cell in live]
        strips: list[Strip] = []
        for lines in blocks:
            if lines:
                strips += [Strip([]), *lines] if strips else lines
        return strips

    # Copying, editing, telling

    def copy_answer(self) -> None:
        self.act(CopyLastAnswer())

    def copy_text(self, text: str) -> None:
        self.write_terminal(osc52(text))
        self.run_worker(copy_with_program(text))

    def action_suspend_process(self) -> None:
        """Ctrl+Z: the shell has the terminal until `fg`; whoever started us stops, too."""
        with self.suspend():
            os.kill(0, signal.SIGTSTP)
        self.chat.present(self.store.state)

    def edit_externally(self, text: str) -> None:
        """The draft in the user's editor; the terminal is theirs meanwhile."""
        try:
            command = editor_command()
            with self.suspend():
                edited = edit(text, command)
        except NoEditor as error:
            self.say("error", str(error))
            return
        self.chat.composer.editor.set_text(edited)
        self.chat.present(self.store.state)

    def say(self, level: NoticeLevel, text: str, details: str = "") -> None:
        self.act(Say(level=level, text=text, details=details))

    def notify_outside(self, kind: NotifyKind, text: str) -> None:
        """Only when the user looks elsewhere, unless the settings want it always."""
        wanted = self.preferences
        if kind not in wanted.notes or (self.app_focus and not wanted.notes_when_focused):
            return
        words = text or ("Codex is done" if kind == "turn-ended" else "Codex has a question")
        program = os.environ.get("TERM_PROGRAM", "")
        self.write_terminal(notification(words, wanted.note_method, program))

    def clear_terminal(self) -> None:
        """Ctrl+L: an empty screen with the composer; the conversation goes on."""
        driver = self.inline_driver
        if driver is not None:
            driver.clear_everything()
        self.screen.refresh(layout=True)

    def clear_everything(self) -> None:
        self.clear_terminal()

    # What is remembered

    def remember_model(self, model: str, effort: str) -> None:
        """For the first paint of the next session in this folder."""
        remember(self.options.codex_home, self.options.cwd, model, effort)

    def remember_message(self, text: str) -> None:
        """For Up in later sessions; not those of the demo."""
        if not self.store.state.demo:
            self.run_worker(self._keep_message(text), group="history")

    async def _keep_message(self, text: str) -> None:
        problem = await self.prompts.keep(self.store.state.focused or "", text)
        if problem and not self._told_of_history:
            self._told_of_history = True
            self.say("warning", problem)

    async def recall_messages(self) -> None:
        """What earlier sessions have kept, within reach of Up."""
        self.chat.composer.history.load(await self.prompts.load())

    # Settings by key

    def cycle_mode(self) -> None:
        """Plan mode on or off; on only where the server has it."""
        if self.store.state.settings.plan_mode:
            self.act(SetPlanMode(on=False))
            self.say("info", "Plan mode is off.")
        else:
            self.run_worker(self._begin_plan_mode(), group="plan-mode", exclusive=True)

    async def _begin_plan_mode(self) -> None:
        try:
            listed = await self.link.request(COLLABORATION_MODE_LIST, CollaborationModeListParams())
        except RpcError as error:
            self.say("warning", f"Plan mode is not on: {error.message}")
            return
        if all(preset.mode != "plan" for preset in listed.data):
            self.say("warning", "Plan mode is not on: this server does not have it yet.")
            return
        self.act(SetPlanMode(on=True))
        self.say("info", "Plan mode: Codex proposes before it acts.")

    def change_reasoning(self, step: int) -> None:
        """One effort down or up, of those the model knows."""
        state = self.store.state
        model = next((m for m in state.models if m.model == state.settings.model), None)
        if model is None or not model.supported_reasoning_efforts:
            return
        efforts = [option.reasoning_effort for option in model.supported_reasoning_efforts]
        current = state.settings.effort or model.default_reasoning_effort
        position = efforts.index(current) if current in efforts else 0
        wanted = efforts[max(0, min(len(efforts) - 1, position + step))]
        if wanted != current:
            self.act(SetModel(model=model.model, effort=wanted))
            self.remember_model(model.model, wanted)

    # The conversation

    def edit_previous(self) -> None:
        """Choose one of the user's messages to change; the conversation goes back to it."""
        thread = self.store.state.thread
        if thread is None:
            return
        messages = [
            cell for cell in thread.settled if isinstance(cell, UserMessageCell) and cell.turn_id
        ]
        choices = [
            Choice(_one_line(cell.text), cell.id) for cell in reversed(messages) if cell.text
        ]
        if not choices:
            return
        self.chat.pick(
            "Go back to before one of your messages, and change it",
            choices,
            lambda choice: self.act(RollBack(cell_id=choice.value)),
            intro=["What was said from there on leaves the conversation; files stay as they are."],
        )

    def nothing_to_resume(self) -> None:
        """The user chose none of the stored conversations: a new one, unless one is open."""
        from tui.startup import open_new

        if self.store.state.focused is None and self.store.state.opening is None:
            open_new(self.chat.app)

    def search_files(self, query: str, composer: "Composer") -> None:
        """Suggestions for `@query`; a later search ends an earlier one."""
        self.run_worker(
            self._find_files(query, composer), group="files", exclusive=True, exit_on_error=False
        )

    async def _find_files(self, query: str, composer: "Composer") -> None:
        if not query:
            composer.offer_files(query, [])
            return
        root = self.store.state.settings.cwd or self.options.cwd
        params = FuzzyFileSearchParams(query=query, roots=[root], cancellation_token="composer")
        try:
            found: Any = await self.link.request(FUZZY_FILE_SEARCH, params)
        except RpcError:
            composer.offer_files(query, [])
            return
        suggestions = [
            Suggestion(one.path, "", tuple(one.indices or ()))
            for one in found.files[:FILES_OFFERED]
            if ".git" not in one.path.split("/")
        ]
        composer.offer_files(query, suggestions)
        await asyncio.sleep(0)


def plain_lines(text: str, width: int) -> list[Strip]:
    """Undecorated lines within the width, control characters made harmless."""
    from rich.segment import Segment

    from tui.text.wrap import wrap
    from tui.widgets.drawn import neutral

    return [
        Strip(row) for line in text.splitlines() for row in wrap([Segment(neutral(line))], width)
    ]


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 70 else text[:69] + "…"
