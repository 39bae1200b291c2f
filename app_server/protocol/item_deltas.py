"""Items growing while they are made."""

from app_server.protocol.item import FileUpdateChange
from app_server.protocol.method import ServerNotification
from app_server.protocol.wire import Wire


class AgentMessageDeltaNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    delta: str


class PlanDeltaNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    delta: str


class ReasoningSummaryTextDeltaNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    delta: str
    summary_index: int


class ReasoningSummaryPartAddedNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    summary_index: int


class ReasoningTextDeltaNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    content_index: int
    delta: str


class CommandExecutionOutputDeltaNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    delta: str


class TerminalInteractionNotification(Wire):
    """Input written to a running command."""

    thread_id: str
    turn_id: str
    item_id: str
    process_id: str
    stdin: str


class FileChangeOutputDeltaNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    delta: str


class FileChangePatchUpdatedNotification(Wire):
    """The patch as far as the model has written it."""

    thread_id: str
    turn_id: str
    item_id: str
    changes: list[FileUpdateChange]


class McpToolCallProgressNotification(Wire):
    thread_id: str
    turn_id: str
    item_id: str
    message: str


ITEM_AGENT_MESSAGE_DELTA = ServerNotification(
    "item/agentMessage/delta", AgentMessageDeltaNotification
)
ITEM_PLAN_DELTA = ServerNotification("item/plan/delta", PlanDeltaNotification)
ITEM_COMMAND_EXECUTION_OUTPUT_DELTA = ServerNotification(
    "item/commandExecution/outputDelta", CommandExecutionOutputDeltaNotification
)
ITEM_COMMAND_EXECUTION_TERMINAL_INTERACTION = ServerNotification(
    "item/commandExecution/terminalInteraction", TerminalInteractionNotification
)
ITEM_FILE_CHANGE_OUTPUT_DELTA = ServerNotification(
    "item/fileChange/outputDelta", FileChangeOutputDeltaNotification
)
ITEM_FILE_CHANGE_PATCH_UPDATED = ServerNotification(
    "item/fileChange/patchUpdated", FileChangePatchUpdatedNotification
)
ITEM_MCP_TOOL_CALL_PROGRESS = ServerNotification(
    "item/mcpToolCall/progress", McpToolCallProgressNotification
)
ITEM_REASONING_SUMMARY_TEXT_DELTA = ServerNotification(
    "item/reasoning/summaryTextDelta", ReasoningSummaryTextDeltaNotification
)
ITEM_REASONING_SUMMARY_PART_ADDED = ServerNotification(
    "item/reasoning/summaryPartAdded", ReasoningSummaryPartAddedNotification
)
ITEM_REASONING_TEXT_DELTA = ServerNotification(
    "item/reasoning/textDelta", ReasoningTextDeltaNotification
)
