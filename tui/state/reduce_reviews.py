"""The automatic reviewer of actions: what it looks at, what it allowed or refused, and why."""

import shlex

from msgspec.structs import replace

from app_server.protocol.guardian import (
    ApplyPatchGuardianApprovalReviewAction,
    CommandGuardianApprovalReviewAction,
    ExecveGuardianApprovalReviewAction,
    GuardianApprovalReviewAction,
    GuardianWarningNotification,
    ItemGuardianApprovalReviewCompletedNotification,
    ItemGuardianApprovalReviewStartedNotification,
    McpToolCallGuardianApprovalReviewAction,
    NetworkAccessGuardianApprovalReviewAction,
    RequestPermissionsGuardianApprovalReviewAction,
)
from tui.state.cells import ApprovalCell, ApprovedThing
from tui.state.from_items import shown_command
from tui.state.reduce_questions import shown_path
from tui.state.thread import ThreadState
from tui.state.transcript import close_exploring, own_id, settle, warn_once

REVIEWING = "The automatic reviewer looks at it"
RECENT_CELLS = 3
"""Among which a warning is looked for that says what a refusal has said."""

ReviewEvent = (
    ItemGuardianApprovalReviewStartedNotification
    | ItemGuardianApprovalReviewCompletedNotification
    | GuardianWarningNotification
)


def reduce_review(thread: ThreadState, event: ReviewEvent) -> ThreadState:
    match event:
        case ItemGuardianApprovalReviewStartedNotification(action=action):
            _, subject = _about(action, thread.cwd)
            return _with_header(thread, REVIEWING, subject)
        case ItemGuardianApprovalReviewCompletedNotification():
            return _judged(_with_header(thread, "Working", ""), event)
        case GuardianWarningNotification(message=message):
            said = any(
                isinstance(cell, ApprovalCell) and cell.why and cell.why in message
                for cell in thread.settled[-RECENT_CELLS:]
            )
            return thread if said else warn_once(thread, message)


def _judged(
    thread: ThreadState, event: ItemGuardianApprovalReviewCompletedNotification
) -> ThreadState:
    review = event.review
    if review.status in ("inProgress", "aborted"):
        return thread  # the turn was interrupted, which says enough
    what, subject = _about(event.action, thread.cwd)
    thread, cell_id = own_id(close_exploring(thread))
    record = ApprovalCell(
        id=cell_id,
        by="reviewer",
        granted=review.status == "approved",
        what=what,
        subject=subject,
        risk=review.risk_level or "",
        why=(review.rationale or "").strip(),
    )
    return settle(thread, record)


def _with_header(thread: ThreadState, header: str, details: str) -> ThreadState:
    if thread.status is None:
        return thread
    return replace(thread, status=replace(thread.status, header=header, details=details))


def _about(action: GuardianApprovalReviewAction, cwd: str) -> tuple[ApprovedThing, str]:
    match action:
        case CommandGuardianApprovalReviewAction(command=command):
            return "command", shown_command(command)
        case ExecveGuardianApprovalReviewAction(argv=argv):
            return "command", shlex.join(argv)
        case ApplyPatchGuardianApprovalReviewAction(files=[file]):
            return "patch", shown_path(file, cwd)
        case ApplyPatchGuardianApprovalReviewAction(files=files):
            return "patch", f"{len(files)} files"
        case NetworkAccessGuardianApprovalReviewAction(host=host):
            return "network", host
        case McpToolCallGuardianApprovalReviewAction(server=server, tool_name=tool):
            return "tool", f"{server}.{tool}"
        case RequestPermissionsGuardianApprovalReviewAction(reason=reason):
            return "permissions", reason or "more room"
