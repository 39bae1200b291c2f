"""Commands at a terminal: allowed by a prefix of one's own, refused with words, left running."""

from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from tests.journeys.conftest import Open, leave, press_until
from tests.journeys.test_first_session import is_ready
from tests.support.model_server import runs_command, says
from tests.support.terminal import Terminal

pytestmark = pytest.mark.pty

QUESTION = "Run this command?"


def begin(open_session: Open, text: str) -> Terminal:
    terminal = open_session("-a", "untrusted", "-s", "workspace-write", columns=100, rows=40)
    terminal.wait_for(is_ready)
    say(terminal, text)
    return terminal


def say(terminal: Terminal, text: str) -> None:
    terminal.type(text)
    terminal.press("enter")


def test_a_prefix_written_by_hand_allows_what_begins_like_it(
    open_session: Open, model: ScriptedModel, codex_home: Path, repository: Path
) -> None:
    model.script(runs_command("touch one.txt"), says("That was one."))
    terminal = begin(open_session, "make one")
    press_until(terminal, QUESTION, "e", "│ touch one.txt")
    terminal.press("ctrl+u")
    terminal.type("touch")
    terminal.wait_for("│ touch\n")
    terminal.press("enter")
    terminal.wait_for("always run commands that start with touch")
    terminal.wait_for("That was one.")
    model.script(runs_command("touch two.txt"), says("That was two."))
    say(terminal, "make two")
    terminal.wait_for("That was two.")
    assert (repository / "two.txt").exists()
    assert "touch" in (codex_home / "rules" / "default.rules").read_text()
    assert terminal.everything().count("You approved") == 1


def test_a_no_with_words_tells_the_agent_what_to_do_instead(
    open_session: Open, model: ScriptedModel, repository: Path
) -> None:
    model.script(runs_command("touch one.txt"), says("As you say."))
    terminal = begin(open_session, "make one")
    press_until(terminal, QUESTION, "t", "tell Codex what to do instead:")
    say(terminal, "leave the files alone")
    terminal.wait_for("As you say.")
    shown = terminal.everything()
    assert "✗ You did not allow Codex to run touch one.txt" in shown
    assert "› leave the files alone" in shown
    assert not (repository / "one.txt").exists()
    said = [
        part["text"]
        for request in model.requests
        for item in request.body["input"]
        if item.get("role") == "user"
        for part in item["content"]
    ]
    assert "leave the files alone" in said


def test_a_command_left_running_is_listed_looked_into_and_stopped(
    open_session: Open, model: ScriptedModel
) -> None:
    model.script(
        runs_command("echo listening; echo ready; sleep 300", yield_time_ms=250), says("It runs.")
    )
    terminal = open_session(columns=100, rows=40)
    terminal.wait_for(is_ready)
    say(terminal, "serve")
    terminal.wait_for("It runs.")
    terminal.wait_for("1 in background · /ps")
    say(terminal, "/ps")
    terminal.wait_for("In the background (1)")
    terminal.wait_for("› 1. echo listening; echo ready; sleep 300")
    terminal.press("x")
    terminal.wait_for("Nothing runs in the background")
    terminal.wait_for("Stopped echo listening")
    terminal.wait_for("(exit 143")
    terminal.press("escape")
    terminal.wait_for(lambda shown: "Nothing runs" not in shown.screen())
    assert leave(terminal) == 0


def test_leaving_during_a_command_says_that_it_was_stopped(
    open_session: Open, model: ScriptedModel
) -> None:
    model.script(runs_command("echo begun; sleep 300"))
    terminal = open_session(columns=100, rows=40)
    terminal.wait_for(is_ready)
    say(terminal, "wait for me")
    terminal.wait_for("└ begun")
    say(terminal, "/quit")
    assert terminal.wait_for_exit() == 0
    shown = terminal.everything()
    assert "Stopped echo begun; sleep 300 (interrupted)" in shown
    assert "Running" not in shown
