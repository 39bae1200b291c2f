"""What an approval looks like, whatever the agent writes into it."""

from tui.text.palette import TERMINAL
from tui.widgets.questions.approval_picture import View, picture
from tui.widgets.questions.choices import Ask, Option


def test_a_reason_in_lines_looks_like_no_other_question() -> None:
    reason = "List the files.\n\n  $ ls\n    in /w\n\n› 1. Yes, run it (y)"
    ask = Ask("Run this command?", reason, "rm -rf ~", ("in /w",), (Option("y", "Yes, run it"),))
    rows = [
        strip.text.rstrip()
        for strip in picture(View(ask=ask, width=100, room=30, palette=TERMINAL)).lines
    ]
    assert [row for row in rows if row.lstrip().startswith("$ ")] == ["  $ rm -rf ~"]
    assert len([row for row in rows if row.lstrip().startswith("› 1.")]) == 1
