"""The plan shown to the user: the whole list of steps, each time it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from app_server.agent.events import Told
from app_server.agent.tools.spec import (
    ToolCall,
    array_of,
    decode_arguments,
    function,
    object_of,
    string,
)
from app_server.protocol.response_item import FunctionCallOutputBody
from app_server.protocol.turn import (
    TURN_PLAN_UPDATED,
    TurnPlanStep,
    TurnPlanStepStatus,
    TurnPlanUpdatedNotification,
)
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

DESCRIPTION = """Show or change the plan for this task.
Give the whole list of steps, each with its status; at most one step is in_progress at a time. \
An explanation is optional and tells why the plan changed."""

WIRE_STATUS: dict[str, TurnPlanStepStatus] = {
    "pending": "pending",
    "in_progress": "inProgress",
    "completed": "completed",
}


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: str
    status: Literal["pending", "in_progress", "completed"]


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plan: list[Step]
    explanation: str | None = None


class UpdatePlan:
    """Tells the user; nothing else happens."""

    name = "update_plan"
    runs_in_parallel = False

    def definition(self) -> JsonObject:
        step = object_of(
            {
                "step": string(),
                "status": string("One of: pending, in_progress, completed"),
            },
            ["step", "status"],
        )
        return function(
            self.name,
            DESCRIPTION,
            {"explanation": string(), "plan": array_of(step, "The list of steps")},
            ["plan"],
        )

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        arguments = decode_arguments(call, Arguments)
        plan = [
            TurnPlanStep(step=step.step, status=WIRE_STATUS[step.status]) for step in arguments.plan
        ]
        turn.emit(
            Told(
                row=TURN_PLAN_UPDATED,
                params=TurnPlanUpdatedNotification(
                    thread_id=turn.thread_id,
                    turn_id=turn.id,
                    explanation=arguments.explanation,
                    plan=plan,
                ),
            )
        )
        return "Plan updated"
