"""A session with a scripted server in a headless terminal, for pilot tests.

Clock, version, folder and placeholder are frozen, and nothing else is asked on this machine. Waits
end with the event they wait for and are bounded; `Session.text` is the screen as a person reads it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.app import ScreenStackError
from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from tests.tui.scripted import ScriptedServer
from tui.app import CodexApp
from tui.clock import FrozenClock
from tui.main import TuiOptions
from tui.terminal.first_paint import FirstPaint, HeaderFacts
from tui.terminal.opening_picture import PLACEHOLDERS

WAIT_SECONDS = 60.0
"""A bound, not an expectation: what has not happened by then on a busy machine never will."""
READ_SECONDS = 15.0
"""For what a scene has not waited for itself; less, as a screen that was changed waits in vain."""
QUIET_ROUNDS = 20
"""Of the event loop: one message may lead to the next a few rounds later."""
MOST_ROUNDS = 10_000
SNAPSHOTS = Path(__file__).parents[3] / "snapshots" / "screens"


class Session:
    """What a test holds: the app, its pilot, the server it talks to."""

    def __init__(self, app: CodexApp, pilot: Pilot[Any], server: ScriptedServer) -> None:
        self.app = app
        self.pilot = pilot
        self.server = server

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def draft(self) -> str:
        return self.app.chat.composer.text

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something is true; fails with the screen."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not holds():
                    await self.pause()
        except TimeoutError:
            raise AssertionError(f"it never came true; the screen shows:\n{self.text}") from None
        await self.settle()

    async def pause(self) -> None:
        """Let the app go on a little."""
        with contextlib.suppress(ScreenStackError):  # it has ended meanwhile
            await self.pilot.pause()

    async def settle(self) -> None:
        """Until every widget has taken what was posted to it, and is drawn.

        Counted in rounds of the event loop, not in time: on a busy machine `Pilot.pause` takes a
        process that does not get to run for one that has nothing to do.
        """
        quiet = 0
        for _ in range(MOST_ROUNDS):
            await asyncio.sleep(0)
            quiet = 0 if any(map(_has_to_do, _all_of(self.app))) else quiet + 1
            if quiet == QUIET_ROUNDS:
                break
        with contextlib.suppress(ScreenStackError):
            self.app.screen._on_timer_update()

    async def see(self, words: str) -> None:
        await self.until(lambda: words in self.text)

    async def reads(self, scene: str, config: pytest.Config) -> None:
        """Wait until the screen is the one recorded; with --snapshot-update, record this one."""
        await self.pause()
        await self.settle()
        if config.getoption("update_snapshots", default=False):
            record(scene, as_recorded(self.text))
        with contextlib.suppress(TimeoutError):  # told below, by what differs
            async with asyncio.timeout(READ_SECONDS):
                while as_recorded(self.text) != recorded(scene):
                    await self.pause()
        shown = as_recorded(self.text)
        assert shown == recorded(scene), f"{scene} (make snap records anew) is:\n{shown}"

    async def say(self, text: str) -> None:
        """Type and send."""
        await self.type(text)
        await self.press("enter")

    async def type(self, text: str) -> None:
        """All at once, as fast fingers or another program would."""
        for letter in text:
            self.app.post_message(events.Key(_character_to_key(letter), letter))
        await self.pause()
        await self.settle()

    async def open(self) -> None:
        """Wait until a thread is open, and what is asked at the start is known."""

        def is_open() -> bool:
            state = self.app.store.state
            knows_account = state.account.details or not self.server.knows_account.is_set()
            return bool(state.thread and state.models and knows_account)

        await self.until(is_open)
        await self.settle()

    async def idle(self) -> None:
        """Wait until no turn runs."""
        await self.until(lambda: (thread := self.app.store.state.thread) and not thread.running)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    def later(self, seconds: float) -> None:
        """Let time go by."""
        clock = self.app.clock
        assert isinstance(clock, FrozenClock)
        clock.go_on(seconds)

    def requests(self, method: str) -> list[Any]:
        return [params for name, params in self.server.seen if name == method]


def make_app(codex_home: str, server: ScriptedServer, **options: Any) -> CodexApp:
    """An app that nobody has painted for."""
    chosen: dict[str, Any] = {
        "version": "1.2.3",
        "cwd": server.cwd,
        "codex_home": codex_home,
        "full_screen": True,
        **options,
    }
    painted = FirstPaint(HeaderFacts(version="1.2.3", cwd=server.cwd, codex_home=codex_home))
    painted.placeholder = PLACEHOLDERS[0]
    return CodexApp(TuiOptions(**chosen), server.connect, painted, clock=FrozenClock())


@contextlib.asynccontextmanager
async def session(
    codex_home: Path,
    server: ScriptedServer | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    opened: bool = True,
    **options: Any,
) -> AsyncIterator[Session]:
    """A session in a terminal of `size`, by default with its thread open."""
    server = server or ScriptedServer()
    app = make_app(str(codex_home), server, **options)
    async with app.run_test(size=size) as pilot:
        one = Session(app, pilot, server)
        if opened:
            await one.open()
        yield one


def screen_text(app: CodexApp) -> str:
    """The visible rows, trailing blanks trimmed."""
    screen = app.screen
    strips = screen._compositor.render_strips(app.size)
    return "\n".join(strip.text.rstrip() for strip in strips)


def _all_of(app: CodexApp) -> list[MessagePump]:
    return [
        app,
        *(one for screen in app.screen_stack for one in screen.walk_children(with_self=True)),
    ]


def _has_to_do(one: MessagePump) -> bool:
    return one.is_running and not one._message_queue.empty()


def as_recorded(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n")) + "\n"


def recorded(scene: str) -> str:
    path = SNAPSHOTS / f"{scene}.txt"
    return path.read_text() if path.exists() else "(not recorded yet)"


def record(scene: str, text: str) -> None:
    path = SNAPSHOTS / f"{scene}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
