"""When things go wrong: a readable line, the next turn works, and what was typed is kept."""

import pytest

from app_server.demo.provider import ScriptedModel
from tests.journeys.conftest import Open
from tests.journeys.test_first_session import is_ready
from tests.support.model_server import Reply, disconnects, fails_with, says

pytestmark = pytest.mark.pty

WRONG_KEY = {"error": {"message": "Incorrect API key provided: sk-bad", "code": "invalid_api_key"}}
UNKNOWN_MODEL = {"error": {"message": "The model `gpt-99` does not exist", "code": "no_model"}}
TROUBLES: list[tuple[Reply, str]] = [
    (fails_with(429), "429 Too Many Requests"),
    (fails_with(401, WRONG_KEY), "Incorrect API key provided"),
    (fails_with(404, UNKNOWN_MODEL), "The model `gpt-99` does not exist"),
    (disconnects("half of an ", "answer"), "stream disconnected before completion"),
]


def test_each_trouble_is_told_and_the_next_turn_works(
    open_session: Open, model: ScriptedModel
) -> None:
    terminal = open_session(columns=120, rows=40)
    terminal.wait_for(is_ready)
    for number, (trouble, told) in enumerate(TROUBLES):
        model.script(trouble, says(f"Back again, {number}."))
        terminal.type(f"question {number}")
        terminal.press("enter")
        terminal.wait_for(told)
        terminal.type(f"and now {number}?")
        terminal.press("enter")
        terminal.wait_for(f"Back again, {number}.")
    shown = terminal.everything()
    assert [shown.count(f"› question {number}") for number in range(4)] == [1, 1, 1, 1]
    assert "half of an answer" in shown


def test_control_bytes_of_a_model_are_shown_and_not_obeyed(
    open_session: Open, model: ScriptedModel
) -> None:
    model.script(says("before \x1b]0;TITLE\x07\x1b[2J\x1b[31m after\x9b2J end"))
    terminal = open_session()
    terminal.wait_for(is_ready)
    terminal.type("be evil")
    terminal.press("enter")
    terminal.wait_for("2J end")
    assert "› be evil" in terminal.screen()
    assert "before ␛]0;TITLE" in terminal.screen()
    assert b"\x1b]0;TITLE" not in terminal.output
