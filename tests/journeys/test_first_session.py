"""The first real session, key by key: ask, watch a command, approve a patch, stop, come back."""

import os
import select
import signal
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from tests.journeys.conftest import Open, leave, press_until
from tests.support.model_server import applies_patch, hangs, runs_command, says
from tests.support.terminal import START_SECONDS, Terminal

pytestmark = pytest.mark.pty

TABLE = "| file | lines |\n| --- | --- |\n| greet.py | 2 |\n"
PATCH = """*** Begin Patch
*** Update File: greet.py
@@
 def greet(name):
-    return "Hello " + name
+    return f"Hello, {name}!"
*** End Patch
"""


def is_ready(terminal: Terminal) -> bool:
    return "›" in terminal.screen() and terminal.screen().count("gpt-5.5") >= 2


@pytest.mark.parametrize("face", [(), ("--alt-screen",)], ids=["inline", "full-screen"])
def test_ask_run_patch_and_resume(
    face: tuple[str, ...], open_session: Open, model: ScriptedModel, repository: Path
) -> None:
    model.script(
        runs_command("wc -l greet.py && echo counted > counted.txt"),
        applies_patch(PATCH),
        says(f"Done: the **greeting** has its comma.\n\n{TABLE}"),
    )
    terminal = open_session(*face, "-a", "untrusted", "-s", "workspace-write", columns=100, rows=40)
    terminal.wait_for(is_ready)
    terminal.type("mend the greeting")
    terminal.press("enter")
    terminal.wait_for("counted.txt")
    press_until(terminal, "Run this command?", "y", "Ran")
    terminal.wait_for("2 greet.py")
    terminal.wait_for('return f"Hello, {name}!"')
    assert (repository / "greet.py").read_text().count("!") == 0
    press_until(terminal, "Make this change?", "y", "has its comma")
    terminal.wait_for("Worked for")
    assert (repository / "greet.py").read_text().endswith('return f"Hello, {name}!"\n')
    assert (repository / "counted.txt").read_text() == "counted\n"
    shown = terminal.everything()
    assert "› mend the greeting" in shown
    assert "(+1 -1)" in shown
    assert "| ---" not in shown
    assert "**" not in shown
    assert leave(terminal) == 0
    assert "codex resume" in terminal.everything()

    again = open_session(*face, "resume", "--last", columns=100, rows=40)
    again.wait_for("has its comma")
    restored = again.everything()
    assert "› mend the greeting" in restored
    assert "wc -l greet.py" in restored
    assert "greet.py (+1 -1)" in restored
    model.script(says("Still here."))
    again.type("are you there?")
    again.press("enter")
    again.wait_for("Still here.")


def test_escape_interrupts_and_the_next_turn_works(
    open_session: Open, model: ScriptedModel
) -> None:
    model.script(hangs("I begin\n\n", "and never "), says("Back again."))
    terminal = open_session()
    terminal.wait_for(is_ready)
    terminal.type("tell me")
    terminal.press("enter")
    terminal.wait_for("I begin")
    terminal.press("escape")
    terminal.wait_for("Interrupted")
    assert "I begin" in terminal.everything()
    terminal.type("and now?")
    terminal.press("enter")
    terminal.wait_for("Back again.")


def test_keys_typed_before_the_program_is_ready_are_kept(
    open_session: Open, model: ScriptedModel
) -> None:
    model.script(says("You were quick."))
    terminal = open_session()
    terminal.type("early words")
    terminal.press("enter")
    terminal.wait_for("You were quick.")
    assert "› early words" in terminal.everything()


def test_one_ctrl_c_on_an_empty_composer_does_not_quit(open_session: Open) -> None:
    terminal = open_session()
    terminal.wait_for(is_ready)
    terminal.press("ctrl+c")
    terminal.wait_for(lambda shown: b"again to quit" in shown.output)  # it is shown for a second
    terminal.press("ctrl+c", "ctrl+c")
    assert terminal.wait_for_exit() == 0


def test_a_faulty_setting_is_named_and_the_session_works(
    open_session: Open, model: ScriptedModel, codex_home: Path
) -> None:
    file = codex_home / "config.toml"
    file.write_text(f'approval_policy = "sometimes"\nmodle = "x"\n{file.read_text()}')
    model.script(says("Working all the same."))
    terminal = open_session(columns=100)
    terminal.wait_for("Did you mean `model`?")
    told = terminal.everything()
    assert "The setting `approval_policy` is left out; `untrusted` takes its place" in told
    assert "config.toml:1:19" in "".join(told.split())
    terminal.wait_for(is_ready)
    terminal.type("go on")
    terminal.press("enter")
    terminal.wait_for("Working all the same.")


@pytest.mark.parametrize("ending", ["escape", "kill"])
def test_no_command_outlives_its_interruption_or_the_program(
    ending: str, open_session: Open, model: ScriptedModel
) -> None:
    seconds = str(100_000 + os.getpid())
    model.script(runs_command(f"echo begun; sleep {seconds}"))
    terminal = open_session()
    terminal.wait_for(is_ready)
    terminal.type("wait for me")
    terminal.press("enter")
    terminal.wait_for("└ begun")
    commands = processes_naming(seconds)
    assert commands
    if ending == "escape":
        terminal.press("escape")
        terminal.wait_for("(interrupted)")
        assert "Stopped echo begun" in terminal.everything()
    else:
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.wait_for_exit()
    for command in commands:
        assert select.select([command], [], [], START_SECONDS)[0], "a process goes on"
        os.close(command)
    assert processes_naming(seconds) == []


def processes_naming(word: str) -> list[int]:
    """Descriptors of all processes with this word in their command line; readable once ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():
                found.append(os.pidfd_open(int(folder.name)))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
