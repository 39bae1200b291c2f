"""From what a client asks and what is configured to the settings a thread starts with.

Reads files, so call it off the event loop. Raises `ConfigInvalid` for a broken configuration and
`ThreadError` for what the client asks in contradiction.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from app_server import paths
from app_server.agent.model_facts import model_facts
from app_server.agent.permissions import profile_id, with_additions
from app_server.agent.settings import TurnSettings, chosen_environment, mode_of
from app_server.config.errors import ConfigError
from app_server.prompts import base_instructions
from app_server.prompts.project_docs import ProjectDocs, load_project_docs
from app_server.protocol.permissions import ReadOnlySandboxPolicy
from app_server.protocol.thread import ThreadForkParams, ThreadResumeParams, ThreadStartParams
from app_server.protocol.wire import UnsetType
from app_server.threads.errors import Refused
from app_server.threads.rules import LoadedRules, rules_in_force

if TYPE_CHECKING:
    from app_server.agent.services import AgentServices
    from app_server.config.load import LoadedConfig
    from app_server.config.resolve import Config
    from app_server.model.providers import ProviderInfo
    from app_server.storage.rollout import SessionMeta, TurnContext

LoadAgain: TypeAlias = Callable[[Path], "LoadedConfig"]

OpenParams: TypeAlias = ThreadStartParams | ThreadResumeParams | ThreadForkParams


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a thread needs to know before it can run."""

    config: Config
    settings: TurnSettings
    provider: ProviderInfo
    project_docs: ProjectDocs
    rules: LoadedRules
    overruled: tuple[str, ...]
    """What was chosen and is not allowed by an administrator, a sentence each."""
    load_again: LoadAgain
    """The settings as they stand later, with what this client asked for; reads files."""


def open_settings(
    services: AgentServices,
    params: OpenParams,
    stored: TurnContext | None = None,
    meta: SessionMeta | None = None,
) -> Opening:
    """The settings of a new thread, or of a stored one: its last turn's and its first line."""
    cwd = _cwd(services, params, stored, meta)
    flags = _flags(params)
    remembered = {} if stored is None else _stored_flags(params, stored, meta)
    try:
        loaded, provider = _configured(services, cwd, params, {**remembered, **flags})
    except Refused:
        if "model_provider" not in remembered:
            raise
        # the provider it was made with is no longer configured: go on with today's
        loaded, provider = _configured(services, cwd, params, flags)
    config = loaded.config
    facts = model_facts(config, config.model or (None if config.models else provider.default_model))
    permissions = with_additions(
        config.sandbox_policy,
        config.permission_profile,
        config.default_permissions,
        params.permissions,
        config.proxied_network,
    )
    if params.permissions is not None and config.requirements is not None:
        from app_server.config.requirements import check_choice  # only where somebody demands

        check_choice(config.requirements, "sandbox_mode", mode_of(permissions))
    settings = TurnSettings(
        cwd=cwd,
        model=facts.slug,
        base_instructions=params.base_instructions
        or config.base_instructions
        or facts.base_instructions
        or base_instructions(),
        developer_instructions=params.developer_instructions or config.developer_instructions,
        approval_policy=config.approval_policy,
        approvals_reviewer=config.approvals_reviewer,
        effort=config.model_reasoning_effort,
        summary=config.model_reasoning_summary,
        personality=config.personality,
        service_tier=config.service_tier,
        facts=facts,
        **chosen_environment(services, getattr(params, "environments", None)),
        **permissions,
    )
    docs = load_project_docs(
        config.codex_home,
        cwd,
        max_bytes=config.project_doc_max_bytes,
        root_markers=config.project_root_markers,
        fallback_names=config.project_doc_fallback_filenames,
    )
    return Opening(
        config=config,
        settings=settings,
        provider=provider,
        project_docs=docs,
        rules=rules_in_force(loaded),
        overruled=loaded.overruled,
        load_again=lambda folder: services.load_config(folder, params.config or {}, flags),
    )


def _configured(
    services: AgentServices, cwd: Path, params: OpenParams, flags: dict[str, Any]
) -> tuple[LoadedConfig, ProviderInfo]:
    from app_server.model.providers import InvalidProvider, find_provider, kept_in

    loaded = services.load_config(cwd, params.config or {}, flags)
    config = loaded.checked()
    try:
        provider = find_provider(
            config.model_provider, config.model_providers, openai_base_url=config.openai_base_url
        )
    except InvalidProvider as error:
        raise Refused(f"failed to load configuration: {error}") from error
    region = config.requirements.enforce_residency if config.requirements else None
    if region is not None:
        provider = kept_in(provider, region)
    return loaded, provider


def named_folder(services: AgentServices, params: OpenParams) -> Path:
    """Where a thread without a past works."""
    return _cwd(services, params, None, None)


def _cwd(
    services: AgentServices,
    params: OpenParams,
    stored: TurnContext | None,
    meta: SessionMeta | None,
) -> Path:
    if params.cwd:
        return paths.absolute(params.cwd, services.cwd)
    if stored is not None:
        return Path(stored.cwd)
    return Path(meta.cwd) if meta is not None else services.cwd


def _flags(params: OpenParams) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    for key, value in (
        ("model", params.model),
        ("model_provider", params.model_provider),
        ("approval_policy", params.approval_policy),
        ("approvals_reviewer", params.approvals_reviewer),
        ("sandbox_mode", params.sandbox),
        ("default_permissions", _profile_name(params)),
        ("personality", getattr(params, "personality", None)),
    ):
        if value is not None:
            flags[key] = msgspec.to_builtins(value)
    if not isinstance(params.service_tier, UnsetType) and params.service_tier is not None:
        flags["service_tier"] = params.service_tier
    return flags


def _profile_name(params: OpenParams) -> str | None:
    if params.permissions is None:
        return None
    if params.sandbox is not None:
        raise Refused("`permissions` cannot be combined with `sandbox`")
    return profile_id(params.permissions)


def _stored_flags(
    params: OpenParams, stored: TurnContext, meta: SessionMeta | None
) -> dict[str, Any]:
    """Model, effort and provider of the stored thread, unless the client names any of them."""
    named = params.config or {}
    if (
        params.model is not None
        or params.model_provider is not None
        or "model" in named
        or "model_reasoning_effort" in named
    ):
        return {}
    flags: dict[str, Any] = {"model": stored.model}
    if meta is not None and meta.model_provider:
        flags["model_provider"] = meta.model_provider
    if stored.effort is not None:
        flags["model_reasoning_effort"] = stored.effort
    return flags


def trust_named_folder(
    services: AgentServices, params: ThreadStartParams, opening: Opening
) -> str | None:
    """A client that names a folder to be written in has decided to trust it: keep that.

    Returns a warning when it could not be kept.
    """
    policy = opening.settings.sandbox_policy
    if (
        not params.cwd
        or opening.config.trust_level is not None
        or isinstance(policy, ReadOnlySandboxPolicy)
    ):
        return None
    from app_server.config.trust import trust

    try:
        trust(services.codex_home, opening.settings.cwd)
    except (OSError, ConfigError) as error:
        return f"The folder is trusted for now, but that could not be kept: {error}"
    return None
