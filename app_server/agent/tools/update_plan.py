"""The plan shown to the user: the whole list of steps, each time it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_server.agent.events import Told
from app_server.agent.projection.plan import TOOL_NAME, PlanArguments
from app_server.agent.tools.spec import (
    ToolCall,
    array_of,
    decode_arguments,
    function,
    object_of,
    string,
)
from app_server.protocol.response_item import FunctionCallOutputBody
from app_server.protocol.turn import TURN_PLAN_UPDATED, TurnPlanUpdatedNotification
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

DESCRIPTION = """Show or change the plan for this task.
Give the whole list of steps, each with its status; at most one step is in_progress at a time. \
An explanation is optional and tells why the plan changed."""


class UpdatePlan:
    """Tells the user; nothing else happens."""

    name = TOOL_NAME
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
        arguments = decode_arguments(call, PlanArguments)
        turn.emit(
            Told(
                row=TURN_PLAN_UPDATED,
                params=TurnPlanUpdatedNotification(
                    thread_id=turn.thread_id,
                    turn_id=turn.id,
                    explanation=arguments.explanation,
                    plan=arguments.steps(),
                ),
            )
        )
        return "Plan updated"
