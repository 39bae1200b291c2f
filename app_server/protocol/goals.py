"""A thread's goal."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, by_thread
from app_server.protocol.shared import Signed
from app_server.protocol.wire import UNSET, Maybe, Wire

ThreadGoalStatus: TypeAlias = Literal["active", "paused", "budgetLimited", "complete"]


class ThreadGoal(Wire):
    """What a thread works towards, and what it has used so far. Times are Unix seconds."""

    thread_id: str
    objective: str
    status: ThreadGoalStatus
    token_budget: int | None = None
    tokens_used: int
    time_used_seconds: int
    created_at: int
    updated_at: int


class ThreadGoalSetParams(Wire):
    thread_id: str
    objective: str | None = None
    status: ThreadGoalStatus | None = None
    token_budget: Maybe[Signed] = UNSET


class ThreadGoalSetResponse(Wire):
    goal: ThreadGoal


class ThreadGoalGetParams(Wire):
    thread_id: str


class ThreadGoalGetResponse(Wire):
    goal: ThreadGoal | None = None


class ThreadGoalClearParams(Wire):
    thread_id: str


class ThreadGoalClearResponse(Wire):
    cleared: bool


class ThreadGoalUpdatedNotification(Wire):
    thread_id: str
    goal: ThreadGoal
    turn_id: str | None = None


class ThreadGoalClearedNotification(Wire):
    thread_id: str


THREAD_GOAL_SET = ClientMethod(
    "thread/goal/set",
    ThreadGoalSetParams,
    ThreadGoalSetResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_GOAL_GET = ClientMethod(
    "thread/goal/get",
    ThreadGoalGetParams,
    ThreadGoalGetResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_GOAL_CLEAR = ClientMethod(
    "thread/goal/clear",
    ThreadGoalClearParams,
    ThreadGoalClearResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_GOAL_UPDATED = ServerNotification("thread/goal/updated", ThreadGoalUpdatedNotification)
THREAD_GOAL_CLEARED = ServerNotification("thread/goal/cleared", ThreadGoalClearedNotification)
