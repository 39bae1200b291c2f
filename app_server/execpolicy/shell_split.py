"""Shell scripts → the simple commands in them, where the script is plain enough to be sure.

Plain means: words, quoted strings and `&& || ; |`, nothing else. Anything that needs a shell to
understand (variables, substitutions, redirections, subshells, globs in command position …) makes
the answer None.
"""

from __future__ import annotations

from collections.abc import Sequence


def shell_script(argv: Sequence[str]) -> str | None:
    """The script of `bash|zsh|sh -lc|-c SCRIPT`; None for any other command."""
    raise NotImplementedError


def plain_commands(script: str) -> list[list[str]] | None:
    """The commands of a plain script in order; None when it is not plain."""
    raise NotImplementedError


def commands_of(argv: Sequence[str]) -> list[list[str]] | None:
    """The commands a call runs: itself, or the parts of its plain script; None if not plain."""
    raise NotImplementedError


def shell_join(argv: Sequence[str]) -> str:
    """The argument list as one line a shell would read back, quoted only where needed."""
    raise NotImplementedError
