"""The one function the command line calls to show a session.

Light to import: Textual comes in inside `run`, after the first paint. `connect` is awaited on the
interface's own loop once the first frame is out and returns the client's end of a channel.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tui.terminal.first_paint import FirstPaint

if TYPE_CHECKING:
    from app_server.rpc.channel import Channel

Connect: TypeAlias = Callable[[], "Awaitable[Channel]"]


class TuiOptions(NamedTuple):
    """What the command line says about the session. Paths absolute."""

    version: str
    cwd: str
    codex_home: str
    prompt: str | None = None
    images: tuple[str, ...] = ()
    full_screen: bool = False
    code_theme: str | None = None
    """Colours of code, by a Pygments style's name; None: the terminal's own."""
    demo: bool = False
    resume_id: str | None = None
    """A thread's id or name."""
    resume_last: bool = False
    resume_pick: bool = False
    """Open the list of threads first."""
    resume_any_folder: bool = False
    remote: bool = False
    """Whether the server runs elsewhere: the connection may be lost, and comes back."""
    in_the_open: bool = False
    """Whether others can read what goes to the server."""
    remote_folder: str | None = None
    """Where new threads work there; None leaves it to the server."""
    remote_settings: Mapping[str, Any] = {}
    """What the command line sets, for threads opened there: dotted key and value."""
    park_cursor: bool = False
    """Keep the terminal's cursor at the region's corner; for terminals that cut when resized."""
    connect_demo: Connect | None = None
    """A server whose model is the offline demo, for the first-run choice; None leaves it out."""


def run(options: TuiOptions, connect: Connect, first_paint: FirstPaint) -> int:
    """Show the session until the user leaves; returns the exit status. Takes over `first_paint`."""
    if not (os.isatty(0) and os.isatty(1)):
        sys.stderr.write(
            "codex: a session needs a terminal on stdin and stdout; "
            "`codex app-server` is the way in for programs\n"
        )
        return 2
    try:
        from tui.app import CodexApp

        app = CodexApp(options, connect, first_paint)
    except BaseException:
        first_paint.close()
        raise
    return app.run_session()
