"""The plan a call of `update_plan` makes, as readers see it. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from app_server.protocol.turn import TurnPlanStep, TurnPlanStepStatus

TOOL_NAME = "update_plan"

WIRE_STATUS: dict[str, TurnPlanStepStatus] = {
    "pending": "pending",
    "in_progress": "inProgress",
    "completed": "completed",
}


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: str
    status: Literal["pending", "in_progress", "completed"]


class PlanArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model gives the tool."""

    plan: list[Step]
    explanation: str | None = None

    def steps(self) -> list[TurnPlanStep]:
        return [TurnPlanStep(step=one.step, status=WIRE_STATUS[one.status]) for one in self.plan]


def stored_plan(arguments: str) -> list[TurnPlanStep] | None:
    """The steps of a stored call; None where it made no sense and nobody saw a plan."""
    try:
        return msgspec.json.decode(arguments, type=PlanArguments).steps()
    except (msgspec.DecodeError, UnicodeError):
        return None
