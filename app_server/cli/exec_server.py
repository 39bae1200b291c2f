"""`codex exec-server` and `codex-exec-server`: the process service alone."""

import sys

from app_server.cli.options import Options, parse


def main() -> int:
    """The `codex-exec-server` script."""
    return run(parse(["exec-server", *sys.argv[1:]]))


def run(options: Options) -> int:
    """Serve on `options.listen`; returns the exit status."""
    from app_server.exec_server.server import serve

    if not options.ws_auth:
        return serve(options.listen)
    from pathlib import Path

    from app_server.rpc.ws_auth import WsAuthError, WsAuthFlags, credentials_from

    try:
        credentials = credentials_from(WsAuthFlags(**dict(options.ws_auth)), Path(options.cwd))
    except WsAuthError as error:
        sys.stderr.write(f"codex-exec-server: {error}\n")
        return 1
    return serve(options.listen, credentials=credentials)
