"""Items of the protocol as cells; used live and for restored history alike."""

import re

import msgspec

from app_server.protocol.item import (
    AddPatchChangeKind,
    AgentMessageThreadItem,
    CollabAgentToolCallThreadItem,
    CommandExecutionThreadItem,
    ContextCompactionThreadItem,
    DeletePatchChangeKind,
    DynamicToolCallThreadItem,
    EnteredReviewModeThreadItem,
    ExitedReviewModeThreadItem,
    FileChangeThreadItem,
    FileUpdateChange,
    HookPromptThreadItem,
    ImageGenerationThreadItem,
    ImageViewThreadItem,
    InputTextDynamicToolCallOutputContentItem,
    McpToolCallThreadItem,
    PlanThreadItem,
    ReasoningThreadItem,
    ThreadItem,
    UpdatePatchChangeKind,
    UserMessageThreadItem,
    WebSearchThreadItem,
)
from app_server.protocol.user_input import (
    ImageUserInput,
    LocalImageUserInput,
    MentionUserInput,
    SkillUserInput,
    TextUserInput,
)
from app_server.protocol.wire import known
from tui.state.cells import (
    AgentMessageCell,
    AnyCell,
    CommandCell,
    CompactionCell,
    HookCell,
    ImageCell,
    PatchCell,
    PatchedFile,
    ProposedPlanCell,
    ReasoningCell,
    ReviewCell,
    RunStatus,
    SubAgentCell,
    ToolCell,
    UserMessageCell,
    WebSearchCell,
)
from tui.state.output import output_of

_RUN_STATUS: dict[str, RunStatus] = {
    "inProgress": "running",
    "completed": "ok",
    "failed": "failed",
    "declined": "declined",
}

_PIECES = re.compile(r"""([^\s'"\\]+)|('[^']*')|("(?:[^"\\]|\\.)*")|(\\.)""", re.DOTALL)
"""Of a word in a shell: bare, in single quotes, in double quotes, escaped."""
_ESCAPED_IN_QUOTES = re.compile(r"""\\(["\\])""")
_SHELLS = {"bash", "sh", "zsh", "dash", "ash", "ksh", "fish"}


def cell_of(item: ThreadItem, *, complete: bool, turn_id: str = "", cwd: str = "") -> AnyCell:
    """The cell that shows an item."""
    match item:
        case UserMessageThreadItem():
            return UserMessageCell(
                id=item.id, text=_text(item), images=_images(item), turn_id=turn_id
            )
        case AgentMessageThreadItem():
            return AgentMessageCell(id=item.id, text=item.text, phase=item.phase, complete=complete)
        case ReasoningThreadItem():
            return ReasoningCell(
                id=item.id,
                summary=tuple(item.summary),
                raw=tuple(item.content),
                complete=complete,
            )
        case CommandExecutionThreadItem():
            return command_cell(item)
        case FileChangeThreadItem():
            return PatchCell(
                id=item.id,
                files=patched_files(item.changes),
                status=_RUN_STATUS[item.status],
                cwd=cwd,
                error=known(item.error) or "",
            )
        case McpToolCallThreadItem():
            return _mcp_cell(item)
        case DynamicToolCallThreadItem():
            return _dynamic_tool_cell(item)
        case CollabAgentToolCallThreadItem():
            return SubAgentCell(
                id=item.id,
                tool=item.tool,
                status=_RUN_STATUS[item.status],
                names=tuple(item.receiver_thread_ids),
                prompt=item.prompt or "",
                model=item.model or "",
                effort=item.reasoning_effort or "",
                states=tuple(item.agents_states.items()),
            )
        case WebSearchThreadItem():
            return WebSearchCell(
                id=item.id, query=item.query, action=item.action, complete=complete
            )
        case ImageViewThreadItem():
            return ImageCell(id=item.id, path=item.path)
        case ImageGenerationThreadItem():
            return ImageCell(
                id=item.id,
                path=known(item.saved_path) or "",
                made=True,
                prompt=item.revised_prompt or "",
                status=_generation_status(item.status, complete=complete),
            )
        case EnteredReviewModeThreadItem():
            return ReviewCell(id=f"{item.id}:start", stage="started", text=item.review)
        case ExitedReviewModeThreadItem():
            return ReviewCell(id=f"{item.id}:end", stage="finished", text=item.review)
        case ContextCompactionThreadItem():
            return CompactionCell(id=item.id, complete=complete)
        case HookPromptThreadItem():
            return HookCell(id=item.id, texts=tuple(part.text for part in item.fragments))
        case PlanThreadItem():
            return ProposedPlanCell(id=item.id, text=item.text, complete=complete)


def command_cell(item: CommandExecutionThreadItem) -> CommandCell:
    return CommandCell(
        id=item.id,
        command=shown_command(item.command),
        cwd=item.cwd,
        status=_RUN_STATUS[item.status],
        source=item.source,
        output=output_of(item.aggregated_output or ""),
        exit_code=item.exit_code,
        duration_ms=item.duration_ms,
        actions=tuple(item.command_actions),
        process_id=item.process_id,
    )


def patched_files(changes: list[FileUpdateChange]) -> tuple[PatchedFile, ...]:
    files: list[PatchedFile] = []
    for change in changes:
        match change.kind:
            case AddPatchChangeKind():
                files.append(PatchedFile(path=change.path, kind="add", diff=change.diff))
            case DeletePatchChangeKind():
                files.append(PatchedFile(path=change.path, kind="delete", diff=change.diff))
            case UpdatePatchChangeKind(move_path=move_path):
                files.append(
                    PatchedFile(
                        path=change.path, kind="update", diff=change.diff, move_path=move_path
                    )
                )
    return tuple(files)


def shown_command(command: str) -> str:
    """The command without a `bash -lc '…'` around it; unchanged if there is none.

    A program that is only called like a shell, and lies anywhere, is no wrapping to take off.
    """
    head = command.split(maxsplit=2)
    if len(head) < 3 or head[1] not in ("-lc", "-c") or not _is_shell(head[0]):
        return command
    return _unquoted(head[2].rstrip()) or command


def _unquoted(text: str) -> str | None:
    """What a shell makes of one quoted word, None if it is none. Not `shlex`, which takes half a
    minute for a megabyte."""
    pieces = _PIECES.findall(text)
    if sum(len(part) for piece in pieces for part in piece) != len(text):
        return None
    return "".join(
        plain or single[1:-1] or _ESCAPED_IN_QUOTES.sub(r"\1", double[1:-1]) or escaped[1:]
        for plain, single, double, escaped in pieces
    )


def _is_shell(program: str) -> bool:
    from app_server.execpolicy.shell_split import own_shell, program_name  # not before first paint

    return program_name(program) in _SHELLS or program == own_shell()


def _text(item: UserMessageThreadItem) -> str:
    parts: list[str] = []
    for part in item.content:
        match part:
            case TextUserInput(text=text):
                parts.append(text)
            case SkillUserInput(name=name):
                parts.append(f"${name}")
            case MentionUserInput(name=name):
                parts.append(f"@{name}")
            case _:
                pass
    return "\n".join(parts)


def _images(item: UserMessageThreadItem) -> tuple[str, ...]:
    paths: list[str] = []
    for part in item.content:
        if isinstance(part, LocalImageUserInput):
            paths.append(part.path)
        elif isinstance(part, ImageUserInput):
            paths.append("embedded image" if part.url.startswith("data:") else part.url)
    return tuple(paths)


def _mcp_cell(item: McpToolCallThreadItem) -> ToolCell:
    return ToolCell(
        id=item.id,
        server=item.server,
        tool=item.tool,
        arguments=_compact_json(item.arguments),
        status=_RUN_STATUS[item.status],
        result="" if item.result is None else _content_text(item.result.content),
        error="" if item.error is None else item.error.message,
        duration_ms=item.duration_ms,
    )


def _dynamic_tool_cell(item: DynamicToolCallThreadItem) -> ToolCell:
    texts = [
        part.text if isinstance(part, InputTextDynamicToolCallOutputContentItem) else "[image]"
        for part in item.content_items or []
    ]
    status = _RUN_STATUS[item.status]
    return ToolCell(
        id=item.id,
        tool=item.tool,
        arguments=_compact_json(item.arguments),
        status="failed" if status == "ok" and item.success is False else status,
        result="\n".join(texts),
        duration_ms=item.duration_ms,
    )


def _content_text(content: list[object]) -> str:
    """The readable side of MCP content parts."""
    texts: list[str] = []
    for part in content:
        if not isinstance(part, dict):
            texts.append(str(part))
            continue
        match part.get("type"):
            case "text":
                texts.append(str(part.get("text", "")))
            case "resource_link":
                texts.append(str(part.get("uri", "")))
            case "resource":
                resource = part.get("resource")
                inner = resource if isinstance(resource, dict) else {}
                texts.append(str(inner.get("text") or inner.get("uri") or "[resource]"))
            case kind:
                texts.append(f"[{kind}]")
    return "\n".join(texts)


def _compact_json(value: object) -> str:
    if value is None or value == {}:
        return ""
    return msgspec.json.encode(value).decode()


def _generation_status(status: str, *, complete: bool) -> RunStatus:
    if not complete:
        return "running"
    return "failed" if status == "failed" else "ok"
