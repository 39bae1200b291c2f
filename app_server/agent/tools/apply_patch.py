"""Change files by a patch: checked whole, asked about where need be, then applied.

The patch is read and compared with the files before anyone is asked and before anything changes.
Inside the writable folders it needs no question, unless the policy trusts nothing. The same path
serves the tool in both its forms and shell calls that only apply a patch.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app_server import clock
from app_server.agent.approvals import Verdict, ask_about_files
from app_server.agent.events import Told
from app_server.agent.history import structured_output
from app_server.agent.tools.requirement import nobody_is_asked
from app_server.agent.tools.spec import (
    ToolCall,
    ToolError,
    decode_arguments,
    function,
    string,
)
from app_server.agent.tools.turn_files import TurnFiles, turn_files
from app_server.prompts import text
from app_server.protocol.item import FileChangeThreadItem
from app_server.protocol.item_deltas import (
    ITEM_FILE_CHANGE_OUTPUT_DELTA,
    FileChangeOutputDeltaNotification,
)
from app_server.protocol.response_item import FunctionCallOutputBody
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn
    from app_server.patch.changes import FileChange
    from app_server.patch.errors import PatchError
    from app_server.patch.files import Files

OUTSIDE = "patch rejected: writing outside of the project; rejected by user approval settings"
DECLINED = "patch rejected by user"


class ApplyPatch:
    """The tool for models that take free text."""

    name = "apply_patch"
    runs_in_parallel = False

    def definition(self) -> JsonObject:
        return {
            "type": "custom",
            "name": self.name,
            "description": text("tools/apply_patch.md"),
            "format": {
                "type": "grammar",
                "syntax": "lark",
                "definition": text("tools/apply_patch.lark"),
            },
        }

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        payload = call.payload
        if payload.lstrip().startswith("{"):
            payload = decode_arguments(call, Arguments).input
        return await apply_patch_text(turn, call.call_id, payload, turn.settings.command_cwd)


class Arguments(msgspec.Struct, frozen=True):
    input: str


class ApplyPatchFunction(ApplyPatch):
    """The same for models that only call functions."""

    def definition(self) -> JsonObject:
        return function(
            self.name,
            text("tools/apply_patch.md"),
            {"input": string("The whole patch, from `*** Begin Patch` to `*** End Patch`.")},
            ["input"],
        )


async def apply_patch_text(turn: Turn, call_id: str, patch_text: str, cwd: Path) -> str:
    """Apply a patch; returns the result as it is stored. Raises `ToolError`."""
    from app_server.patch.apply import real_paths
    from app_server.patch.changes import as_item_changes, touched_paths
    from app_server.patch.errors import PatchError

    began = clock.monotonic()
    at = await turn_files(turn)
    try:
        changes = await at.look(lambda: _verified(patch_text, cwd, at.files))
    except PatchError as error:
        _show_misfit(turn, call_id, patch_text, cwd, error)
        raise ToolError(error.verification_text) from error
    # Taken before anyone is asked, so a link changed later is refused.
    targets = await at.look(lambda: real_paths(changes, at.files))
    is_inside = await at.look(lambda: all(map(at.may_write, targets)))
    needs_yes = _needs_yes(turn, is_inside)
    paths = touched_paths(changes)
    led = await at.look(lambda: _led_elsewhere(paths, cwd, at.files)) if needs_yes else None
    item = FileChangeThreadItem(id=call_id, changes=as_item_changes(changes), status="inProgress")
    turn.start(item)
    if needs_yes and not turn.session.approvals.covers_files(targets):
        await _ask(turn, item, targets, reason=led)
    await turn.before_changes(changes, at.files)
    agreed = frozenset[Path]() if is_inside else targets
    if at.remote is None:
        # On the loop, so that an interrupt finds the files as they were or as the item says.
        summary, exit_code = _apply(changes, agreed, at)
    else:
        summary, exit_code = await at.look(lambda: _apply(changes, agreed, at))
    _tell_output(turn, call_id, summary)
    turn.complete(
        msgspec.structs.replace(item, status="completed")
        if exit_code == 0
        else msgspec.structs.replace(item, status="failed", error=summary)
    )
    await turn.tell_diff()
    return structured_output(summary, exit_code, clock.monotonic() - began)


def _show_misfit(turn: Turn, call_id: str, patch_text: str, cwd: Path, error: PatchError) -> None:
    """In the terminal the person sees a patch that does not fit, and why, as a failed change.

    Other clients know no item for it: there only the model is told.
    """
    if not turn.session.keeps_actions:
        return
    from app_server.agent.patch_preview import attempted_changes

    changes = attempted_changes(patch_text, cwd)
    item = FileChangeThreadItem(id=call_id, changes=changes, status="inProgress")
    turn.start(item)
    reason = f"{error}\n"
    _tell_output(turn, call_id, reason)
    turn.complete(msgspec.structs.replace(item, status="failed", error=reason))


def _verified(patch_text: str, cwd: Path, files: Files) -> list[FileChange]:
    from app_server.patch.apply import verify
    from app_server.patch.grammar import parse_patch

    return verify(parse_patch(patch_text), cwd, files)


def _led_elsewhere(paths: list[Path], cwd: Path, files: Files) -> str | None:
    """What the person has to know of files that are not where they seem to be."""
    here = files.resolved(cwd)
    led: list[str] = []
    for path in paths:
        seeming = here / path.relative_to(cwd) if path.is_relative_to(cwd) else path
        real = files.resolved(path)
        if real != seeming:
            led.append(f"{path} leads to {real}.")
    return " ".join(led) or None


def _needs_yes(turn: Turn, is_inside: bool) -> bool:
    """Whether someone has to agree; raises `ToolError` where nobody may be asked."""
    policy = turn.settings.approval_policy
    if not is_inside and nobody_is_asked(policy):
        raise ToolError(OUTSIDE)
    return not is_inside or policy == "untrusted"


async def _ask(
    turn: Turn, item: FileChangeThreadItem, targets: frozenset[Path], reason: str | None
) -> None:
    answer = await ask_about_files(turn, item, targets, reason)
    verdict = answer.verdict
    if verdict is Verdict.ACCEPTED:
        return
    status = "failed" if verdict is Verdict.FAILED else "declined"
    turn.complete(msgspec.structs.replace(item, status=status))
    if verdict is Verdict.CANCELLED:
        turn.interrupt()
        raise asyncio.CancelledError
    raise ToolError(answer.told or DECLINED)


def _apply(changes: list[FileChange], agreed: frozenset[Path], at: TurnFiles) -> tuple[str, int]:
    from app_server.patch.apply import apply_changes
    from app_server.patch.errors import PatchError
    from app_server.patch.summary import summary_text

    if not agreed:
        at.confine()
    try:
        apply_changes(changes, lambda path: path in agreed or at.may_write(path), at.files)
    except PatchError as error:
        return f"{error}\n", 1
    return summary_text(changes), 0


def _tell_output(turn: Turn, item_id: str, summary: str) -> None:
    params = FileChangeOutputDeltaNotification(
        thread_id=turn.thread_id, turn_id=turn.id, item_id=item_id, delta=summary
    )
    turn.emit(Told(row=ITEM_FILE_CHANGE_OUTPUT_DELTA, params=params))
