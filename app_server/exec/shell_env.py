"""Which variables a command may see.

The user's `shell_environment_policy` filters what this process has; what makes commands behave
without a terminal (no pager, no colours, plain UTF-8) comes on top. Pure: the environment is given.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Protocol

CORE_NAMES = frozenset(
    {"HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"}
)
DEFAULT_EXCLUDES = ("*KEY*", "*SECRET*", "*TOKEN*")

UNIFIED_EXEC_VARIABLES: Mapping[str, str] = {
    "NO_COLOR": "1",
    "TERM": "dumb",
    "LANG": "C.UTF-8",
    "LC_CTYPE": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "COLORTERM": "",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GH_PAGER": "cat",
    "CODEX_CI": "1",
}
"""What `exec_command` sets for every command."""

THREAD_ID = "CODEX_THREAD_ID"


class EnvironmentPolicy(Protocol):
    """The shape of `config.resolve.ShellEnvironmentPolicy`."""

    @property
    def inherit(self) -> Literal["all", "core", "none"]: ...
    @property
    def ignore_default_excludes(self) -> bool: ...
    @property
    def exclude(self) -> tuple[str, ...]: ...
    @property
    def set(self) -> Mapping[str, str]: ...
    @property
    def include_only(self) -> tuple[str, ...]: ...


def command_environment(
    policy: EnvironmentPolicy, parent: Mapping[str, str], thread_id: str | None = None
) -> dict[str, str]:
    """The variables a command of this thread gets, before those of a particular tool."""
    if policy.inherit == "all":
        env = dict(parent)
    elif policy.inherit == "core":
        env = {name: value for name, value in parent.items() if name.upper() in CORE_NAMES}
    else:
        env = {}
    if not policy.ignore_default_excludes:
        env = _without(env, DEFAULT_EXCLUDES)
    env = _without(env, policy.exclude)
    env.update(policy.set)
    if policy.include_only:
        wanted = _any_of(policy.include_only)
        env = {name: value for name, value in env.items() if wanted(name)}
    if thread_id is not None:
        env[THREAD_ID] = thread_id
    return env


def unified_exec_environment(
    policy: EnvironmentPolicy, parent: Mapping[str, str], thread_id: str | None = None
) -> dict[str, str]:
    """The variables of a command started by `exec_command`."""
    return command_environment(policy, parent, thread_id) | dict(UNIFIED_EXEC_VARIABLES)


def _without(env: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    dropped = _any_of(patterns)
    return {name: value for name, value in env.items() if not dropped(name)}


def _any_of(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Case-insensitive globs: only `*` and `?` are special."""
    compiled = [
        re.compile(fnmatch.translate(pattern.replace("[", "[[]")), re.IGNORECASE)
        for pattern in patterns
    ]
    return lambda name: any(pattern.match(name) for pattern in compiled)
