"""`codex exec-server` and `codex-exec-server`: the process service alone."""

import sys

from app_server.cli.options import Options, parse


def main() -> int:
    """The `codex-exec-server` script."""
    return run(parse(["exec-server", *sys.argv[1:]]))


def run(options: Options) -> int:
    """Serve on `options.listen`; returns the exit status."""
    from app_server.exec_server.server import serve

    return serve(options.listen)
