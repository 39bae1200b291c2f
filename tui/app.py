"""The application: joins store, link, screen and terminal; has no features of its own.

Everything that happens becomes events for the store; the store's effects are carried out here or by
the link; the screen draws the state. See `startup` for how a session begins.
"""

import asyncio
import logging
import os
import signal
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textual.strip import Strip

from app_server.protocol.account import AccountLoginCompletedNotification
from app_server.protocol.thread import ThreadResumeParams, ThreadStartParams
from tui.clock import Clock
from tui.errands import Errands
from tui.link import Link
from tui.main import Connect, TuiOptions
from tui.prompts_kept import KeptPrompts
from tui.screens.chat import ChatScreen
from tui.screens.pager import Pager
from tui.state.actions import Action, SendUnsent, TakeUnsentBack
from tui.state.effects import (
    AskToSignIn,
    ClearTranscript,
    CopyText,
    Effect,
    Notify,
    OpenEditor,
    Quit,
    ReturnToComposer,
)
from tui.state.events import Event
from tui.state.model import AppState
from tui.state.select import exit_lines, window_title
from tui.state.store import Store
from tui.terminal.ansi_rows import Row, rows_of
from tui.terminal.first_paint import FirstPaint, HandOver
from tui.terminal.full_driver import full_driver
from tui.terminal.inline_driver import inline_driver
from tui.terminal.notify import title
from tui.terminal.opening_picture import footer_text
from tui.text.palette import coloured
from tui.widgets.drawn import neutral

log = logging.getLogger(__name__)


class CodexApp(Errands):
    """One session in one terminal."""

    CSS_PATH = Path(__file__).parent / "styles" / "app.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        options: TuiOptions,
        connect: Connect,
        first_paint: FirstPaint,
        *,
        clock: Clock | None = None,
    ) -> None:
        driver = (
            full_driver(first_paint)
            if options.full_screen
            else inline_driver(first_paint, park_cursor=options.park_cursor)
        )
        super().__init__(driver_class=driver, ansi_color=True)
        self.options = options
        self.clock = clock or Clock()
        self.palette = coloured(options.code_theme)
        self.remembered_model = first_paint.model
        self.remembered_effort = first_paint.effort
        self.prompts = KeptPrompts(options.codex_home)
        self.thread_cwd: str | None = options.remote_folder if options.remote else options.cwd
        """Where new threads work; None leaves it to the server."""
        self.store = Store(
            AppState(version=options.version, home=os.path.expanduser("~"), demo=options.demo),
            self._changed,
        )
        self.link = Link(self.take, options.version, remote=options.remote)
        self._connect = connect
        self._placeholder = first_paint.placeholder
        self._title = ""
        self._farewell: tuple[str, ...] = ()
        self._problem = ""
        self._awaited_logins: dict[
            str, asyncio.Future[AccountLoginCompletedNotification | None]
        ] = {}
        self._awaited_accounts: list[asyncio.Future[None]] = []

    def run_session(self) -> int:
        """Until the user leaves; the terminal is as it was afterwards."""
        self.run(mouse=self.options.full_screen)
        for line in self._farewell:
            os.write(1, f"{line}\n".encode())
        if self._problem:
            os.write(2, f"codex: {neutral(self._problem)}\n".encode())
        return self.return_code or 0

    def get_default_screen(self) -> ChatScreen:
        return ChatScreen(self.palette, self._placeholder, inline=not self.options.full_screen)

    @property
    def chat(self) -> ChatScreen:
        screen = self.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    def on_mount(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self.quit)
        self.set_title(window_title(self.store.state))

    def taken_over(self, handed_over: HandOver) -> None:
        """The first frame is out: what was typed before it goes on in the composer."""
        if handed_over.text:
            buffer = self.chat.composer.editor.buffer
            buffer.insert(handed_over.text)
            self.chat.composer.editor.refresh(layout=True)

    def on_ready(self) -> None:
        from tui.startup import begin

        self.run_worker(self._stay_linked(), group="link", exit_on_error=True)
        self.run_worker(begin(self), group="startup", exit_on_error=True)

    async def _stay_linked(self) -> None:
        await self.link.run(self._connect)
        if self.link.never_connected:
            self.fail(self.link.never_connected)

    def start_params(self) -> ThreadStartParams:
        """For a new thread: where it works and what the command line asks for."""
        return ThreadStartParams(
            cwd=self.thread_cwd, config=self._thread_config(), persist_extended_history=True
        )

    def resume_params(self, thread_id: str) -> ThreadResumeParams:
        return ThreadResumeParams(
            thread_id=thread_id, config=self._thread_config(), persist_extended_history=True
        )

    def _thread_config(self) -> dict[str, Any] | None:
        """A server of our own was told when it was started."""
        return dict(self.options.remote_settings) or None if self.options.remote else None

    def reconnect(self, connect: Connect, *, demo: bool) -> None:
        """Another server in the place of the first one, before any thread was opened."""
        self.workers.cancel_group(self, "link")
        self.store.state = AppState(
            version=self.options.version, home=self.store.state.home, demo=demo
        )
        self.link = Link(self.take, self.options.version)
        self.run_worker(self.link.run(connect), group="link", exit_on_error=True)

    # Events in, effects out

    def act(self, *actions: Action) -> None:
        self.store.apply(actions, self.clock.now())

    def take(self, events: list[Event]) -> None:
        """What the link has heard."""
        self.store.apply(events, self.clock.now())

    def _changed(self, before: AppState, now: AppState, effects: tuple[Effect, ...]) -> None:
        if self._exit or not self.is_running:
            return
        self.link.carry_out(effects)
        for effect in effects:
            self._carry_out(effect)
        if now is not before and not self._exit:
            self._tell_of_logins(now)
            self.chat.present(now)
            self._follow(before, now)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case ReturnToComposer(text=text, images=images):
                self.chat.composer.put_back(text, images)
            case OpenEditor(text=text):
                self.edit_externally(text)
            case CopyText(text=text):
                self.copy_text(text)
            case Notify(kind=kind, text=text):
                self.notify_outside(kind, text)
            case ClearTranscript():
                self.chat.transcript_replaced()
            case AskToSignIn(reason=reason):
                self.run_worker(self._sign_in_again(reason), group="sign-in", exclusive=True)
            case Quit():
                self.quit()
            case _:
                pass

    async def _sign_in_again(self, reason: str) -> None:
        """The message that failed goes out again, or back to where it can be changed."""
        from tui.screens.sign_in import sign_in_again

        intro = [reason, "Your message is kept; it goes out once you are signed in."]
        is_signed_in = await sign_in_again(
            self, "Your sign-in no longer works", intro, uncalled=True
        )
        self.act(SendUnsent() if is_signed_in else TakeUnsentBack())

    async def when_signed_in(self, login_id: str) -> AccountLoginCompletedNotification | None:
        """How that sign-in ended, once it has; None when the connection is lost before."""
        ended: asyncio.Future[AccountLoginCompletedNotification | None]
        ended = asyncio.get_running_loop().create_future()
        self._awaited_logins[login_id] = ended
        try:
            self._tell_of_logins(self.store.state)
            return await ended
        finally:
            del self._awaited_logins[login_id]

    async def somebody_signed_in(self) -> None:
        """Wait until somebody is: here, or through another client of the server."""
        known = self._awaited_accounts
        known.append(done := asyncio.get_running_loop().create_future())
        try:
            self._tell_of_logins(self.store.state)
            await done
        finally:
            known.remove(done)

    def _tell_of_logins(self, state: AppState) -> None:
        details = state.account.details
        for account in self._awaited_accounts:
            if details is not None and details.account is not None and not account.done():
                account.set_result(None)
        endings = {one.login_id: one for one in state.account.ended_logins}
        for login_id, waiting in self._awaited_logins.items():
            is_over = login_id in endings or state.connection.status != "ready"
            if is_over and not waiting.done():
                waiting.set_result(endings.get(login_id))

    def _follow(self, before: AppState, now: AppState) -> None:
        """What is outside the screen but follows the state."""
        mark = ""
        thread = now.thread
        if thread is not None and thread.questions:
            mark = "[ ! ] "
        elif thread is not None and thread.running:
            mark = "● "
        self.set_title(mark + window_title(now))
        if now.settings is not before.settings and now.settings.model and not now.demo:
            self.remember_model(now.settings.model, now.settings.effort or "")
        screen = self.screen
        if isinstance(screen, Pager) and self.shows_what_grows and now.thread is not before.thread:
            screen.update_lines()

    # The terminal

    def set_title(self, text: str) -> None:
        if text != self._title and self._driver is not None and not self.is_headless:
            self._title = text
            self.write_terminal(title(text))

    def write_terminal(self, sequence: str) -> None:
        """Escape codes that move nothing."""
        if self._driver is not None and not self.is_headless and sequence:
            self._driver.write(sequence)
            self._driver.flush()

    def opening_footer(self) -> str:
        """What the footer says before the server has said anything."""
        if self.store.state.settings.model:
            return ""
        return footer_text(self.remembered_model, self.remembered_effort, self.options.cwd)

    def quit(self, message: str = "") -> None:
        """Leave: what is on screen stays, the closing lines follow."""
        if self._exit:
            return
        lines = [message] if message else []
        self._farewell = (*lines, *exit_lines(self.store.state))
        driver = self.inline_driver
        if driver is not None:
            kept = self.chat.last_lines()
            said = [Row(line, len(line)) for line in self._farewell]
            blank = [Row("", 0)] if said else []
            driver.farewell = [*self.rows(kept), *blank, *said]
            self._farewell = ()
        self.exit(0)

    def fail(self, problem: str) -> None:
        """Leave before there was a session: only the problem is said, on stderr."""
        self.quit()
        self._problem = problem
        self.exit(return_code=1)

    def rows(self, strips: Iterable[Strip]) -> list[Row]:
        return rows_of(strips, self.console._color_system)

    def _fatal_error(self) -> None:
        """A mistake of ours: say what and how to go on, without anybody's text or keys."""
        log.exception("the interface failed")
        thread = self.store.state.thread
        resume = f" codex resume {thread.id}" if thread is not None and thread.turns else ""
        kept = f" The conversation is stored; go on with:{resume}" if resume else ""
        self._farewell = (
            *(neutral(line) for line in traceback.format_exc().splitlines()),
            f"Codex had to stop, by a mistake of its own.{kept}",
        )
        self._close_messages_no_wait()

    def take_back(self, columns: int, most_rows: int) -> int:
        return self.chat.committer.take_back(columns, most_rows)

    def narrowed(self, columns: int) -> None:
        self.chat.committer.narrowed(columns)

    def keep_all(self) -> None:
        self.chat.committer.keep_all()

    async def _on_resize(self, event: Any) -> None:
        await super()._on_resize(event)
        self.call_next(self.chat.present, self.store.state)
