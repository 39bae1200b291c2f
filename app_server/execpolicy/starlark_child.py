"""Runs one text of Starlark and says which functions it called: the program of a child process.

Starlark reads no files and waits for nothing, but a text can still ask for all memory or recurse
until the parser's stack is gone. So it runs where only this process is lost, with its memory and
processor time limited. Nothing is known here of what the calls mean.

In: one JSON object on stdin, `{"text", "functions", "complaint": [call number, words] | null}`; the
complaint is raised in that call, which makes the language tell where it stands.
Out: `{"calls": [[function, positional, named]…]}` or
`{"error": {"reason", "line", "column", "end_line", "end_column"}}`.
"""

import json
import re
import resource
import sys
import time
from typing import Any

FILE = "rules"
LONGEST_SECONDS = 0.5
"""Of processor time for the text itself; the language then says which line it was at."""
KILLED_AFTER_SECONDS = 4
MOST_MEMORY_BYTES = 1 << 30
DEEPEST_CALL = 50
TOO_SLOW = "it takes too much time to work out"
MOST_CALLS = 10_000

_NUMBERED = re.compile(r" *(\d+) \| ")
_MARKED = re.compile(r" *\| [| ]*(_*)(\^+)$")


class Complaint(Exception):
    """What the parent has to say about a call."""


def main() -> None:
    """Answer the request on stdin."""
    _limit_myself()
    from starlark import StarlarkError

    request = json.loads(sys.stdin.buffer.read())
    try:
        answer: dict[str, Any] = {"calls": _calls(**request)}
    except StarlarkError as error:
        answer = {"error": _place(str(error))}
    sys.stdout.buffer.write(json.dumps(answer).encode())


def _calls(text: str, functions: list[str], complaint: list[Any] | None) -> list[Any]:
    import starlark

    calls: list[Any] = []

    def recorder(name: str) -> Any:
        def record(*positional: object, **named: object) -> None:
            if complaint is not None and complaint[0] == len(calls):
                raise Complaint(complaint[1])
            if len(calls) >= MOST_CALLS:
                raise Complaint(f"more than {MOST_CALLS} rules")
            calls.append([name, positional, named])

        return record

    module = starlark.Module()
    for name in functions:
        module.add_callable(name, recorder(name))
    dialect = starlark.Dialect.extended()
    dialect.enable_f_strings = True
    stop_at = time.process_time() + LONGEST_SECONDS
    options = starlark.EvalOptions(
        check_cancelled=lambda: time.process_time() > stop_at, max_callstack_size=DEEPEST_CALL
    )
    tree = starlark.parse(FILE, text, dialect)
    starlark.eval_with(options, module, tree, starlark.Globals.standard())
    return calls


def _place(message: str) -> dict[str, Any]:
    """The reason and the range out of the language's report."""
    head, _, shown = message.rpartition(f"\n --> {FILE}:")
    if not shown or not head:
        return {"reason": message.removeprefix("error: ")}
    reason = head.split("\nerror: ", 1)[1] if head.startswith("Traceback") else head
    reason = reason.removeprefix("error: ").removeprefix("Complaint: ")
    first, *lines = shown.split("\n")
    line, column = (int(number) for number in first.split(":")[:2])
    numbers = [int(match[1]) for match in map(_NUMBERED.match, lines) if match]
    marks = [match for match in map(_MARKED.match, lines) if match]
    end_column = column
    if marks and len(numbers) > 1:
        end_column = len(marks[-1][1]) + 1
    elif marks:
        end_column = column + len(marks[-1][2])
    return {
        "reason": TOO_SLOW if reason == "Evaluation cancelled" else reason,
        "line": line,
        "column": column,
        "end_line": max([line, *numbers]),
        "end_column": end_column,
    }


def _limit_myself() -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES),
        (resource.RLIMIT_CPU, KILLED_AFTER_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (limit, limit))
        except (OSError, ValueError):
            continue  # not every system has every limit


if __name__ == "__main__":
    main()
