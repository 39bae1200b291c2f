"""A session with a scripted server in a headless terminal, for pilot tests.

Clock, version, folder and placeholder are frozen. Waits end with the event they wait for and are
bounded; `Session.text` is the screen as a person reads it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from tests.tui.scripted import ScriptedServer
from tui.app import CodexApp
from tui.clock import FrozenClock
from tui.main import TuiOptions
from tui.terminal.first_paint import FirstPaint, HeaderFacts
from tui.terminal.opening_picture import PLACEHOLDERS

WAIT_SECONDS = 5.0
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
                    await self.pilot.pause()
        except TimeoutError:
            raise AssertionError(f"it never came true; the screen shows:\n{self.text}") from None

    async def see(self, words: str) -> None:
        await self.until(lambda: words in self.text)

    async def say(self, text: str) -> None:
        """Type and send."""
        await self.type(text)
        await self.pilot.press("enter")

    async def type(self, text: str) -> None:
        """All at once, as fast fingers or another program would."""
        for letter in text:
            self.app.post_message(events.Key(_character_to_key(letter), letter))
        await self.pilot.pause()

    async def idle(self) -> None:
        """Wait until no turn runs."""
        await self.until(lambda: (thread := self.app.store.state.thread) and not thread.running)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    def later(self, seconds: float) -> None:
        """Let time go by."""
        clock = self.app.clock
        assert isinstance(clock, FrozenClock)
        clock.at += seconds

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
            await one.until(lambda: app.store.state.thread is not None)
            await pilot.pause()
        yield one


def screen_text(app: CodexApp) -> str:
    """The visible rows, trailing blanks trimmed."""
    screen = app.screen
    strips = screen._compositor.render_strips(app.size)
    return "\n".join(strip.text.rstrip() for strip in strips)


def matches_text(scene: str, text: str, config: pytest.Config) -> None:
    """Compare with `snapshots/screens/<scene>.txt`, or write it with --snapshot-update."""
    path = SNAPSHOTS / f"{scene}.txt"
    text = "\n".join(line.rstrip() for line in text.rstrip().split("\n")) + "\n"
    if config.getoption("update_snapshots", default=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"no snapshot {path.name}: run make snap"
    assert text == path.read_text()
