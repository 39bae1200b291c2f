"""Where the program begins: read argv, import one command, run it.

Standard library only, and little of it: `--version` answers before anything else is imported.
"""

import sys

from app_server.cli.streams import accept_any_text
from app_server.version import COMPATIBLE_WITH, __version__

COMMANDS = {
    "interactive": "interactive",
    "resume": "interactive",
    "app-server": "headless",
    "debug": "debug",
    "doctor": "doctor",
    "exec-server": "exec_server",
    "execpolicy": "execpolicy",
    "features": "features",
    "sandbox": "sandbox",
    "login": "login",
    "logout": "login",
}
"""Command name → its module in this package; each has `run(options) -> int`."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status (2 for a mistake in the call)."""
    accept_any_text()
    if argv is None and sys.argv[0].endswith("codex-linux-sandbox"):
        from app_server.cli.linux_sandbox import main as linux_sandbox

        return linux_sandbox()
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in ("--version", "-V"):
        print(f"codex-in-python {__version__} (compatible with codex {COMPATIBLE_WITH})")
        return 0
    from importlib import import_module

    from app_server.cli.options import parse
    from app_server.paths import CodexHomeMissing

    options = parse(words)
    command = import_module(f"app_server.cli.{COMMANDS[options.command]}")
    try:
        status: int = command.run(options)
    except CodexHomeMissing as error:
        print(f"codex: {error}", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
