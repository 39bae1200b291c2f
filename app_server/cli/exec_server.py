"""`codex exec-server` and `codex-exec-server`: the process service alone."""

import sys
from typing import TYPE_CHECKING

from app_server.cli.options import Options, parse
from app_server.cli.streams import accept_any_text

if TYPE_CHECKING:
    from app_server.exec_server.limits import Limits

SETTINGS = "exec_server."
"""Before the name of a limit: `-c exec_server.max_processes_per_connection=8`."""


def main() -> int:
    """The `codex-exec-server` script."""
    accept_any_text()
    return run(parse(["exec-server", *sys.argv[1:]]))


def run(options: Options) -> int:
    """Serve on the `--listen` URL given last; returns the exit status."""
    from app_server.exec_server.server import serve

    try:
        limits = _limits(options)
    except ValueError as error:
        sys.stderr.write(f"codex-exec-server: {error}\n")
        return 2
    if not options.ws_auth:
        return serve(options.listen[-1], limits)
    from pathlib import Path

    from app_server.rpc.ws_auth import WsAuthError, WsAuthFlags, credentials_from

    try:
        credentials = credentials_from(WsAuthFlags(**dict(options.ws_auth)), Path(options.cwd))
    except WsAuthError as error:
        sys.stderr.write(f"codex-exec-server: {error}\n")
        return 1
    return serve(options.listen[-1], limits, credentials)


def _limits(options: Options) -> "Limits":
    """The service's limits with those given by `-c`. Raises `ValueError`."""
    import msgspec

    from app_server.exec_server.limits import Limits

    given = {
        key.removeprefix(SETTINGS): value
        for key, value in options.overrides
        if key.startswith(SETTINGS)
    }
    unknown = given.keys() - set(Limits.__struct_fields__)
    if unknown:
        raise ValueError(f"there is no setting {SETTINGS}{min(unknown)}")
    return msgspec.convert(given, Limits)
