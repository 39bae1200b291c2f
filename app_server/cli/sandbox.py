"""`codex sandbox linux -- COMMAND`: run one command as the agent's commands are run.

The policy is that of the configuration where the command runs, or a permission profile by name. The
command keeps our terminal and our streams; the exit status is its own. A sandbox that cannot be set
up means it does not run.
"""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from app_server.cli.options import Options, parse

if TYPE_CHECKING:
    from app_server.config.resolve import Config
    from app_server.sandbox.launch import PreparedCommand
    from app_server.sandbox.proxy_door import Door

PLATFORMS = ("linux", "landlock")
ELSEWHERE = {
    "macos": "a sandbox for macOS (Seatbelt)",
    "seatbelt": "a sandbox for macOS (Seatbelt)",
    "windows": "a sandbox for Windows",
}
"""Platforms the original names, and what of them is not built here."""


def run(options: Options) -> int:
    """Run the command; returns its exit status, 128 + signal for a killed one, 2 for a mistake."""
    parser = _parser()
    words = list(options.arguments)
    if words[:1] in (["-h"], ["--help"]):
        parser.print_help()
        return 0
    if not words:
        parser.error("the following arguments are required: COMMAND")
    platform = "linux" if words[0].startswith("-") else words.pop(0)
    if platform in ELSEWHERE:
        parser.error(
            f"{ELSEWHERE[platform]} is not part of this release; run Codex in a Linux container or "
            "virtual machine to have commands confined"
        )
    if platform not in PLATFORMS:
        parser.error(f"codex sandbox knows one platform, linux, and not {platform!r}")
    given = parser.parse_args(words)
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("the following arguments are required: COMMAND")
    own = parse([*_settings(given), *(["-C", given.cd] if given.cd else [])])
    overrides = own.overrides
    if given.permissions_profile:
        overrides = (*overrides, ("default_permissions", given.permissions_profile))
    cwd = own.cwd if given.cd else options.cwd
    from app_server.cli.confined import run as run_confined
    from app_server.cli.proxied import proxy_door

    try:
        config = _config(options, overrides, cwd)
        with proxy_door(config) as door:
            return run_confined(_prepared(config, cwd, command, door), "codex sandbox")
    except _Unusable as error:
        print(f"codex sandbox: {error}", file=sys.stderr)
        return 1


class _Unusable(Exception):
    """There is no policy, or nothing that keeps it."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codex sandbox linux",
        description="Run a command under the sandbox policy of the configuration.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-c", "--config", action="append", default=[], metavar="KEY=VALUE", help="one setting")
    add("-C", "--cd", metavar="FOLDER", help="where the policy is looked up and the command runs")
    add("-s", "--sandbox", choices=("read-only", "workspace-write", "danger-full-access"))
    add(
        *("-P", "--permissions-profile", "--permission-profile"),
        dest="permissions_profile",
        metavar="NAME",
        help="a [permissions.NAME] table, or :read-only, :workspace",
    )
    add("--enable", action="append", default=[], metavar="FEATURE", help="switch a feature on")
    add("--disable", action="append", default=[], metavar="FEATURE", help="switch a feature off")
    add("--full-auto", action="store_true", help="the same as -s workspace-write")
    # An administrator's demands hold in any case.
    add("--include-managed-config", action="store_true", help=argparse.SUPPRESS)
    add("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser


def _settings(given: argparse.Namespace) -> list[str]:
    """The options of a session that say the same."""
    words = [word for setting in given.config for word in ("-c", setting)]
    words += [word for name in given.enable for word in ("--enable", name)]
    words += [word for name in given.disable for word in ("--disable", name)]
    mode = given.sandbox or ("workspace-write" if given.full_auto else None)
    return words + (["-s", mode] if mode else [])


def _config(options: Options, overrides: tuple[tuple[str, object], ...], cwd: str) -> "Config":
    from pathlib import Path

    from app_server.config.errors import ConfigError
    from app_server.config.load import load_config
    from app_server.paths import codex_home

    given = [*options.overrides, *overrides]
    try:
        return load_config(codex_home(), Path(cwd), given, {}, profile=options.profile).checked()
    except ConfigError as error:
        raise _Unusable(str(error)) from error


def _prepared(
    config: "Config", cwd: str, command: list[str], door: "Door | None"
) -> "PreparedCommand":
    from app_server.exec.shell_env import command_environment
    from app_server.sandbox.errors import SandboxError
    from app_server.sandbox.launch import prepare

    env = command_environment(config.shell_environment_policy, os.environ)
    try:
        return prepare(
            config.confinement, command, cwd, env, codex_home=config.codex_home, door=door
        )
    except SandboxError as error:
        raise _Unusable(str(error)) from error
