"""What an administrator demands: `/etc/codex/requirements.toml`.

A chosen value that is not allowed is replaced by the first allowed one and the user is told; a
change asked for while a thread runs is refused (`check_choice`). A file that cannot be read or
understood lets no thread start: not knowing the demands must not mean ignoring them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app_server.config.errors import ConfigFileError, ConfigInvalid
from app_server.config.files import read_table
from app_server.config.kinds import ANYTHING, FLAG, Kind, ListOf, MapOf, Misfit, OneOf, Section
from app_server.config.permission_schema import APPROVAL_POLICY, REVIEWER, SANDBOX_MODE
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
    "rules": ANYTHING,
    "hooks": ANYTHING,
    "apps": ANYTHING,
    "experimental_network": ANYTHING,
    "permissions": ANYTHING,
    "guardian_policy_config": ANYTHING,
}
_NOT_ENFORCED_YET = (
    "mcp_servers",
    "rules",
    "hooks",
    "apps",
    "experimental_network",
    "permissions",
    "guardian_policy_config",
    "enforce_residency",
)
"""Demands this release knows but cannot hold anybody to, so it does not run under them."""


def read_requirements(path: Path) -> ConfigRequirements | None:
    """The demands in a file, None where there is no file. Raises `ConfigFileError`."""
    table = read_table(path)
    if not table:
        return None
    try:
        Section("ConfigRequirementsToml", _FIELDS).check(table, ())
    except Misfit as misfit:
        raise ConfigFileError(str(path), None, misfit.reason, misfit.key) from misfit
    unenforced = [key for key in _NOT_ENFORCED_YET if table.get(key)]
    if unenforced:
        keys = ", ".join(f"`{key}`" for key in unenforced)
        raise ConfigFileError(str(path), None, f"this release cannot enforce {keys} yet")
    return ConfigRequirements(
        allowed_approval_policies=_converted(table, "allowed_approval_policies"),
        allowed_approvals_reviewers=_reviewers(table.get("allowed_approvals_reviewers")),
        allowed_sandbox_modes=table.get("allowed_sandbox_modes"),
        allowed_web_search_modes=_with_disabled(table.get("allowed_web_search_modes")),
        feature_requirements=table.get("features"),
    )


def constrained(
    config: Config, requirements: ConfigRequirements | None
) -> tuple[Config, list[ConfigWarningNotification]]:
    """The configuration with every value inside the demands, and what the user is told of it."""
    if requirements is None:
        return config, []
    changes: dict[str, Any] = {"requirements": requirements}
    warnings: list[ConfigWarningNotification] = []
    for key, allowed in _choices(requirements):
        chosen = getattr(config, key)
        if allowed and chosen not in allowed:
            changes[key] = allowed[0]
            warnings.append(
                ConfigWarningNotification(
                    summary=f"`{key}` = {_shown(chosen)} is not allowed by your administrator; "
                    f"using {_shown(allowed[0])}."
                )
            )
    if "sandbox_mode" in changes:
        around = Surroundings(codex_home=config.codex_home, cwd=config.cwd)
        changes["sandbox_policy"] = sandbox_policy(
            changes["sandbox_mode"], config.workspace_write, around
        )
        changes |= {"permission_profile": None, "default_permissions": None}
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
