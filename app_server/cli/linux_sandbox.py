"""The program under the name `codex-linux-sandbox`: apply a policy to itself, become the command.

It takes the words that clients of every release put before a command (`--permission-profile JSON`,
older `--sandbox-policy JSON`, and the two halves between them). No thread starts, nothing is read
but what the policy names, and the sandbox is that of the agent's own commands. Where something is
missing it says so and ends with 125; nothing runs unconfined.
"""

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from app_server.cli.streams import accept_any_text

if TYPE_CHECKING:
    from app_server.sandbox.launch import PreparedCommand
    from app_server.sandbox.wishes import Permissions

NAME = "codex-linux-sandbox"
SET_UP_FAILED = 125
MISTAKE = 2

_WITH_VALUE = {
    "--sandbox-policy-cwd": "policy_cwd",
    "--command-cwd": "command_cwd",
    "--permission-profile": "profile",
    "--sandbox-policy": "policy",
    "--file-system-sandbox-policy": "file_system",
    "--network-sandbox-policy": "network",
}
_SWITCHES = {
    "--use-legacy-landlock": "landlock_only",
    # What a release once had to be told, and is found out here.
    "--no-proc": "",
    "--use-bwrap-sandbox": "",
}
_NOT_HERE = {
    "--allow-network-for-proxy": "a managed network proxy is not part of this release",
    "--proxy-route-spec": "a managed network proxy is not part of this release",
    "--apply-seccomp-then-exec": "an inner step of another program's sandbox",
}
_HELP = f"""\
usage: {NAME} --sandbox-policy-cwd FOLDER [--command-cwd FOLDER]
         (--permission-profile JSON | --sandbox-policy JSON
          | --file-system-sandbox-policy JSON --network-sandbox-policy JSON)
         [--use-legacy-landlock] -- COMMAND…

Runs one command under a sandbox policy; its exit status is the command's own.
"""


class Call(NamedTuple):
    """What the words ask for."""

    command: tuple[str, ...]
    policy_cwd: str
    command_cwd: str | None = None
    profile: str | None = None
    policy: str | None = None
    file_system: str | None = None
    network: str | None = None
    landlock_only: bool = False


def main(argv: list[str] | None = None) -> int:
    """Become the command; returns where something goes wrong or is left to do after it."""
    accept_any_text()
    words = sys.argv[1:] if argv is None else argv
    if words[:1] in (["-h"], ["--help"]):
        print(_HELP, end="")
        return 0
    try:
        call = _read(words)
    except ValueError as mistake:
        print(f"{NAME}: {mistake}\n\n{_HELP}", end="", file=sys.stderr)
        return MISTAKE
    from app_server.sandbox.errors import SandboxError

    try:
        prepared = _prepared(call)
    except SandboxError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return SET_UP_FAILED
    from app_server.cli.confined import become, run

    if prepared.mount_points:
        return run(prepared, NAME)
    return become(prepared, NAME)


def _read(words: list[str]) -> Call:
    """Options may stand with their value in one word or in two; the rest is the command."""
    given: dict[str, Any] = {}
    waiting = list(words)
    while waiting and waiting[0].startswith("-"):
        name, equals, value = waiting.pop(0).partition("=")
        if name == "--":
            break
        if name in _WITH_VALUE:
            if not equals:
                if not waiting:
                    raise ValueError(f"{name} needs a value")
                value = waiting.pop(0)
            given[_WITH_VALUE[name]] = value
        elif name in _SWITCHES and not equals:
            given[_SWITCHES[name]] = True
        elif name in _NOT_HERE:
            raise ValueError(f"{name}: {_NOT_HERE[name]}")
        else:
            raise ValueError(f"unknown option {name}")
    given.pop("", None)
    if "policy_cwd" not in given:
        raise ValueError("--sandbox-policy-cwd is required")
    if not waiting:
        raise ValueError("no command to run")
    said = [name for name in ("profile", "policy", "file_system") if name in given]
    if len(said) != 1 or ("file_system" in given) != ("network" in given):
        raise ValueError("give one policy: --permission-profile, --sandbox-policy, or both halves")
    return Call(command=tuple(waiting), **given)


def _prepared(call: Call) -> "PreparedCommand":
    from app_server.sandbox.launch import prepare

    cwd = os.path.abspath(call.command_cwd or ".")
    return prepare(
        _permissions(call),
        call.command,
        cwd,
        os.environ,
        policy_cwd=os.path.abspath(call.policy_cwd),
        codex_home=_codex_home(),
        mechanism="landlock" if call.landlock_only else None,
    )


def _permissions(call: Call) -> "Permissions":
    from app_server.sandbox.plain_profile import read_plain_profile

    plain = None if call.profile is None else read_plain_profile(call.profile)
    if plain is not None:
        return plain
    from app_server.sandbox.spellings import read_policy, read_profile, read_split

    if call.profile is not None:
        return read_profile(call.profile)
    if call.policy is not None:
        return read_policy(call.policy)
    return read_split(call.file_system or "", call.network or "")


def _codex_home() -> str | None:
    """Kept from writing where a policy opens what lies around it."""
    home = os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex")
    return os.path.realpath(home) if os.path.isdir(home) else None


if __name__ == "__main__":
    sys.exit(main())
