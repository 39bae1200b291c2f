"""`codex login` and `codex logout`: store an API key, say who is signed in, forget it."""

import sys

from app_server.cli.options import Options


def run(options: Options) -> int:
    """Carry out the command; returns the exit status."""
    print(f"codex {options.command}: not part of this release yet", file=sys.stderr)
    return 1
