"""Which mechanism of this machine can hold a command, found by trying, once per process.

A trial is the real thing with a command that does nothing, so what is promised has worked. The
mechanisms are tried best first, and only as far as needed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple, TypeAlias

from app_server.sandbox import bubblewrap, helper, landlock, seccomp
from app_server.sandbox.policy import Access
from app_server.sandbox.trial import Trial, attempt

Mechanism: TypeAlias = Literal["bubblewrap", "namespaces", "landlock", "none"]
SandboxPromise: TypeAlias = Literal["read-only", "workspace-write"]

_STRICTEST = Access(is_confined=True)
_DO_NOTHING = ("/bin/sh", "-c", ":")
_NO_VARIABLES: Mapping[str, str] = {}


class SandboxFacts(NamedTuple):
    """What can be promised here."""

    mechanism: Mechanism
    keeps: frozenset[SandboxPromise] = frozenset()
    """The promises kept."""
    missing: str | None = None
    """What a better mechanism lacks, as a clause; None if the best one works."""
    remedy: str | None = None
    """What the user can do about it, as a sentence."""
    program: str | None = None
    """Where bubblewrap is, if it is used."""
    locks_namespaces: bool = False
    """bubblewrap itself can refuse further namespaces; otherwise the filter alone does."""


@cache
def facts() -> SandboxFacts:
    """Try the mechanisms, best first; the answer is remembered. Blocks some tens of ms once."""
    if sys.platform != "linux":
        return SandboxFacts(
            mechanism="none",
            missing="confinement is built for Linux only",
            remedy="Run Codex in a Linux container or virtual machine.",
        )
    try:
        seccomp.program(network_allowed=False)
    except seccomp.UnknownMachine as error:
        return SandboxFacts(
            mechanism="none",
            missing=f"no filter is known for the processor {error}",
            remedy="Run Codex on x86_64 or aarch64.",
        )
    both: frozenset[SandboxPromise] = frozenset(("read-only", "workspace-write"))
    program = bubblewrap.find_program()
    why_not_bubblewrap = "bubblewrap is not installed"
    remedy = "Install it, for example with `apt install bubblewrap`."
    if program is not None:
        for locks in (True, False):
            trial = try_bubblewrap(program, locks)
            if trial.works:
                return SandboxFacts(
                    mechanism="bubblewrap", keeps=both, program=program, locks_namespaces=locks
                )
        why_not_bubblewrap = f"bubblewrap does not work here ({trial.complaint})"
        remedy = _remedy()
    own = try_namespaces()
    if own.works:
        return SandboxFacts(
            mechanism="namespaces", keeps=both, missing=why_not_bubblewrap, remedy=remedy
        )
    missing = f"{why_not_bubblewrap}, and namespaces are refused ({own.complaint})"
    if try_landlock().works:
        return SandboxFacts(
            mechanism="landlock",
            keeps=frozenset(("read-only",)),
            missing=missing,
            remedy=_remedy(),
        )
    return SandboxFacts(
        mechanism="none",
        missing=f"{missing}, and Landlock is missing or too old",
        remedy=_remedy(),
    )


def try_bubblewrap(program: str, locks_namespaces: bool = True) -> Trial:
    argv = bubblewrap.arguments(
        program, _STRICTEST, _DO_NOTHING, "/", _NO_VARIABLES, locks_namespaces=locks_namespaces
    )
    data = {bubblewrap.SECCOMP_FD: seccomp.program(network_allowed=False)}
    return attempt(argv, _NO_VARIABLES, data)


@cache
def try_namespaces() -> Trial:
    return attempt(*helper.in_namespaces(_STRICTEST, _DO_NOTHING, "/", _NO_VARIABLES))


@cache
def try_landlock() -> Trial:
    if landlock.version() < landlock.LEAST_VERSION_ALONE:
        return Trial(False, f"Landlock has version {landlock.version()} here")
    return attempt(*helper.in_landlock(_STRICTEST, _DO_NOTHING, "/", _NO_VARIABLES))


def _remedy() -> str:
    """What most likely keeps namespaces away, and how that is changed."""
    if _kernel_setting("user/max_user_namespaces") == "0":
        return "Allow user namespaces: `sysctl -w user.max_user_namespaces=15000`."
    if _kernel_setting("kernel/unprivileged_userns_clone") == "0":
        return "Allow user namespaces: `sysctl -w kernel.unprivileged_userns_clone=1`."
    if _kernel_setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "Allow user namespaces: load an AppArmor profile for bubblewrap, or "
            "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    if any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))):
        return (
            "Start the container with `--security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined`, and `--security-opt systempaths=unconfined` "
            "if /proc is refused."
        )
    return "Install bubblewrap and allow user namespaces for this user."


def _kernel_setting(name: str) -> str | None:
    try:
        with open(f"/proc/sys/{name}") as file:
            return file.read().strip()
    except OSError:
        return None
