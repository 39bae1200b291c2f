"""What an administrator demands, gathered from its sources, and who is held to it.

A chosen value that is not allowed is replaced by the first allowed one and the user is told; a
change asked for while a thread runs is refused (`check_choice`). Demands that cannot be read or
understood let no thread start: not knowing them must not mean ignoring them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app_server.config.demands import CloudFailure, Demands
from app_server.config.errors import ConfigFileError, ConfigInvalid
from app_server.config.features import OLD_NAMES, STAGES
from app_server.config.files import read_table
from app_server.config.kinds import (
    ANYTHING,
    FLAG,
    TEXT,
    Kind,
    ListOf,
    MapOf,
    Misfit,
    OneOf,
    Section,
)
from app_server.config.permission_profiles import needed_mode
from app_server.config.permission_schema import APPROVAL_POLICY, REVIEWER, SANDBOX_MODE
from app_server.config.required_rules import RULES, RequiredRule, required_rules
from app_server.config.resolve import Config, Surroundings, sandbox_policy
from app_server.config.schema import WEB_SEARCH
from app_server.protocol.config_requirements import ConfigRequirements
from app_server.protocol.notices import ConfigWarningNotification
from app_server.protocol.permissions import GranularAskForApproval

_FIELDS: dict[str, Kind] = {
    "allowed_approval_policies": ListOf(APPROVAL_POLICY),
    "allowed_approvals_reviewers": ListOf(REVIEWER),
    "allowed_sandbox_modes": ListOf(SANDBOX_MODE),
    "allowed_web_search_modes": ListOf(WEB_SEARCH),
    "features": MapOf(FLAG),
    "enforce_residency": OneOf(("us",)),
    "mcp_servers": ANYTHING,
    "rules": RULES,
    "hooks": ANYTHING,
    "apps": ANYTHING,
    "experimental_network": ANYTHING,
    "permissions": ANYTHING,
    "guardian_policy_config": TEXT,
}
_NOT_ENFORCED_YET = ("experimental_network", "permissions")
"""Demands this release knows but cannot hold anybody to, so it does not run under them. Hooks that
an administrator wants to run are another."""
KEPT_BY_RUNNING_NONE = ("mcp_servers", "apps")
"""Demands that only say which of a kind may run, where this release runs none of that kind. Whoever
makes it run some has to hold them to these."""
_WHERE_HOOKS_LIE = ("managed_dir", "windows_managed_dir")

WORKSPACE = "the demands of your workspace"
"""What the demands fetched for an account are called; they stand in no file of yours."""


class Gathered(msgspec.Struct, frozen=True):
    """The demands of all sources together, and what is told of them."""

    requirements: ConfigRequirements | None = None
    warnings: tuple[ConfigWarningNotification, ...] = ()
    rules: tuple[RequiredRule, ...] = ()
    """Those of all sources: a rule takes nothing from another."""
    reviewer_policy: str | None = None
    """By what the automatic reviewer judges; None leaves it to the user."""


class CloudDemandsUnusable(ConfigInvalid):
    """The workspace's demands are not known, or not understood."""

    def __init__(self, failure: CloudFailure) -> None:
        super().__init__(failure.detail)
        self.rpc_data = failure.data


def gather(file: Path, demands: Demands, managed: Mapping[str, Any] | None = None) -> Gathered:
    """What holds: each subject by the strongest source that says something about it.

    `managed` is the table of `managed_config.toml`. Reads a file. Raises `ConfigInvalid`.
    """
    found: list[ConfigRequirements] = []
    warnings: list[ConfigWarningNotification] = []
    rules: list[RequiredRule] = []
    policies: list[str] = []
    if demands.failure is not None:
        raise CloudDemandsUnusable(demands.failure)
    if demands.cloud:
        found.append(_of_the_workspace(demands.cloud, warnings, rules, policies))
    table = read_table(file)
    if table:
        found.append(_understood(table, str(file), warnings, rules, policies))
    if managed:
        found.append(_as_demands(managed))
    merged: dict[str, Any] = {}
    for requirements in found:
        for name, value in msgspec.structs.asdict(requirements).items():
            if value is not None:
                merged.setdefault(name, value)
    together = ConfigRequirements(**merged) if merged else None
    return Gathered(together, tuple(warnings), tuple(rules), next(iter(policies), None))


def _of_the_workspace(
    text: str,
    warnings: list[ConfigWarningNotification],
    rules: list[RequiredRule],
    policies: list[str],
) -> ConfigRequirements:
    import tomllib  # only for accounts whose workspace demands something

    try:
        return _understood(tomllib.loads(text), WORKSPACE, warnings, rules, policies)
    except (tomllib.TOMLDecodeError, ConfigFileError, RecursionError) as error:
        detail = (
            "The demands of your workspace cannot be understood; its administrator can mend "
            f"them: {error}"
        )
        raise CloudDemandsUnusable(CloudFailure("Parse", detail)) from error


def _understood(
    table: Mapping[str, Any],
    source: str,
    warnings: list[ConfigWarningNotification],
    rules: list[RequiredRule],
    policies: list[str],
) -> ConfigRequirements:
    try:
        Section("ConfigRequirementsToml", _FIELDS).check(table, ())
    except Misfit as misfit:
        raise ConfigFileError(source, None, misfit.reason, misfit.key) from misfit
    unenforced = [key for key in _NOT_ENFORCED_YET if table.get(key)]
    if _wants_hooks_run(table.get("hooks")):
        unenforced.append("hooks")
    if unenforced:
        keys = ", ".join(f"`{key}`" for key in unenforced)
        raise ConfigFileError(source, None, f"this release cannot enforce {keys} yet")
    for key in table:
        if key not in _FIELDS:
            summary = f"Nothing is known of the demand `{key}` in {source}; it is not held to."
            warnings.append(ConfigWarningNotification(summary=summary))
    kept = " and ".join(f"`{key}`" for key in KEPT_BY_RUNNING_NONE if table.get(key))
    if kept:
        summary = f"What {source} demands of {kept} is kept: this release runs none of them."
        warnings.append(ConfigWarningNotification(summary=summary))
    if table.get("guardian_policy_config"):
        policies.append(table["guardian_policy_config"])
    for key in _LISTS:
        if table.get(key) == []:
            raise ConfigFileError(source, None, f"`{key}` allows nothing", key)
    modes = table.get("allowed_sandbox_modes")
    if modes is not None and "read-only" not in modes:
        raise ConfigFileError(source, None, "`allowed_sandbox_modes` must allow `read-only`")
    rules += required_rules(table)
    return ConfigRequirements(
        allowed_approval_policies=_converted(table, "allowed_approval_policies"),
        allowed_approvals_reviewers=_reviewers(table.get("allowed_approvals_reviewers")),
        allowed_sandbox_modes=modes,
        allowed_web_search_modes=_with_disabled(table.get("allowed_web_search_modes")),
        feature_requirements=_pins(table.get("features"), source, warnings),
        enforce_residency=table.get("enforce_residency"),
    )


def _as_demands(managed: Mapping[str, Any]) -> ConfigRequirements:
    """What the older managed file chooses may not be changed; reading is always allowed."""
    mode, reviewer = managed.get("sandbox_mode"), managed.get("approvals_reviewer")
    return _understood(
        {
            key: allowed
            for key, allowed in (
                ("allowed_approval_policies", [managed.get("approval_policy")]),
                ("allowed_sandbox_modes", list(dict.fromkeys([mode, "read-only"]))),
                ("allowed_approvals_reviewers", list(dict.fromkeys([reviewer, "user"]))),
            )
            if allowed[0] is not None
        },
        "managed_config.toml",
        [],
        [],
        [],
    )


def _wants_hooks_run(hooks: Any) -> bool:
    """Whether there are any, and not only a folder for them."""
    if not isinstance(hooks, Mapping):
        return bool(hooks)
    return any(hooks[key] for key in hooks if key not in _WHERE_HOOKS_LIE)


def _pins(
    features: Mapping[str, bool] | None, source: str, warnings: list[ConfigWarningNotification]
) -> dict[str, bool] | None:
    """Demands on features under their present names; what nobody knows is told and left out."""
    if features is None:
        return None
    pins: dict[str, bool] = {}
    for name, on in features.items():
        feature = OLD_NAMES.get(name, name)
        if feature in STAGES:
            pins[feature] = on
        else:
            summary = f"Nothing is known of the feature `{name}` that {source} demands."
            warnings.append(ConfigWarningNotification(summary=summary))
    return pins


_LISTS = tuple(key for key in _FIELDS if key.startswith("allowed_"))


def check_pins(requirements: ConfigRequirements | None, table: Mapping[str, Any]) -> None:
    """Raise `ConfigInvalid` when a file would switch a pinned feature the other way."""
    pins = (requirements.feature_requirements if requirements else None) or {}
    for name, on in (table.get("features") or {}).items():
        feature = OLD_NAMES.get(name, name)
        if isinstance(on, bool) and pins.get(feature, on) != on:
            raise ConfigInvalid(
                f"`features.{name}` = {str(on).lower()} is not allowed by your administrator"
            )


def constrained(
    config: Config, gathered: Gathered
) -> tuple[Config, list[ConfigWarningNotification]]:
    """The configuration with every value inside the demands, and what the user is told of it."""
    if gathered.reviewer_policy is not None:
        config = msgspec.structs.replace(config, auto_review_policy=gathered.reviewer_policy)
    requirements = gathered.requirements
    if requirements is None:
        return config, []
    changes: dict[str, Any] = {"requirements": requirements}
    warnings: list[ConfigWarningNotification] = []
    for key, allowed in _choices(requirements):
        chosen = getattr(config, key)
        what = f"`{key}` = {_shown(chosen)}"
        if key == "sandbox_mode" and config.permission_profile is not None:
            chosen = needed_mode(config.permission_profile)
            what = (
                f"The permission profile `{config.default_permissions}`, which opens no less than "
                f"`{key}` = {_shown(chosen)},"
            )
        if allowed and chosen not in allowed:
            changes[key] = allowed[0]
            summary = f"{what} is not allowed by your administrator; using {_shown(allowed[0])}."
            warnings.append(ConfigWarningNotification(summary=summary))
    if "sandbox_mode" in changes:
        around = Surroundings(codex_home=config.codex_home, cwd=config.cwd)
        changes["sandbox_policy"] = sandbox_policy(
            changes["sandbox_mode"], config.workspace_write, around
        )
        changes |= {"permission_profile": None, "proxied_network": None}
        changes["default_permissions"] = None
    if requirements.feature_requirements:
        changes["features"] = {**config.features, **requirements.feature_requirements}
    return msgspec.structs.replace(config, **changes), warnings


def check_choice(requirements: ConfigRequirements | None, key: str, chosen: Any) -> None:
    """Raise `ConfigInvalid` when a value set at run time is not allowed.

    `key` is `approval_policy`, `approvals_reviewer`, `sandbox_mode` or `web_search`.
    """
    if requirements is None:
        return
    for name, allowed in _choices(requirements):
        if name == key and allowed and chosen not in allowed:
            names = ", ".join(_shown(value) for value in allowed)
            raise ConfigInvalid(
                f"`{key}` = {_shown(chosen)} is not allowed by your administrator; allowed: {names}"
            )


def _choices(requirements: ConfigRequirements) -> Iterable[tuple[str, list[Any] | None]]:
    return (
        ("approval_policy", requirements.allowed_approval_policies),
        ("approvals_reviewer", requirements.allowed_approvals_reviewers),
        ("sandbox_mode", requirements.allowed_sandbox_modes),
        ("web_search", requirements.allowed_web_search_modes),
    )


def _converted(table: Mapping[str, Any], key: str) -> Any:
    if key not in table:
        return None
    field = next(f for f in msgspec.structs.fields(ConfigRequirements) if f.name == key)
    return msgspec.convert(table[key], field.type)


def _reviewers(names: list[str] | None) -> Any:
    """The reviewers under the names configurations are resolved to."""
    if names is None:
        return None
    return ["auto_review" if name == "guardian_subagent" else name for name in names]


def _with_disabled(modes: list[Any] | None) -> Any:
    """Switching web search off is always allowed."""
    if modes is None or "disabled" in modes:
        return modes
    return [*modes, "disabled"]


def _shown(value: Any) -> str:
    return "granular" if isinstance(value, GranularAskForApproval) else f'"{value}"'
