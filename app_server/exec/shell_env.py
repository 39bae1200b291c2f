"""Which variables a command may see.

The user's `shell_environment_policy` filters what this process has; what makes commands behave
without a terminal (no pager, no colours, plain UTF-8) comes on top. Pure: the environment is given.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, Protocol

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


class Variables(NamedTuple):
    """What a command finds in its environment, said for any machine."""

    policy: EnvironmentPolicy
    added: Mapping[str, str]
    """On top of what the policy lets through."""
    removed: tuple[str, ...] = ()
    """Names of what is left out although the policy lets it through."""

    def over(self, parent: Mapping[str, str]) -> dict[str, str]:
        """The whole environment where this is what there is."""
        env = command_environment(self.policy, parent)
        for name in self.removed:
            env.pop(name, None)
        return env | dict(self.added)


def thread_variables(policy: EnvironmentPolicy, thread_id: str) -> Variables:
    """For a command in a thread."""
    return Variables(policy, {THREAD_ID: thread_id})


def unified_exec_variables(policy: EnvironmentPolicy, thread_id: str) -> Variables:
    """For a command started by `exec_command`."""
    return Variables(policy, {THREAD_ID: thread_id, **UNIFIED_EXEC_VARIABLES})


def command_environment(policy: EnvironmentPolicy, parent: Mapping[str, str]) -> dict[str, str]:
    """What the policy makes of these variables."""
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
    return env


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
