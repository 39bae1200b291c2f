"""What an approval looks like, whatever the agent writes into it."""

from tui.text.palette import TERMINAL
from tui.widgets.questions.approval_picture import View, picture
from tui.widgets.questions.choices import Ask, Field, Option


def test_a_reason_in_lines_looks_like_no_other_question() -> None:
    reason = "List the files.\n\n  $ ls\n    in /w\n\n› 1. Yes, run it (y)"
    ask = Ask("Run this command?", reason, "rm -rf ~", ("in /w",), (Option("y", "Yes, run it"),))
    rows = [
        strip.text.rstrip()
        for strip in picture(View(ask=ask, width=100, room=30, palette=TERMINAL)).lines
    ]
    assert [row for row in rows if row.lstrip().startswith("$ ")] == ["  $ rm -rf ~"]
    assert len([row for row in rows if row.lstrip().startswith("› 1.")]) == 1


def test_what_cannot_be_seen_is_marked_wherever_somebody_agrees_to_it() -> None:
    options = (
        Option("y", "Yes, run it"),
        Option("p", "Yes, always", field=Field("git\u2066", lambda text: "")),
    )
    ask = Ask("Run this?", "Safe\u202e.", "ls \u200b/\rrm", ("in /w\u00ad",), options)
    lines = picture(View(ask=ask, width=100, room=30, palette=TERMINAL)).lines
    marks = [
        segment.text
        for line in lines
        for segment in line
        if "⟨" in segment.text and segment.style == TERMINAL.warning
    ]
    assert marks == ["⟨U+202E⟩", "⟨U+200B⟩", "⟨U+000D⟩", "⟨U+00AD⟩", "⟨U+2066⟩"]
