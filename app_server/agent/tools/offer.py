"""Which tools a turn with given settings is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_server.agent.settings import TurnSettings
from app_server.agent.tools.apply_patch import ApplyPatch, ApplyPatchFunction
from app_server.agent.tools.exec_command import ExecCommand
from app_server.agent.tools.registry import ToolRegistry
from app_server.agent.tools.spec import Tool
from app_server.agent.tools.update_plan import UpdatePlan
from app_server.agent.tools.view_image import ViewImage
from app_server.agent.tools.write_stdin import WriteStdin

if TYPE_CHECKING:
    from app_server.config.resolve import Config


def tools_for(config: Config, settings: TurnSettings) -> ToolRegistry:
    """The tools of one turn, in the order the model sees them."""
    offered: list[Tool] = [ExecCommand(), WriteStdin(), UpdatePlan()]
    free_text = settings.facts.takes_free_text_tools
    offered.append(ApplyPatch() if free_text else ApplyPatchFunction())
    if config.view_image:
        offered.append(ViewImage())
    return ToolRegistry(offered)
