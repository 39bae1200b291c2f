"""The settings of one turn, which never change while it runs, and what changes them between turns.

What a client gives with `turn/start` holds for later turns as well, except the output schema.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app_server import paths
from app_server.agent.errors import BothSaid, PlanModeMissing, RelativeFolder, UnknownEnvironment
from app_server.agent.model_facts import ModelFacts
from app_server.agent.permissions import selected
from app_server.model.request import Reasoning
from app_server.protocol.permissions import (
    ActivePermissionProfile,
    ApprovalsReviewer,
    AskForApproval,
    ManagedPermissionProfile,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.shared import (
    Personality,
    ReasoningEffort,
    ReasoningSummary,
    ServiceTier,
    Verbosity,
)
from app_server.protocol.turn import TurnEnvironmentParams, TurnStartParams
from app_server.protocol.wire import UnsetType

if TYPE_CHECKING:
    from app_server.agent.services import AgentServices
    from app_server.config.resolve import Config
    from app_server.sandbox.network_rules import NetworkRules


class TurnSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a turn goes by. Replace it, never change it."""

    cwd: Path
    model: str
    base_instructions: str
    developer_instructions: str | None = None
    approval_policy: AskForApproval = "on-request"
    approvals_reviewer: ApprovalsReviewer = "user"
    sandbox_policy: SandboxPolicy
    permission_profile: ManagedPermissionProfile | None = None
    """What holds instead, if more was said than a policy can."""
    network_rules: NetworkRules | None = None
    """If commands reach hosts through the proxy only."""
    active_profile: ActivePermissionProfile | None = None
    """The profile that was chosen by its name."""
    effort: ReasoningEffort | None = None
    """As chosen; None leaves it to the model's own default."""
    summary: ReasoningSummary | None = None
    personality: Personality | None = None
    service_tier: ServiceTier | None = None
    output_schema: Any = None
    environment: str | None = None
    """Where commands run, by name; None is the server's default, `none` nowhere."""
    environment_cwd: Path | None = None
    """The folder commands begin in there, if it is not `cwd`."""
    facts: ModelFacts

    @property
    def command_cwd(self) -> Path:
        return self.environment_cwd or self.cwd

    @property
    def confinement(self) -> SandboxPolicy | ManagedPermissionProfile:
        """What holds for commands that have no way through the proxy."""
        profile = self.permission_profile
        if profile is not None and self.network_rules is not None:
            from app_server.config.permission_profiles import without_network

            return without_network(profile)
        return self.permissions

    @property
    def permissions(self) -> SandboxPolicy | ManagedPermissionProfile:
        """What was chosen, as it is told."""
        return self.permission_profile or self.sandbox_policy

    @property
    def sees_images(self) -> bool:
        return self.facts.sees_images

    @property
    def parallel_tool_calls(self) -> bool:
        return self.facts.parallel_tool_calls

    @property
    def verbosity(self) -> Verbosity | None:
        return self.facts.verbosity

    @property
    def context_window(self) -> int | None:
        return self.facts.context_window

    @property
    def auto_compact_limit(self) -> int | None:
        return self.facts.auto_compact_limit

    @property
    def reasoning(self) -> Reasoning | None:
        """What the request says about reasoning; None for models without it."""
        if not self.facts.reasons:
            return None
        summary = self.summary or self.facts.default_summary
        return Reasoning(
            effort=self.effort or self.facts.default_effort,
            summary=None if summary == "none" else summary,
        )


def check_folders(policy: SandboxPolicy | None) -> None:
    """Raises `RelativeFolder`: no folder is there that such a name could be relative to."""
    if isinstance(policy, WorkspaceWriteSandboxPolicy):
        for folder in policy.writable_roots:
            if not Path(folder).is_absolute():
                raise RelativeFolder(folder)


def check_overrides(config: Config, params: TurnStartParams) -> None:
    """Refuse what an administrator does not allow (`ConfigInvalid`) or cannot be meant
    (`AgentError`)."""
    from app_server.config.requirements import check_choice

    if params.collaboration_mode is not None and params.collaboration_mode.mode == "plan":
        raise PlanModeMissing
    policy = params.sandbox_policy
    mode = None if policy is None else sandbox_mode(policy)
    if params.permissions is not None:
        if policy is not None:
            raise BothSaid
        mode = mode_of(selected(config, params.permissions))
    check_folders(policy)
    for key, chosen in (
        ("approval_policy", params.approval_policy),
        ("approvals_reviewer", params.approvals_reviewer),
        ("sandbox_mode", mode),
    ):
        if chosen is not None:
            check_choice(config.requirements, key, chosen)


def mode_of(permissions: Mapping[str, Any]) -> str:
    """The setting that opens no less than these fields of settings."""
    from app_server.config.permission_profiles import needed_mode

    profile = permissions["permission_profile"]
    return sandbox_mode(permissions["sandbox_policy"]) if profile is None else needed_mode(profile)


def sandbox_mode(policy: SandboxPolicy) -> str:
    """The setting that stands for a policy. A sandbox outside of ours is like none of ours, and so
    is one that lets everything be written."""
    match policy:
        case ReadOnlySandboxPolicy():
            return "read-only"
        case WorkspaceWriteSandboxPolicy(writable_roots=roots):
            opens_all = any(os.path.realpath(root) == "/" for root in roots)
            return "danger-full-access" if opens_all else "workspace-write"
        case _:
            return "danger-full-access"


def chosen_environment(
    services: AgentServices, wished: list[TurnEnvironmentParams] | None
) -> dict[str, Any]:
    """The settings that follow from `environments`: the first one counts, an empty list means none.

    Raises `UnknownEnvironment`.
    """
    if wished is None:
        return {}
    for each in wished:
        if not services.knows_environment(each.environment_id):
            raise UnknownEnvironment(each.environment_id)
    if not wished:
        return {"environment": "none", "environment_cwd": None}
    return {"environment": wished[0].environment_id, "environment_cwd": Path(wished[0].cwd)}


def overridden(config: Config, settings: TurnSettings, params: TurnStartParams) -> TurnSettings:
    """The settings after what `turn/start` asks for, apart from the model's own facts."""
    changes: dict[str, Any] = {"output_schema": params.output_schema}
    if params.cwd is not None:
        changes["cwd"] = paths.absolute(params.cwd, settings.cwd)
    for field, value in (
        ("model", params.model),
        ("effort", params.effort),
        ("summary", params.summary),
        ("personality", params.personality),
        ("approval_policy", params.approval_policy),
        ("approvals_reviewer", params.approvals_reviewer),
        ("sandbox_policy", params.sandbox_policy),
    ):
        if value is not None:
            changes[field] = value
    if params.sandbox_policy is not None:
        changes |= {"permission_profile": None, "active_profile": None, "network_rules": None}
    if params.permissions is not None:
        changes |= selected(config, params.permissions)
    if not isinstance(params.service_tier, UnsetType):
        changes["service_tier"] = params.service_tier
    if params.collaboration_mode is not None:
        chosen = params.collaboration_mode.settings
        # A mode says how to answer as a whole: no effort in it means the model's own default.
        changes |= {"model": chosen.model, "effort": chosen.reasoning_effort}
        if chosen.developer_instructions is not None:
            changes["developer_instructions"] = chosen.developer_instructions
    return msgspec.structs.replace(settings, **changes)
