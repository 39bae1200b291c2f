"""`codex sandbox linux -- COMMAND`: run one command as the agent's commands are run.

The policy is that of the configuration where the command runs. The command keeps our terminal and
our streams; the exit status is its own. A sandbox that cannot be set up means it does not run.
"""

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from app_server.cli.options import Options, parse

if TYPE_CHECKING:
    from app_server.sandbox.launch import PreparedCommand

PLATFORMS = ("linux", "landlock")
COULD_NOT_RUN = 126
NOT_FOUND = 127
OUT_OF_THE_WAY = 64
"""Descriptors from here on are in nobody's way while those of the command take their numbers."""


def run(options: Options) -> int:
    """Run the command; returns its exit status, 128 + signal for a killed one, 2 for a mistake."""
    parser = argparse.ArgumentParser(
        prog="codex sandbox linux",
        description="Run a command under the sandbox policy of the configuration.",
        allow_abbrev=False,
    )
    parser.add_argument("-c", "--config", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("-C", "--cd", metavar="FOLDER")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    words = list(options.arguments)
    if words[:1] in (["-h"], ["--help"]):
        parser.print_help()
        return 0
    if not words or words[0] not in PLATFORMS:
        parser.error("codex sandbox knows one platform: linux")
    given = parser.parse_args(words[1:])
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("the following arguments are required: COMMAND")
    settings = [word for setting in given.config for word in ("-c", setting)]
    own = parse(settings + (["-C", given.cd] if given.cd else []))
    cwd = own.cwd if given.cd else options.cwd
    try:
        prepared = _prepared(options, own.overrides, cwd, command)
    except _Unusable as error:
        print(f"codex sandbox: {error}", file=sys.stderr)
        return 1
    return _run(prepared)


class _Unusable(Exception):
    """There is no policy, or nothing that keeps it."""


def _prepared(
    options: Options, overrides: tuple[tuple[str, object], ...], cwd: str, command: list[str]
) -> "PreparedCommand":
    from pathlib import Path

    from app_server.config.errors import ConfigError
    from app_server.config.load import load_config
    from app_server.exec.shell_env import command_environment
    from app_server.paths import codex_home
    from app_server.sandbox.errors import SandboxUnavailable
    from app_server.sandbox.launch import prepare

    home = codex_home()
    try:
        config = load_config(
            home, Path(cwd), [*options.overrides, *overrides], {}, profile=options.profile
        ).checked()
    except ConfigError as error:
        raise _Unusable(str(error)) from error
    env = command_environment(config.shell_environment_policy, os.environ)
    try:
        return prepare(config.sandbox_policy, command, cwd, env, codex_home=home)
    except SandboxUnavailable as error:
        raise _Unusable(str(error)) from error


def _run(prepared: "PreparedCommand") -> int:
    from app_server.exec_server.mount_points import MountPointBlocked, hold, release

    held: list[tuple[str, int]] = []
    try:
        for path in prepared.mount_points:
            held.append((path, hold(path)))
        pid = os.fork()
        if pid == 0:
            _become(prepared)
        return _status_of(pid)
    except (OSError, MountPointBlocked) as error:
        print(f"codex sandbox: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    finally:
        for path, descriptor in held:
            release(path, descriptor)


def _become(prepared: "PreparedCommand") -> None:
    """Turn this process into the command; never returns."""
    import fcntl

    try:
        waiting = {}
        for number, data in prepared.inherited_data.items():
            file = os.memfd_create("inherited")
            os.write(file, data)
            os.lseek(file, 0, os.SEEK_SET)
            waiting[number] = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)
            os.close(file)
        for number, file in waiting.items():
            os.dup2(file, number)
        os.chdir(prepared.cwd)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and it is inherited
        words = [prepared.arg0 or prepared.argv[0], *prepared.argv[1:]]
        os.execvpe(prepared.argv[0], words, dict(prepared.env))
    except FileNotFoundError:
        print(f"codex sandbox: {prepared.argv[0]}: command not found", file=sys.stderr, flush=True)
        os._exit(NOT_FOUND)
    except OSError as error:
        print(f"codex sandbox: {error}", file=sys.stderr, flush=True)
        os._exit(COULD_NOT_RUN)


def _status_of(pid: int) -> int:
    """Wait for the command, which gets the terminal's signals itself."""
    kept = {name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGINT, signal.SIGQUIT)}
    ending = signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        signal.signal(signal.SIGTERM, ending)
        for name, handler in kept.items():
            signal.signal(name, handler)
    return code if code >= 0 else 128 - code
