"""The conversation: transcript, what runs, what waits, the composer or a panel in its place.

`present` draws a state: the one way anything gets on the screen. Widgets post messages; here they
become actions for the store. Which face is on is known by `widgets/transcript` and by this file's
two transcript lines only.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.strip import Strip

from tui.cells.commit import Committer
from tui.cells.draw import draw
from tui.commands.slash import COMMANDS, SlashCommand, find_command, suggestions
from tui.screens.chat_panels import ChatPanels
from tui.state.actions import (
    Interrupt,
    PullQueued,
    Queued,
    ShellSubmitted,
    UserSubmitted,
)
from tui.state.cells import SessionHeaderCell
from tui.state.model import AppState
from tui.state.reduce_turns import ended_with_the_program
from tui.text.palette import Palette
from tui.widgets.bottom.footer import Footer
from tui.widgets.bottom.queued_input import QueuedInput
from tui.widgets.bottom.status_line import TURN_SECONDS, StatusLine
from tui.widgets.composer.composer import Composer
from tui.widgets.composer.slash_popup import Suggestion
from tui.widgets.drawn import BLANK, Drawn, styled
from tui.widgets.panels.terminals import Terminals
from tui.widgets.transcript.live_tail import LiveTail
from tui.widgets.transcript.transcript import Transcript

if TYPE_CHECKING:
    from tui.app import CodexApp

HINT_SECONDS = 1.0
"""How long the first of two key presses counts."""
WENT_BACK = "↩ Went back. The message in the composer, and what came after it, no longer count."
MAX_DRAFT_ROWS_SHARE = 0.5


class ChatScreen(ChatPanels):
    """Transcript above, one thing at a time below."""

    KEY_CONTEXTS = ("chat", "global")
    AUTO_FOCUS = "#editor"

    app: "CodexApp"

    def __init__(self, palette: Palette, placeholder: str, *, inline: bool) -> None:
        super().__init__(palette)
        self._placeholder = placeholder
        self._inline = inline
        self.committer = Committer()
        self._armed: tuple[str, float] | None = None
        """The first of two key presses, and until when it counts."""
        self._focused_thread: str | None = None

    def compose(self) -> ComposeResult:
        if self._inline:
            yield LiveTail(self._palette)
        else:
            yield Transcript(self._palette)
        yield QueuedInput(self._palette)
        yield StatusLine(self._palette)
        yield Vertical(id="panel")
        yield Composer(self._placeholder, self._suggest_commands, self._palette)
        yield Footer(self._palette)

    def on_mount(self) -> None:
        self._composer = self.query_one(Composer)
        self._footer = self.query_one(Footer)
        self._status = self.query_one(StatusLine)
        self._queued = self.query_one(QueuedInput)
        self.panel.display = False
        self._ticker = self.set_interval(TURN_SECONDS, self._tick, pause=True)
        self._fit_editor()
        self.present(self.app.store.state)

    @property
    def state(self) -> AppState:
        return self.app.store.state

    # Drawing

    def present(self, state: AppState) -> None:
        """Draw `state`, now; what cannot be painted at the moment is drawn later in full."""
        app = self.app
        if not self.is_mounted or not app.can_paint:
            return
        width, at = app.size.width, app.clock.now()
        self._status.show_status(state, at, width)
        self._queued.show_waiting(state.thread, width)
        self._show_footer(state)
        self.show_panels(state, at)
        self._show_transcript(state, at)
        thread = state.thread
        busy = thread is not None and (thread.running or bool(self.panel.query(Terminals)))
        (self._ticker.resume if busy else self._ticker.pause)()
        if self.is_current:
            app.lay_out_now()

    def _show_transcript(self, state: AppState, at: float) -> None:
        app = self.app
        width, height = app.size
        thread = state.thread
        if not self._inline:
            cells = (*thread.settled, *thread.live) if thread else (self._opening(state),)
            epoch = (thread.id, thread.epoch) if thread else None
            self.query_one(Transcript).show_cells(cells, epoch, at)
            return
        tail = self.query_one(LiveTail)
        room = height - self._bottom_rows() - 1
        if thread is None:
            header = draw(self._opening(state), width, self._palette)
            notices = [
                strip
                for cell in state.notices
                for strip in [BLANK, *draw(cell, width, self._palette)]
            ]
            lines = [*header, *notices]
            tail.show_tail(lines if len(header) <= room else notices, room)
            return
        if app.inline_driver is not None and app.inline_driver.painter.is_alternate:
            return
        if thread.id != self._focused_thread:
            if self._focused_thread is not None:
                app.commit_strips([BLANK])
                self.committer.reset()
            self._focused_thread = thread.id
        frame = self.committer.frame(thread, width, self._palette, at)
        app.commit_strips(frame.commit)
        tail.show_tail(frame.region, room)

    def _opening(self, state: AppState) -> SessionHeaderCell:
        """The card as far as it is known before a thread is open."""
        options = self.app.options
        return SessionHeaderCell(
            id="opening",
            version=options.version,
            model=state.settings.model or self.app.remembered_model,
            effort=state.settings.effort or self.app.remembered_effort or None,
            directory=state.settings.cwd or options.cwd,
            home=state.home,
            demo=state.demo,
        )

    def _show_footer(self, state: AppState) -> None:
        footer = self._footer
        query = self._composer.search_query
        if query is not None:
            footer.hint = f"search: {query}  enter to take it · ctrl + r older · esc to go back"
        elif self._armed is None:
            footer.hint = ""
        footer.has_draft = not self._composer.is_empty
        footer.is_shell_line = self._composer.text.startswith("!")
        footer.show_facts(state, self.app.size, self.app.opening_footer())

    def _bottom_rows(self) -> int:
        """Rows below the transcript."""
        rows = len(self._status.lines) + len(self._queued.lines) + len(self._footer.lines)
        if self.panel.display:
            panels = [panel for panel in self.panel.children if isinstance(panel, Drawn)]
            return rows + sum(len(panel.lines) for panel in panels) + 1
        editor = self._composer.editor
        width = self.app.size.width
        return rows + 1 + editor.rows_at(width) + len(self._composer.popup.lines)

    def _fit_editor(self) -> None:
        rows = self.app.size.height
        self._composer.editor.max_rows = max(1, int((rows - 4) * MAX_DRAFT_ROWS_SHARE) + 1)

    def on_resize(self) -> None:
        self._fit_editor()
        self.present(self.state)

    def transcript_replaced(self) -> None:
        """The conversation went back: what is in the terminal's scrollback stays, with a note."""
        thread = self.state.thread
        if not self._inline or thread is None:
            return
        app = self.app
        self.committer.frame(thread, app.size.width, self._palette, app.clock.now())
        self.committer.keep_all()
        app.commit_strips([BLANK, styled((WENT_BACK, self._palette.dim))])

    def last_lines(self) -> Sequence[Strip]:
        """What is not in the scrollback yet and should be there when the program has ended.

        What still runs ends with the program, and is shown as stopped; at a server elsewhere it
        goes on, and is shown as it is.
        """
        if not self._inline:
            return ()
        thread = self.state.thread
        if thread is None or self.app.options.remote:
            return self.query_one(LiveTail).lines
        ended = ended_with_the_program(thread)
        return self.committer.frame(
            ended, self.app.size.width, self._palette, self.app.clock.now()
        ).commit

    def redraw(self) -> None:
        self.present(self.state)

    def _tick(self) -> None:
        self.present(self.state)

    # What the composer says

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        kind = Queued if event.queued else UserSubmitted
        self.act(kind(text=event.text, images=event.images))

    @on(Composer.ShellLine)
    def _shell_line(self, event: Composer.ShellLine) -> None:
        self.act(ShellSubmitted(command=event.command))

    @on(Composer.CommandGiven)
    def _command_given(self, event: Composer.CommandGiven) -> None:
        command = find_command(event.name)
        if command is not None:
            self._run_command(command, event.arguments)

    def _run_command(self, command: SlashCommand, arguments: str) -> None:
        thread = self.state.thread
        if thread is not None and thread.running and not command.while_running:
            self.say("error", f"/{command.name} has to wait until the running turn has ended.")
            return
        command.run(self, arguments)

    @on(Composer.UnknownCommand)
    def _unknown_command(self, event: Composer.UnknownCommand) -> None:
        self.say("info", f"There is no command /{event.name}. Type / to see those there are.")

    @on(Composer.FilesWanted)
    def _files_wanted(self, event: Composer.FilesWanted) -> None:
        self.app.search_files(event.query, self._composer)

    @on(Composer.EditorWanted)
    def _editor_wanted(self, event: Composer.EditorWanted) -> None:
        self.app.edit_externally(event.text)

    @on(Composer.PasteFailed)
    def _paste_failed(self, event: Composer.PasteFailed) -> None:
        self.say("warning", f"No picture was pasted: {event.reason}.")

    @on(Composer.Remembered)
    def _remembered(self, event: Composer.Remembered) -> None:
        self.app.remember_message(event.text)

    @on(Composer.DraftChanged)
    def _draft_changed(self, event: Composer.DraftChanged) -> None:
        if not event.is_empty:
            self._disarm()
        footer = self._footer
        if self._composer.text == "?":
            self._composer.editor.set_text("")
            footer.shows_shortcuts = not footer.shows_shortcuts
        elif footer.shows_shortcuts and not event.is_empty:
            footer.shows_shortcuts = False
        before = (footer.has_draft, footer.is_shell_line, footer.hint, len(footer.lines))
        self._show_footer(self.state)
        after = (footer.has_draft, footer.is_shell_line, footer.hint, len(footer.lines))
        if before != after:
            self.app.lay_out_now()

    @on(Composer.EndOfInput)
    def _end_of_input(self, event: Composer.EndOfInput) -> None:
        self.app.quit()

    def _suggest_commands(self, typed: str) -> Sequence[Suggestion]:
        return suggestions(COMMANDS, typed)

    # Keys

    def action_interrupt_or_quit(self) -> None:
        """Ctrl+C: the turn, then the draft, then, twice, the program."""
        thread = self.state.thread
        if self._composer.search_query is not None or self._composer.popup.is_open:
            self._composer.escape()
        elif thread is not None and thread.running:
            self.act(Interrupt())
        elif not self._composer.is_empty:
            self._composer.clear_to_history()
        elif self._is_armed("ctrl+c"):
            self.app.quit()
        else:
            self._arm("ctrl+c", "ctrl + c again to quit")

    def action_escape(self) -> None:
        if self._composer.escape():
            self.present(self.state)
            return
        if self._footer.shows_shortcuts:
            self._footer.shows_shortcuts = False
            self.present(self.state)
            return
        thread = self.state.thread
        if thread is not None and thread.running:
            self.act(Interrupt())
        elif self._composer.is_empty and thread is not None and thread.turns:
            if self._is_armed("escape"):
                self._disarm()
                self.app.edit_previous()
            else:
                self._arm("escape", "esc again to edit a previous message")

    def action_pull_queued(self) -> None:
        self.act(PullQueued())

    def action_cycle_mode(self) -> None:
        self.app.cycle_mode()

    def action_reasoning(self, step: int) -> None:
        self.app.change_reasoning(step)

    def action_open_transcript(self) -> None:
        self.app.open_transcript()

    def action_scroll_transcript(self, step: int) -> None:
        if not self._inline:
            transcript = self.query_one(Transcript)
            rows = max(1, transcript.size.height - 2)
            transcript.scroll_to(y=transcript.scroll_offset.y + step * rows, animate=False)

    def action_copy_answer(self) -> None:
        self.app.copy_answer()

    def action_clear_terminal(self) -> None:
        self.app.clear_terminal()

    def action_suspend_process(self) -> None:
        self.app.action_suspend_process()

    def _arm(self, key: str, hint: str) -> None:
        self._armed = (key, self.app.clock.monotonic() + HINT_SECONDS)
        self._footer.hint = hint
        self.set_timer(HINT_SECONDS, self._expire)
        self.present(self.state)

    def _is_armed(self, key: str) -> bool:
        return (
            self._armed is not None
            and self._armed[0] == key
            and self.app.clock.monotonic() <= self._armed[1]
        )

    def _disarm(self) -> None:
        self._armed = None

    def _expire(self) -> None:
        if self._armed is not None and self.app.clock.monotonic() >= self._armed[1] - 0.05:
            self._disarm()
            self.present(self.state)
