"""What the automatic reviewer allowed or refused, as the transcript tells it."""

from typing import Any

import pytest

from tests.tui.state.conversation import THREAD, command, completed, open_screen, turn_began
from tests.tui.state.recorded import Screen, heard
from tui.state.cells import ApprovalCell, NoticeCell

RUN = {
    "type": "command",
    "command": "/bin/bash -lc 'make test'",
    "cwd": "/home/me/work",
    "source": "unifiedExec",
}


@pytest.fixture
def screen() -> Screen:
    screen = open_screen()
    turn_began(screen)
    return screen


def begun(screen: Screen, action: dict[str, Any] = RUN) -> None:
    screen.apply(heard("item/autoApprovalReview/started", _review(action, status="inProgress")))


def judged(screen: Screen, action: dict[str, Any] = RUN, **review: Any) -> None:
    params = {**_review(action, **review), "decisionSource": "agent"}
    screen.apply(heard("item/autoApprovalReview/completed", params))


def warned(screen: Screen, message: str) -> None:
    screen.apply(heard("guardianWarning", {"threadId": THREAD, "message": message}))


def _review(action: dict[str, Any], **review: Any) -> dict[str, Any]:
    ids = {"threadId": THREAD, "turnId": "turn-1", "reviewId": "r", "targetItemId": "c1"}
    return {**ids, "action": action, "review": review}


def record(screen: Screen) -> ApprovalCell:
    cell = screen.thread.settled[-1]
    assert isinstance(cell, ApprovalCell)
    return cell


def test_what_is_reviewed_stands_in_the_status_line_until_it_is_judged(screen: Screen) -> None:
    begun(screen)
    status = screen.thread.status
    assert status is not None
    assert (status.header, status.details) == ("The automatic reviewer looks at it", "make test")
    judged(screen, status="approved")
    assert screen.thread.status is not None
    assert (screen.thread.status.header, screen.thread.status.details) == ("Working", "")


def test_an_approval_is_a_line_with_its_reason(screen: Screen) -> None:
    judged(screen, status="approved", riskLevel="low", rationale="Only tests.")
    cell = record(screen)
    assert (cell.by, cell.granted, cell.what, cell.subject) == (
        "reviewer",
        True,
        "command",
        "make test",
    )
    assert (cell.risk, cell.why) == ("low", "Only tests.")


def test_a_refusal_is_told_once_although_a_warning_repeats_it(screen: Screen) -> None:
    item = command(screen, "c1", "/bin/bash -lc 'make test'", processId=None)
    judged(screen, status="denied", riskLevel="high", rationale="Nobody asked.")
    warned(screen, "The automatic reviewer refused: Nobody asked.")
    completed(screen, **{**item, "status": "declined"})
    assert record(screen).granted is False
    assert screen.thread.live == ()


def test_a_warning_that_says_more_is_shown(screen: Screen) -> None:
    judged(screen, status="denied", rationale="Nobody asked.")
    warned(screen, "The automatic reviewer refused 3 actions; the turn is ended.")
    assert isinstance(screen.thread.settled[-1], NoticeCell)


def test_a_review_that_was_broken_off_leaves_no_line(screen: Screen) -> None:
    before = screen.thread.settled
    begun(screen)
    judged(screen, status="aborted")
    assert screen.thread.settled == before


@pytest.mark.parametrize(
    ("action", "what", "subject"),
    [
        ({"type": "applyPatch", "cwd": "/w", "files": ["/home/me/work/a"]}, "patch", "a"),
        ({"type": "applyPatch", "cwd": "/w", "files": ["/a", "/b"]}, "patch", "2 files"),
        (
            {
                "type": "networkAccess",
                "host": "example.org",
                "port": 443,
                "protocol": "https",
                "target": "https://example.org:443",
            },
            "network",
            "example.org",
        ),
        ({"type": "mcpToolCall", "server": "s", "toolName": "t"}, "tool", "s.t"),
        (
            {"type": "requestPermissions", "permissions": {}, "reason": None},
            "permissions",
            "more room",
        ),
        (
            {
                "type": "execve",
                "argv": ["ls", "a b"],
                "cwd": "/w",
                "program": "ls",
                "source": "shell",
            },
            "command",
            "ls 'a b'",
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_every_kind_of_action_is_named(
    action: dict[str, Any], what: str, subject: str, screen: Screen
) -> None:
    judged(screen, action, status="approved")
    assert (record(screen).what, record(screen).subject) == (what, subject)
