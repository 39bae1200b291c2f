"""What the demo plays: one function per scene, from where a turn stands to the next answer.

A scene is a few answers long. It looks at what its own calls gave, as a model would, and goes on
from there: real commands, a real patch, real refusals. Every closing message says that all this is
written down beforehand and that no model is behind it.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from app_server.demo.script import CustomToolCall, FunctionCall, Message, Reasoning, Reply, Step
from app_server.demo.turns import Turn, command_output, running_session

DELAY_MS = 14
"""Between words, so that streaming can be watched."""

RECONNECT_MS = 2_500
"""How long the second answer keeps one waiting after a broken connection."""

NO_MODEL = "*This is a scripted demo: no model is behind it, and nothing left your machine.*"

MENU = """\
Type any of these to see more:

- **fix** – a plan, a failing test, a patch for you to approve, and the test again
- **error** – the connection breaks in mid-sentence and the answer is asked for again
- **table** – headings, a table, code and lists, as they stream in
- **wait** – a command that counts for a while; press Esc to interrupt it
- **fail** – a request the service refuses, and how that looks
"""

FILE_NAME = "greeter.py"
TEST_NAME = "test_greeter.py"
WRONG_LINE = '    return "Hello " + name'
RIGHT_LINE = '    return f"Hello, {name}!"'
"""The mistake in the project the demo comes with, and its mending."""

OWN_FILE = "codex_demo_greeter.py"
"""What the demo adds in a folder that is not its own."""

OWN_FILE_LINES = (
    '"""Written by the offline demo of Codex in Python; safe to delete."""',
    "",
    "import sys",
    "",
    "for name in sys.argv[1:] or ['world']:",
    "    print(f'Hello, {name}!')",
)

PLAN = ("Look at the folder and run what is there", "Propose a change", "Run it again")


def tour(turn: Turn) -> Reply:
    """A plan, a command, a patch with approval, a run, and an answer in Markdown."""
    outputs = turn.outputs
    if "plan" not in outputs:
        return Reply(
            items=[
                Reasoning(
                    summary=[
                        "**Following the script**\n\nReal reasoning would stand here. The demo has "
                        "none: its next steps were written down beforehand."
                    ],
                    delay_ms=DELAY_MS,
                ),
                _says(
                    "Welcome. You are seeing a **scripted demo**: no model is behind it, and what "
                    "you type is not understood. The commands and the patch are real, though, and "
                    "go through the same sandbox and approvals as in a real session.",
                    "commentary",
                ),
                _plan(turn, "plan", 0),
            ]
        )
    if "look" not in outputs:
        looks = f"ls -1A && cat {FILE_NAME}"
        return Reply(items=[_runs(turn, "look", looks)])
    is_own_project = WRONG_LINE.strip() in outputs["look"]
    if is_own_project and "before" not in outputs:
        return Reply(
            items=[
                _says(
                    "There is a test. Running programs is asked about first: press **y** to allow "
                    "it once, or **a** to allow it for this session.",
                    "commentary",
                ),
                _runs(turn, "before", f"python3 {TEST_NAME}"),
            ]
        )
    if "patch" not in outputs:
        return Reply(
            items=[
                _says(
                    "Now a change. You see it before it is made: press **y** to accept it or "
                    "**d** to decline.",
                    "commentary",
                ),
                _plan(turn, "planb", 1),
                _patches(turn, "patch", _mending() if is_own_project else _addition()),
            ]
        )
    if not _worked(outputs["patch"]):
        return _closes(
            "The patch was not applied, so the files are as they were. Declining is always safe: a "
            "real model would read your refusal and try something else.\n\n" + MENU
        )
    if "after" not in outputs:
        command = f"python3 {TEST_NAME}" if is_own_project else f"python3 {OWN_FILE} Ada Grace"
        return Reply(items=[_runs(turn, "after", command)])
    if "planc" not in outputs:
        return Reply(items=[_plan(turn, "planc", 3)])
    return _closes(_tour_report(turn))


def broken_stream(turn: Turn) -> Reply:
    """An answer whose connection breaks; the next request for it gets the whole of it."""
    half = "This sentence is about to be cut off in the middle because the connection to the"
    return Reply(items=[_says(half)], disconnect_after=12)


def after_the_break(turn: Turn) -> Reply:
    """What the repeated request gets, late enough for the notice of it to be read."""
    whole = _closes(
        "The connection just broke in the middle of a sentence, on purpose. Codex noticed, waited "
        "a moment, asked again, and this is the second answer. What had been recorded before the "
        "break would have been kept.\n\n" + MENU
    )
    return msgspec.structs.replace(whole, start_delay_ms=RECONNECT_MS)


def showcase(turn: Turn) -> Reply:
    """Markdown of every kind."""
    return _closes(
        "## Markdown, as it streams\n\n"
        "Text can be **bold**, *slanted*, ~~struck~~ or `code`, with "
        "[links](https://www.python.org) in it.\n\n"
        "| Part | Written in | Why |\n"
        "| --- | --- | --- |\n"
        "| Interface | Textual | drawn in your terminal |\n"
        "| Server | asyncio | one thread of its own |\n"
        "| Wire | JSON | the same as the original's |\n\n"
        "```python\n"
        "def fibonacci(count: int) -> list[int]:\n"
        '    """The first `count` numbers of the sequence."""\n'
        "    numbers = [0, 1]\n"
        "    while len(numbers) < count:\n"
        "        numbers.append(numbers[-1] + numbers[-2])\n"
        "    return numbers[:count]\n"
        "```\n\n"
        "1. Lists have numbers,\n"
        "2. and parts:\n"
        "   - like this one\n"
        "   - and this one\n\n"
        "> Quoted text stands apart.\n\n" + MENU
    )


def waiting(turn: Turn) -> Reply:
    """A command that takes its time, watched until it ends."""
    outputs = turn.outputs
    if "count" not in outputs:
        counting = "for i in $(seq 20); do echo tick $i; sleep 1; done"
        return Reply(
            items=[
                _says(
                    "This command counts to twenty, a second each; its output appears as it "
                    "comes. Press **Esc** when you have seen enough. (A scripted demo, no model.)",
                    "commentary",
                ),
                _runs(turn, "count", counting, yield_time_ms=10_000),
            ]
        )
    latest = outputs.get("watch", outputs["count"])
    session = running_session(latest)
    if session is not None and "watch" not in outputs:
        watching = {"session_id": session, "chars": "", "yield_time_ms": 15_000}
        return Reply(
            items=[
                FunctionCall(name="write_stdin", arguments=watching, call_id=turn.call_id("watch"))
            ]
        )
    return _closes("The command is done, or goes on without being watched.\n\n" + MENU)


def refusal(turn: Turn) -> Reply:
    """An answer that is an error."""
    return Reply(
        status=400,
        body=(
            "This refusal is part of the scripted demo: a service may answer with an error. "
            "Your message is kept, and the next one works again."
        ),
    )


def menu(turn: Turn) -> Reply:
    """For everything the demo has no scene for."""
    typed = turn.text.strip().splitlines()[0][:60] if turn.text.strip() else ""
    quoted = f" “{typed}” included" if typed else ""
    return _closes(f"Nobody reads what you type here,{quoted or ' whatever it is'}. {MENU}")


def summary(turn: Turn) -> Reply:
    """For requests that want the conversation in short."""
    return Reply(
        items=[Message(text=f"The user tried the offline demo of Codex in Python. {NO_MODEL}")]
    )


def _closes(text: str) -> Reply:
    return Reply(items=[_says(f"{text.rstrip()}\n\n{NO_MODEL}", "final_answer")])


def _says(text: str, phase: Literal["commentary", "final_answer"] | None = None) -> Message:
    words = re.findall(r"\S+\s*|\s+", text)
    return Message(deltas=words, delay_ms=DELAY_MS, phase=phase)


def _plan(turn: Turn, step: str, done: int) -> Step:
    states = ["completed"] * done + ["in_progress"] + ["pending"] * len(PLAN)
    plan = [{"step": text, "status": state} for text, state in zip(PLAN, states, strict=False)]
    arguments = {"explanation": "A scripted plan", "plan": plan}
    return FunctionCall(name="update_plan", arguments=arguments, call_id=turn.call_id(step))


def _runs(turn: Turn, step: str, command: str, **arguments: int) -> Step:
    return FunctionCall(
        name="exec_command", arguments={"cmd": command, **arguments}, call_id=turn.call_id(step)
    )


def _patches(turn: Turn, step: str, patch: str) -> Step:
    return CustomToolCall(
        name="apply_patch", input=patch, call_id=turn.call_id(step), chunk=24, delay_ms=DELAY_MS
    )


def _mending() -> str:
    changed = f"@@ def greet(name):\n-{WRONG_LINE}\n+{RIGHT_LINE}\n"
    return f"*** Begin Patch\n*** Update File: {FILE_NAME}\n{changed}*** End Patch\n"


def _addition() -> str:
    added = "".join(f"+{line}\n" for line in OWN_FILE_LINES)
    return f"*** Begin Patch\n*** Add File: {OWN_FILE}\n{added}*** End Patch\n"


def _worked(patch_output: str) -> bool:
    return "Success" in patch_output


def _tour_report(turn: Turn) -> str:
    printed = command_output(turn.outputs["after"]).strip() or "(nothing)"
    fence = "````" if "```" in printed else "```"
    return (
        "## Done\n\n"
        "| Step | What really happened |\n"
        "| --- | --- |\n"
        "| Plan | three steps, ticked off along the way |\n"
        "| Commands | looked around and ran the code, as far as you allowed it |\n"
        "| Patch | written to disk after you accepted it |\n"
        "| Last run | its output is below, word for word |\n\n"
        f"{fence}text\n{printed[:2_000]}\n{fence}\n\n" + MENU
    )
