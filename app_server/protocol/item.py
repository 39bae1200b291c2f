"""The entries of a turn, and the notifications that begin and end them."""

from typing import Any, Literal, TypeAlias

import msgspec

from app_server.protocol.method import ServerNotification
from app_server.protocol.shared import AbsolutePathBuf, MessagePhase, ReasoningEffort, Unsigned32
from app_server.protocol.user_input import UserInput
from app_server.protocol.wire import UNSET, Maybe, Wire


class ReadCommandAction(Wire, tag="read"):
    command: str
    name: str
    path: AbsolutePathBuf


class ListFilesCommandAction(Wire, tag="listFiles"):
    command: str
    path: str | None = None


class SearchCommandAction(Wire, tag="search"):
    command: str
    path: str | None = None
    query: str | None = None


class UnknownCommandAction(Wire, tag="unknown"):
    command: str


CommandAction: TypeAlias = (
    ReadCommandAction | ListFilesCommandAction | SearchCommandAction | UnknownCommandAction
)
"""What a command does, as far as it can be told from its words."""

CommandExecutionSource: TypeAlias = Literal[
    "agent", "userShell", "unifiedExecStartup", "unifiedExecInteraction"
]

CommandExecutionStatus: TypeAlias = Literal["inProgress", "completed", "failed", "declined"]


class AddPatchChangeKind(Wire, tag="add"): ...


class DeletePatchChangeKind(Wire, tag="delete"): ...


class UpdatePatchChangeKind(Wire, tag="update"):
    move_path: str | None = msgspec.field(name="move_path", default=None)


PatchChangeKind: TypeAlias = AddPatchChangeKind | DeletePatchChangeKind | UpdatePatchChangeKind


class FileUpdateChange(Wire):
    path: str
    kind: PatchChangeKind
    diff: str


PatchApplyStatus: TypeAlias = Literal["inProgress", "completed", "failed", "declined"]

McpToolCallStatus: TypeAlias = Literal["inProgress", "completed", "failed"]


class McpToolCallResult(Wire):
    """What the tool answered, in MCP's own content parts."""

    content: list[Any]
    structured_content: Any = None
    meta: Any = msgspec.field(name="_meta", default=None)


class McpToolCallError(Wire):
    message: str


DynamicToolCallStatus: TypeAlias = Literal["inProgress", "completed", "failed"]


class InputTextDynamicToolCallOutputContentItem(Wire, tag="inputText"):
    text: str


class InputImageDynamicToolCallOutputContentItem(Wire, tag="inputImage"):
    image_url: str


DynamicToolCallOutputContentItem: TypeAlias = (
    InputTextDynamicToolCallOutputContentItem | InputImageDynamicToolCallOutputContentItem
)

CollabAgentTool: TypeAlias = Literal["spawnAgent", "sendInput", "resumeAgent", "wait", "closeAgent"]

CollabAgentToolCallStatus: TypeAlias = Literal["inProgress", "completed", "failed"]

CollabAgentStatus: TypeAlias = Literal[
    "pendingInit", "running", "interrupted", "completed", "errored", "shutdown", "notFound"
]


class CollabAgentState(Wire):
    status: CollabAgentStatus
    message: str | None = None


class SearchWebSearchAction(Wire, tag="search"):
    query: str | None = None
    queries: list[str] | None = None


class OpenPageWebSearchAction(Wire, tag="openPage"):
    url: str | None = None


class FindInPageWebSearchAction(Wire, tag="findInPage"):
    pattern: str | None = None
    url: str | None = None


class OtherWebSearchAction(Wire, tag="other"): ...


WebSearchAction: TypeAlias = (
    SearchWebSearchAction
    | OpenPageWebSearchAction
    | FindInPageWebSearchAction
    | OtherWebSearchAction
)


class HookPromptFragment(Wire):
    hook_run_id: str
    text: str


class MemoryCitationEntry(Wire):
    path: str
    line_start: Unsigned32
    line_end: Unsigned32
    note: str


class MemoryCitation(Wire):
    entries: list[MemoryCitationEntry]
    thread_ids: list[str]


class UserMessageThreadItem(Wire, tag="userMessage"):
    id: str
    content: list[UserInput]
    client_id: Maybe[str] = UNSET
    """What the client called this message, if it said."""


class HookPromptThreadItem(Wire, tag="hookPrompt"):
    """Text that hooks added to the conversation."""

    id: str
    fragments: list[HookPromptFragment]


class AgentMessageThreadItem(Wire, tag="agentMessage"):
    id: str
    text: str
    phase: MessagePhase | None = None
    memory_citation: MemoryCitation | None = None


class PlanThreadItem(Wire, tag="plan"):
    id: str
    text: str


class ReasoningThreadItem(Wire, tag="reasoning"):
    id: str
    summary: list[str] = []
    content: list[str] = []


class CommandExecutionThreadItem(Wire, tag="commandExecution"):
    """A command: its output comes as deltas and, once it has ended, in `aggregated_output`."""

    id: str
    command: str
    cwd: AbsolutePathBuf
    process_id: str | None = None
    source: CommandExecutionSource = "agent"
    status: CommandExecutionStatus
    command_actions: list[CommandAction]
    aggregated_output: str | None = None
    exit_code: int | None = None
    duration_ms: int | None = None


class FileChangeThreadItem(Wire, tag="fileChange"):
    """A patch, one change per file."""

    id: str
    changes: list[FileUpdateChange]
    status: PatchApplyStatus
    error: Maybe[str] = UNSET
    """Why it failed, where it did; ours."""


class McpToolCallThreadItem(Wire, tag="mcpToolCall"):
    id: str
    server: str
    tool: str
    status: McpToolCallStatus
    arguments: Any
    mcp_app_resource_uri: Maybe[str] = UNSET
    result: McpToolCallResult | None = None
    error: McpToolCallError | None = None
    duration_ms: int | None = None


class DynamicToolCallThreadItem(Wire, tag="dynamicToolCall"):
    id: str
    namespace: str | None = None
    tool: str
    arguments: Any
    status: DynamicToolCallStatus
    content_items: list[DynamicToolCallOutputContentItem] | None = None
    success: bool | None = None
    duration_ms: int | None = None


class CollabAgentToolCallThreadItem(Wire, tag="collabAgentToolCall"):
    """A thread talking to the agents it has started."""

    id: str
    tool: CollabAgentTool
    status: CollabAgentToolCallStatus
    sender_thread_id: str
    receiver_thread_ids: list[str]
    prompt: str | None = None
    model: str | None = None
    reasoning_effort: ReasoningEffort | None = None
    agents_states: dict[str, CollabAgentState]


class WebSearchThreadItem(Wire, tag="webSearch"):
    id: str
    query: str
    action: WebSearchAction | None = None


class ImageViewThreadItem(Wire, tag="imageView"):
    id: str
    path: AbsolutePathBuf


class ImageGenerationThreadItem(Wire, tag="imageGeneration"):
    id: str
    status: str
    result: str
    revised_prompt: str | None = None
    saved_path: Maybe[AbsolutePathBuf] = UNSET


class EnteredReviewModeThreadItem(Wire, tag="enteredReviewMode"):
    id: str
    review: str


class ExitedReviewModeThreadItem(Wire, tag="exitedReviewMode"):
    id: str
    review: str


class ContextCompactionThreadItem(Wire, tag="contextCompaction"):
    """Marks where older history was replaced by a summary."""

    id: str


ThreadItem: TypeAlias = (
    UserMessageThreadItem
    | HookPromptThreadItem
    | AgentMessageThreadItem
    | PlanThreadItem
    | ReasoningThreadItem
    | CommandExecutionThreadItem
    | FileChangeThreadItem
    | McpToolCallThreadItem
    | DynamicToolCallThreadItem
    | CollabAgentToolCallThreadItem
    | WebSearchThreadItem
    | ImageViewThreadItem
    | ImageGenerationThreadItem
    | EnteredReviewModeThreadItem
    | ExitedReviewModeThreadItem
    | ContextCompactionThreadItem
)
"""One entry of a turn, as a reader of the thread sees it."""


class ItemStartedNotification(Wire):
    item: ThreadItem
    thread_id: str
    turn_id: str
    started_at_ms: int = 0
    """Unix milliseconds; for newer clients."""


class ItemCompletedNotification(Wire):
    item: ThreadItem
    thread_id: str
    turn_id: str
    completed_at_ms: int = 0
    """Unix milliseconds; for newer clients."""


ITEM_STARTED = ServerNotification("item/started", ItemStartedNotification)
ITEM_COMPLETED = ServerNotification("item/completed", ItemCompletedNotification)
