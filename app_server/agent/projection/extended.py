"""Commands, patches, pictures as stored events, for threads that keep them: there and back. Pure.

Most threads store only what was said; where more is kept, these lines let a rebuilt thread show
what was done. What runs is stored when it begins as well, so that nothing is missing after a crash:
a later line about the same item counts instead. The forms are the original's.
"""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from app_server.protocol.item import (
    AddPatchChangeKind,
    CommandAction,
    CommandExecutionThreadItem,
    DeletePatchChangeKind,
    FileChangeThreadItem,
    FileUpdateChange,
    ImageViewThreadItem,
    ListFilesCommandAction,
    ReadCommandAction,
    SearchCommandAction,
    ThreadItem,
    UnknownCommandAction,
    UpdatePatchChangeKind,
)
from app_server.protocol.wire import UNSET, known
from app_server.storage.rollout import OtherEvent

NO_EXIT_CODE = -1
MOVED_TO = "\n\nMoved to: "

STORED_SOURCES = {
    "agent": "agent",
    "userShell": "user_shell",
    "unifiedExecStartup": "unified_exec_startup",
    "unifiedExecInteraction": "unified_exec_interaction",
}


def stored_item(turn_id: str, item: ThreadItem) -> OtherEvent | None:
    """The line for a command or patch as it is now, or for a picture; None for other items."""
    match item:
        case CommandExecutionThreadItem(status="inProgress"):
            begun = OtherEvent(type="exec_command_begin", **_facts_of_command(turn_id, item))
            if item.aggregated_output is not None:  # ours: where it went to the background
                begun["aggregated_output"] = item.aggregated_output
            return begun
        case CommandExecutionThreadItem():
            return _stored_command(turn_id, item)
        case FileChangeThreadItem(status="inProgress"):
            return OtherEvent(
                type="patch_apply_begin",
                call_id=item.id,
                turn_id=turn_id,
                auto_approved=False,
                changes=_stored_changes(item),
            )
        case FileChangeThreadItem():
            return _stored_patch(turn_id, item)
        case ImageViewThreadItem():
            return OtherEvent(
                type="view_image_tool_call", call_id=item.id, turn_id=turn_id, path=item.path
            )
        case _:
            return None


def broken_off(item: ThreadItem) -> ThreadItem:
    """A command or patch that never came to its end, now that nothing runs any more."""
    match item:
        case CommandExecutionThreadItem(status="inProgress"):
            return msgspec.structs.replace(item, status="failed")
        case FileChangeThreadItem(status="inProgress"):
            return msgspec.structs.replace(item, status="failed")
        case _:
            return item


def restored_item(event: OtherEvent) -> tuple[str | None, ThreadItem] | None:
    """The turn and the item such a line stands for; None when it is another line or unreadable."""
    build = _BUILDERS.get(str(event.get("type")))
    if build is None:
        return None
    turn_id = event.get("turn_id")
    try:
        return (turn_id if isinstance(turn_id, str) else None), build(event)
    except (msgspec.ValidationError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _facts_of_command(turn_id: str, item: CommandExecutionThreadItem) -> dict[str, Any]:
    return {
        "call_id": item.id,
        "process_id": item.process_id,
        "turn_id": turn_id,
        "command": _words(item.command),
        "cwd": item.cwd,
        "parsed_cmd": [_stored_action(action) for action in item.command_actions],
        "source": STORED_SOURCES[item.source],
    }


def _stored_command(turn_id: str, item: CommandExecutionThreadItem) -> OtherEvent:
    duration_ms = item.duration_ms or 0
    return OtherEvent(
        type="exec_command_end",
        **_facts_of_command(turn_id, item),
        stdout="",
        stderr="",
        aggregated_output=item.aggregated_output or "",
        exit_code=NO_EXIT_CODE if item.exit_code is None else item.exit_code,
        duration={"secs": duration_ms // 1000, "nanos": duration_ms % 1000 * 1_000_000},
        formatted_output="",
        status=item.status,
    )


def _restored_command(event: OtherEvent) -> ThreadItem:
    from app_server.execpolicy.shell_quote import shell_join

    sources = {stored: wire for wire, stored in STORED_SOURCES.items()}
    duration = event.get("duration") or {}
    duration_ms = int(duration.get("secs", 0)) * 1000 + int(duration.get("nanos", 0)) // 1_000_000
    status = event.get("status", "inProgress")
    ended = status in ("completed", "failed")
    exit_code = event["exit_code"] if ended and event["exit_code"] != NO_EXIT_CODE else None
    ran = exit_code is not None or (ended and duration_ms > 0)
    value: dict[str, Any] = {
        "type": "commandExecution",
        "id": event["call_id"],
        "command": shell_join([str(word) for word in event["command"]]),
        "commandActions": [],
        "cwd": event["cwd"],
        "status": status,
        "aggregatedOutput": event.get("aggregated_output") or None,
        "exitCode": exit_code,
        "durationMs": duration_ms if ran else None,
        "processId": event.get("process_id"),
        "source": sources.get(str(event.get("source")), "agent"),
    }
    item = msgspec.convert(value, CommandExecutionThreadItem)
    actions = [_restored_action(action) for action in event.get("parsed_cmd", [])]
    return msgspec.structs.replace(item, command_actions=actions)


def _stored_action(action: CommandAction) -> dict[str, Any]:
    match action:
        case ReadCommandAction():
            return {
                "type": "read",
                "cmd": action.command,
                "name": action.name,
                "path": action.path,
            }
        case ListFilesCommandAction():
            return {"type": "list_files", "cmd": action.command, "path": action.path}
        case SearchCommandAction():
            return {
                "type": "search",
                "cmd": action.command,
                "query": action.query,
                "path": action.path,
            }
        case UnknownCommandAction():
            return {"type": "unknown", "cmd": action.command}


def _restored_action(stored: dict[str, Any]) -> CommandAction:
    command, path = str(stored["cmd"]), stored.get("path")
    match stored.get("type"):
        case "read":
            return ReadCommandAction(command=command, name=str(stored["name"]), path=str(path))
        case "list_files":
            return ListFilesCommandAction(command=command, path=path)
        case "search":
            return SearchCommandAction(command=command, query=stored.get("query"), path=path)
        case _:
            return UnknownCommandAction(command=command)


def _stored_patch(turn_id: str, item: FileChangeThreadItem) -> OtherEvent:
    return OtherEvent(
        type="patch_apply_end",
        call_id=item.id,
        turn_id=turn_id,
        stdout="",
        stderr=known(item.error) or "",
        success=item.status == "completed",
        changes=_stored_changes(item),
        status=item.status,
    )


def _restored_patch(event: OtherEvent) -> ThreadItem:
    changes = [_restored_change(path, change) for path, change in event["changes"].items()]
    status = event.get("status") or ("completed" if event.get("success") else "failed")
    if event["type"] == "patch_apply_begin":
        status = "inProgress"
    reason = str(event.get("stderr") or "") if status == "failed" else ""
    item = FileChangeThreadItem(
        id=str(event["call_id"]),
        changes=sorted(changes, key=lambda change: change.path),
        status="completed",
        error=reason or UNSET,
    )
    checked: FileChangeThreadItem = msgspec.convert(
        {**msgspec.to_builtins(item), "status": status}, FileChangeThreadItem
    )
    return checked


def _restored_image(event: OtherEvent) -> ThreadItem:
    return ImageViewThreadItem(id=str(event["call_id"]), path=str(event["path"]))


_BUILDERS = {
    "exec_command_begin": _restored_command,
    "exec_command_end": _restored_command,
    "patch_apply_begin": _restored_patch,
    "patch_apply_end": _restored_patch,
    "view_image_tool_call": _restored_image,
}


def _stored_changes(item: FileChangeThreadItem) -> dict[str, Any]:
    return {change.path: _stored_change(change) for change in item.changes}


def _stored_change(change: FileUpdateChange) -> dict[str, Any]:
    match change.kind:
        case AddPatchChangeKind():
            return {"type": "add", "content": change.diff}
        case DeletePatchChangeKind():
            return {"type": "delete", "content": change.diff}
        case UpdatePatchChangeKind(move_path=move_path):
            diff = change.diff
            if move_path is not None:
                diff = diff.removesuffix(f"{MOVED_TO}{move_path}")
            return {"type": "update", "unified_diff": diff, "move_path": move_path}


def _restored_change(path: str, stored: dict[str, Any]) -> FileUpdateChange:
    match stored.get("type"):
        case "add":
            return FileUpdateChange(path=path, kind=AddPatchChangeKind(), diff=stored["content"])
        case "delete":
            kind = DeletePatchChangeKind()
            return FileUpdateChange(path=path, kind=kind, diff=stored["content"])
        case _:
            move_path = stored.get("move_path")
            diff = str(stored["unified_diff"])
            if move_path is not None:
                diff += f"{MOVED_TO}{move_path}"
            updated = UpdatePatchChangeKind(move_path=move_path)
            return FileUpdateChange(path=path, kind=updated, diff=diff)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return [command]
