"""Runs a text of rules in a process of its own and gives back the calls it made.

The limits stand in the child. A text that runs into them costs that text, nothing else.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from app_server.execpolicy.errors import RulesError

log = logging.getLogger(__name__)

MOST_LOGGED_BYTES = 500
LONGEST_WAIT_SECONDS = 60.0
"""The child's own limit of processor time ends it after a few; this only helps where there is
no such limit."""


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One call of one of the functions."""

    function: str
    positional: list[Any]
    named: dict[str, Any]


class _Place(msgspec.Struct, frozen=True):
    reason: str
    line: int | None = None
    column: int = 1
    end_line: int | None = None
    end_column: int | None = None


class _Answer(msgspec.Struct, frozen=True):
    calls: list[Call] = []
    error: _Place | None = None


def calls_in(
    text: str, path: str, functions: Sequence[str], complaint: tuple[int, str] | None = None
) -> list[Call]:
    """The calls of `functions` in the text, in order.

    A `complaint` about one of them, by its number, makes this raise `RulesError` with that reason
    at the place of the call. Raises `RulesError` for a text that is no Starlark or does not end.
    """
    request = msgspec.json.encode({"text": text, "functions": functions, "complaint": complaint})
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, *_places()],
            input=request,
            capture_output=True,
            env={},
            cwd="/",
            timeout=LONGEST_WAIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RulesError(path, f"it could not be worked out: {error}") from error
    try:
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except msgspec.DecodeError as error:
        log.info("rules %s: status %d: %s", path, done.returncode, done.stderr[-MOST_LOGGED_BYTES:])
        raise RulesError(path, "it takes too much time or memory to work out") from error
    if answer.error is not None:
        raise RulesError(path, **msgspec.structs.asdict(answer.error))
    return answer.calls


_PROGRAM = (
    "import runpy, sys; sys.path.append(sys.argv[2]); runpy.run_path(sys.argv[1], {}, '__main__')"
)


def _places() -> tuple[str, str]:
    """The child's program and the folder the language lies in."""
    found = find_spec("starlark")
    if found is None or found.origin is None:
        raise OSError("the package starlark-pyo3 is not installed")
    return str(Path(__file__).with_name("starlark_child.py")), str(Path(found.origin).parents[1])
