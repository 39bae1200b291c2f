"""`codex` and `codex resume`: a session in this terminal, with the server inside the process.

Paints first, imports after: nothing but the standard library is loaded when header and composer
appear. The only place in `app_server` that knows `tui`.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from app_server.cli.first_settings import first_settings
from app_server.cli.options import Options
from app_server.cli.remote import RemoteUnusable, remote_from
from app_server.cli.strict import refuses
from app_server.paths import codex_home
from app_server.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from app_server.embed import LocalServer
    from app_server.rpc.channel import Channel

SWITCH_SECONDS = 0.001
"""How long the server's thread may keep the interpreter while the interface's wants it; Python's
own 5 ms would show in a key's echo."""


def run(options: Options) -> int:
    """Show the session until the user leaves; returns the exit status."""
    if refuses(options):
        return 1
    from tui.terminal import first_paint

    try:
        remote = remote_from(options, os.environ)
    except RemoteUnusable as problem:
        print(f"codex: {problem}", file=sys.stderr)
        return 2
    with ExitStack() as closing:
        home, cwd = _folders(options, closing)
        if remote is not None and not options.named_folder:
            cwd = remote.url
        chosen = dict(options.overrides)
        first = first_settings(home, options.cwd, options.overrides)
        given = options.alternate_screen
        full_screen = first.full_screen if given is None else given
        log_folder = first.log_folder or home / "log"
        painted = first_paint.start(
            first_paint.HeaderFacts(
                version=__version__,
                cwd=cwd,
                codex_home=str(home),
                model=chosen.get("model"),
                effort=chosen.get("model_reasoning_effort"),
                demo=options.demo,
                full_screen=full_screen,
            )
        )
        from tui.main import TuiOptions, run

        async def connect_remote() -> Channel:
            from app_server import logs
            from app_server.cli.lending import (
                HomeLender,
                LendingChannel,
                lend_nothing_in_the_open,
            )

            assert remote is not None
            logs.to_file(log_folder)
            channel = await remote.open(home)
            lend = HomeLender(home, options) if remote.is_private else lend_nothing_in_the_open
            return LendingChannel(channel, lend)

        servers = _Servers(options, home, cwd, log_folder, closing)
        connect = servers.connect_demo if options.demo else servers.connect
        return run(
            TuiOptions(
                version=__version__,
                cwd=cwd,
                codex_home=str(home),
                prompt=options.prompt,
                images=tuple(os.path.join(options.cwd, image) for image in options.images),
                full_screen=full_screen,
                code_theme=first.code_theme,
                demo=options.demo,
                resume_id=options.resume_id,
                resume_last=options.resume_last,
                resume_pick=options.command == "resume"
                and not (options.resume_id or options.resume_last),
                resume_any_folder=options.resume_any_folder,
                remote=remote is not None,
                in_the_open=remote is not None and not remote.is_private,
                remote_folder=options.cwd if options.named_folder else None,
                remote_settings=_settings(options),
                connect_demo=None if options.demo or remote else servers.connect_demo,
            ),
            connect if remote is None else connect_remote,
            painted,
        )


def _settings(options: Options) -> dict[str, Any]:
    """What the command line sets, as a thread is told it."""
    profile = {} if options.profile is None else {"profile": options.profile}
    return {**profile, **dict(options.overrides)}


def _folders(options: Options, closing: ExitStack) -> tuple[Path, str]:
    """Home and working folder; a demo for which no folder was named plays in a throwaway one."""
    home = codex_home()
    if options.demo and not options.named_folder:
        from app_server.cli.demo import throwaway_project

        return home, str(closing.enter_context(throwaway_project()))
    return home, options.cwd


class _Servers:
    """Starts the embedded server when the interface asks for a connection.

    What it starts ends with the session.
    """

    def __init__(
        self, options: Options, home: Path, cwd: str, log_folder: Path, closing: ExitStack
    ) -> None:
        self._options = options
        self._home = home
        self._cwd = cwd
        self._log_folder = log_folder
        self._closing = closing

    async def connect(self) -> Channel:
        """A server with the user's own settings."""
        return self._start(self._home, self._cwd)

    async def connect_demo(self) -> Channel:
        """A server whose model is the offline demo, with a home that is thrown away."""
        import asyncio

        return await asyncio.to_thread(self._start_demo)

    def _start_demo(self) -> Channel:
        from pathlib import Path

        from app_server.cli.demo import demo_home, throwaway_project

        project = (
            Path(self._cwd)
            if self._options.demo
            else self._closing.enter_context(throwaway_project())
        )
        return self._start(self._closing.enter_context(demo_home(project)), str(project))

    def _start(self, home: Path, cwd: str) -> Channel:
        from pathlib import Path

        from app_server import logs
        from app_server.embed import LocalServer
        from app_server.server.options import ServerOptions

        logs.to_file(self._log_folder)
        sys.setswitchinterval(SWITCH_SECONDS)
        server = LocalServer(
            ServerOptions(
                codex_home=home,
                cwd=Path(cwd),
                cli_overrides=self._options.overrides,
                profile=self._options.profile,
                forgives_config=True,
                strict_config=self._options.strict_config,
                session_source="cli",
            )
        )
        server.start()
        self._closing.callback(_stop, server)
        return server.connect()


def _stop(server: LocalServer) -> None:
    import asyncio

    asyncio.run(server.stop())
