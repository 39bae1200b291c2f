"""Which tools a turn with given settings is offered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app_server.agent.settings import TurnSettings
from app_server.agent.tools.apply_patch import ApplyPatch, ApplyPatchFunction
from app_server.agent.tools.dynamic import DynamicTool
from app_server.agent.tools.exec_command import ExecCommand
from app_server.agent.tools.registry import ToolRegistry
from app_server.agent.tools.shell import Shell, ShellCommand
from app_server.agent.tools.spec import LOCAL_SHELL, Tool
from app_server.agent.tools.update_plan import UpdatePlan
from app_server.agent.tools.view_image import ViewImage
from app_server.agent.tools.write_stdin import WriteStdin
from app_server.protocol.thread import DynamicToolSpec
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.config.resolve import Config


OLDER: tuple[Tool, ...] = (
    Shell("shell"),
    Shell("container.exec"),
    Shell(LOCAL_SHELL),
    ShellCommand(),
)
"""Not offered, but answered: models trained on them call them anyway."""


def tools_for(
    config: Config,
    settings: TurnSettings,
    of_client: Sequence[DynamicToolSpec] = (),
    *,
    has_environment: bool = True,
) -> ToolRegistry:
    """The tools of one turn, in the order the model sees them.

    Without an environment there is nothing to run commands or change files in.
    """
    offered: list[Tool] = [UpdatePlan()]
    if has_environment:
        offered = [ExecCommand(), WriteStdin(), *offered]
        free_text = settings.facts.takes_free_text_tools
        offered.append(ApplyPatch() if free_text else ApplyPatchFunction())
        if config.view_image:
            offered.append(ViewImage())
    offered += [DynamicTool(spec) for spec in of_client]
    silent = OLDER if has_environment else ()
    return ToolRegistry(offered, served=_served(config, settings), silent=silent)


def _served(config: Config, settings: TurnSettings) -> list[JsonObject]:
    """Tools the service runs itself. Models we know nothing of may not know them either."""
    if config.web_search == "disabled" or not settings.facts.is_known:
        return []
    tool: JsonObject = {
        "type": "web_search",
        "external_web_access": config.web_search == "live",
    }
    wished = config.web_search_tool
    if wished.get("allowed_domains"):
        tool["filters"] = {"allowed_domains": list(wished["allowed_domains"])}
    if wished.get("location"):
        tool["user_location"] = {"type": "approximate", **wished["location"]}
    if wished.get("context_size"):
        tool["search_context_size"] = wished["context_size"]
    if settings.facts.search_returns_images:
        tool["search_content_types"] = ["text", "image"]
    return [tool]
