"""Turns: begin, add to, end; and what they report."""

from typing import Any, Literal, TypeAlias

from app_server.protocol.collaboration import CollaborationMode
from app_server.protocol.method import ClientMethod, ServerNotification, by_thread
from app_server.protocol.permissions import (
    ApprovalsReviewer,
    AskForApproval,
    PermissionProfileSelectionParams,
    SandboxPolicy,
)
from app_server.protocol.shared import (
    AbsolutePathParam,
    Personality,
    ReasoningEffort,
    ReasoningSummary,
)
from app_server.protocol.thread_data import Turn
from app_server.protocol.user_input import UserInput
from app_server.protocol.wire import UNSET, Maybe, Wire


class TurnEnvironmentParams(Wire):
    """Where a turn works."""

    cwd: AbsolutePathParam
    environment_id: str


class TurnStartParams(Wire):
    """Say something to a thread. Settings hold for later turns too, except `output_schema`."""

    thread_id: str
    input: list[UserInput]
    cwd: str | None = None
    model: str | None = None
    effort: ReasoningEffort | None = None
    summary: ReasoningSummary | None = None
    service_tier: Maybe[str] = UNSET
    personality: Personality | None = None
    approval_policy: AskForApproval | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    sandbox_policy: SandboxPolicy | None = None
    permissions: PermissionProfileSelectionParams | str | None = None
    output_schema: Any = None
    collaboration_mode: CollaborationMode | None = None
    environments: list[TurnEnvironmentParams] | None = None
    responsesapi_client_metadata: dict[str, str] | None = None
    client_user_message_id: str | None = None
    """Comes back as the `client_id` of the user's message."""


class TurnStartResponse(Wire):
    turn: Turn


class TurnSteerParams(Wire):
    """Add input to the turn that is running."""

    thread_id: str
    expected_turn_id: str
    input: list[UserInput]
    responsesapi_client_metadata: dict[str, str] | None = None
    client_user_message_id: str | None = None


class TurnSteerResponse(Wire):
    turn_id: str


class TurnInterruptParams(Wire):
    """End the turn that is running."""

    thread_id: str
    turn_id: str


class TurnInterruptResponse(Wire): ...


class TurnStartedNotification(Wire):
    thread_id: str
    turn: Turn


class TurnCompletedNotification(Wire):
    thread_id: str
    turn: Turn


class TurnDiffUpdatedNotification(Wire):
    """Everything this turn has changed so far, as one unified diff."""

    thread_id: str
    turn_id: str
    diff: str


TurnPlanStepStatus: TypeAlias = Literal["pending", "inProgress", "completed"]


class TurnPlanStep(Wire):
    step: str
    status: TurnPlanStepStatus


class TurnPlanUpdatedNotification(Wire):
    """The whole plan, each time it changes."""

    thread_id: str
    turn_id: str
    explanation: str | None = None
    plan: list[TurnPlanStep]


TURN_START = ClientMethod("turn/start", TurnStartParams, TurnStartResponse, queue=by_thread)
TURN_STEER = ClientMethod("turn/steer", TurnSteerParams, TurnSteerResponse, queue=by_thread)
TURN_INTERRUPT = ClientMethod(
    "turn/interrupt", TurnInterruptParams, TurnInterruptResponse, queue=by_thread
)
TURN_STARTED = ServerNotification("turn/started", TurnStartedNotification)
TURN_COMPLETED = ServerNotification("turn/completed", TurnCompletedNotification)
TURN_DIFF_UPDATED = ServerNotification("turn/diff/updated", TurnDiffUpdatedNotification)
TURN_PLAN_UPDATED = ServerNotification("turn/plan/updated", TurnPlanUpdatedNotification)
