"""`codex app-server` and `codex --headless`: the server without a terminal, and what helps with it.

Nothing but the protocol goes to stdout; logs go to stderr.
"""

import gc
import sys
from typing import TYPE_CHECKING

from app_server.cli.options import Options
from app_server.cli.strict import refuses

if TYPE_CHECKING:
    from pathlib import Path

    from app_server.server.first_answer import Begun

YOUNG_OBJECTS = 50_000
"""Made before a collection. Python's 700 would look through all that is imported a hundred times,
some 5 ms of the start, and interrupt a fast stream as often.
"""


def run(options: Options) -> int:
    """Serve until the client leaves; returns the exit status."""
    if options.action == "proxy":
        from app_server.cli.proxy import run_proxy

        return run_proxy(options)
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    if options.action in ("generate-json-schema", "generate-ts"):
        return _export(options)
    if refuses(options):
        return 1
    from pathlib import Path

    from app_server.paths import codex_home

    begun = _answered_at_once(options, codex_home())
    import_msgspec_lightly()
    import asyncio

    from app_server import logs
    from app_server.cli.otel_check import otel_problem
    from app_server.server.options import ServerOptions

    logs.to_stderr()
    problem = otel_problem(codex_home(), Path(options.cwd), options.overrides, options.profile)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    server = ServerOptions(
        codex_home=codex_home(),
        cwd=Path(options.cwd),
        cli_overrides=options.overrides,
        profile=options.profile,
        strict_config=options.strict_config,
    )
    if options.listen == ("stdio://",):
        from app_server.server.serve_stdio import serve_stdio

        return asyncio.run(serve_stdio(server, begun))
    from app_server.rpc.ws_auth import WsAuthFlags
    from app_server.server.serve_listener import serve_urls

    return asyncio.run(serve_urls(server, options.listen, WsAuthFlags(**dict(options.ws_auth))))


def _answered_at_once(options: Options, home: "Path") -> "Begun | None":
    """The conversation on stdin, begun if it can be; not where settings may forbid to start."""
    from app_server.config.mention import is_mentioned

    may_not_start = options.strict_config or any(
        is_mentioned(key, home, options.overrides) for key in ("otel", "plugin_backend_bridges")
    )
    if options.listen != ("stdio://",) or may_not_start:
        return None
    import os
    import signal

    from app_server.server.first_answer import answer_at_once

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            # until the server listens for it: nothing has begun that would have to be ended
            signal.signal(number, lambda _number, _frame: os._exit(0))
    return answer_at_once(0, 1, home)


def import_msgspec_lightly() -> None:
    """Import msgspec without typing_extensions, which costs it 20 ms and gives it nothing.

    It asks for three names that the standard library has since 3.11 and falls back to those. Only
    this import sees the module as missing; see docs/decisions/0003.
    """
    if "msgspec" in sys.modules or "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]


def _export(options: Options) -> int:
    if options.out is None:
        print(f"codex app-server {options.action}: --out FOLDER is missing", file=sys.stderr)
        return 2
    from pathlib import Path

    try:
        if options.action == "generate-ts":
            from app_server.protocol.typescript import write_typescript

            write_typescript(Path(options.out), experimental=options.experimental)
        else:
            from app_server.protocol.schema import write_schemas

            write_schemas(Path(options.out), experimental=options.experimental)
    except OSError as error:
        place = error.filename or options.out
        print(f"codex app-server: {place} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0
