"""The older shell tools, in all their names: run a command to its end and report the whole of it.

They are not offered, but models trained on them call them anyway. A call is a list of words or one
line for the shell; it ends with its time limit. A command the sandbox most likely stopped is asked
about and run again outside of it, where the policy provides for that.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import msgspec

from app_server import clock, paths
from app_server.agent.events import ItemCompleted, Told
from app_server.agent.tools.apply_patch import apply_patch_text
from app_server.agent.tools.guarded_run import Permit, command_item, permit, permit_outside
from app_server.agent.tools.long_commands import look_at
from app_server.agent.tools.requirement import CommandCall, SandboxWish, is_escalated
from app_server.agent.tools.spec import (
    ToolCall,
    ToolError,
    array_of,
    decode_arguments,
    function,
    number,
    string,
)
from app_server.exec.errors import CommandNotStarted, EnvironmentLost
from app_server.protocol.item_deltas import (
    ITEM_COMMAND_EXECUTION_OUTPUT_DELTA,
    CommandExecutionOutputDeltaNotification,
)
from app_server.protocol.response_item import FunctionCallOutputBody
from app_server.protocol.wire import JsonObject
from app_server.truncate import truncate_middle

if TYPE_CHECKING:
    from app_server.agent.turn import Turn
    from app_server.exec.environment import OutputChunk
    from app_server.exec.one_shot import CommandResult

DEFAULT_TIMEOUT_MS = 10_000
KEPT_BYTES = 1024 * 1024
"""Of each stream; head and tail of more."""
NOT_STARTED_CODE = -1


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What both forms of a call may add to the command."""

    workdir: str | None = None
    timeout_ms: float | None = None
    timeout: float | None = None
    """The same under the name some models use."""
    sandbox_permissions: SandboxWish = "use_default"
    justification: str | None = None
    prefix_rule: list[str] | None = None

    @property
    def limit_ms(self) -> float:
        given = self.timeout_ms if self.timeout_ms is not None else self.timeout
        return DEFAULT_TIMEOUT_MS if given is None else max(given, 0)


class WordsArguments(Wishes, frozen=True, kw_only=True):
    command: list[str]


class LineArguments(Wishes, frozen=True, kw_only=True):
    command: str
    login: bool | None = None


class Shell:
    """A command as a list of words. `name` is one of the names models know it by."""

    runs_in_parallel = True

    def __init__(self, name: str) -> None:
        self.name = name

    def definition(self) -> JsonObject:
        words = array_of({"type": "string"}, "The command and its arguments.")
        return function(self.name, "Run a command.", {"command": words, **_COMMON}, ["command"])

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        arguments = decode_arguments(call, WordsArguments)
        if not arguments.command:
            raise ToolError("command args are empty")
        argv = _through_profile(tuple(arguments.command), turn)
        command = await look_at(argv, lambda: _Command(call.call_id, argv, arguments, turn))
        return await command.run()


def _through_profile(words: tuple[str, ...], turn: Turn) -> tuple[str, ...]:
    """The words as a line for the user's login shell, where commands are to see its profile."""
    config = turn.session.config
    if not config.shell_environment_policy.experimental_use_profile or not config.allow_login_shell:
        return words
    from app_server.exec.shell import user_shell
    from app_server.execpolicy.shell_quote import shell_join

    return user_shell().argv(shell_join(words), login=True)


class ShellCommand:
    """A command as one line."""

    name = "shell_command"
    runs_in_parallel = True

    def definition(self) -> JsonObject:
        line = string("The command line to run in the shell.")
        return function(
            self.name, "Run a shell command.", {"command": line, **_COMMON}, ["command"]
        )

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        from app_server.exec.shell import user_shell

        arguments = decode_arguments(call, LineArguments)
        login = arguments.login is not False and turn.session.config.allow_login_shell
        argv = user_shell().argv(arguments.command, login=login)
        command = await look_at(argv, lambda: _Command(call.call_id, argv, arguments, turn))
        return await command.run()


_COMMON: JsonObject = {
    "workdir": string("The folder to run in. Default: the working folder."),
    "timeout_ms": number("How long it may take, in milliseconds. Default 10000."),
}


class _Command:
    """One command from call to end."""

    def __init__(self, call_id: str, argv: tuple[str, ...], wishes: Wishes, turn: Turn) -> None:
        from app_server.execpolicy.shell_quote import shell_join

        if any("\0" in word for word in argv):
            raise ToolError("failed to parse function arguments: a command cannot hold NUL bytes")
        self._turn = turn
        self._limit_ms = wishes.limit_ms
        cwd = paths.absolute(wishes.workdir or ".", turn.settings.command_cwd)
        self._call = CommandCall(
            call_id=call_id,
            argv=argv,
            command=shell_join(argv),
            cwd=cwd,
            escalated=is_escalated(wishes.sandbox_permissions),
            justification=wishes.justification,
            prefix_rule=tuple(wishes.prefix_rule) if wishes.prefix_rule else None,
        )
        self._item = command_item(self._call)

    async def run(self) -> str:
        from app_server.patch.shell_call import patch_in_command

        found = patch_in_command(self._call.argv)
        if found is not None:
            cwd = paths.absolute(found.workdir or ".", self._call.cwd)
            return await apply_patch_text(self._turn, self._call.call_id, found.text, cwd)
        permitted = await permit(self._turn, self._call, self._item, tty=False)
        if permitted.item_started:
            self._turn.keep(self._item)
        else:
            self._turn.start(self._item)
        result = await self._to_the_end(permitted)
        outside = await self._permit_outside(permitted, result)
        if outside is not None:
            result = await self._to_the_end(outside)
        self._ended(result.exit_code, _output(result), result.duration_seconds)
        return self._report(result)

    async def _permit_outside(self, first: Permit, result: CommandResult) -> Permit | None:
        """A second attempt without a sandbox, if that stopped the first and somebody agrees."""
        from app_server.sandbox.denial import was_denied

        told = result.sandbox_denied
        if not was_denied(first.confinement, result.exit_code, _output(result), told):
            return None
        return await permit_outside(self._turn, self._call, self._item, first)

    async def _to_the_end(self, permitted: Permit) -> CommandResult:
        from app_server.exec.one_shot import run_to_end
        from app_server.exec.terminal import LIVE_OUTPUT_BYTES

        decoders = {name: _decoder() for name in ("stdout", "stderr", "pty")}

        live_left_bytes = LIVE_OUTPUT_BYTES

        def wrote(chunk: OutputChunk) -> None:
            nonlocal live_left_bytes
            if live_left_bytes > 0:
                live_left_bytes -= chunk.size_bytes
                self._wrote(decoders[chunk.stream].decode(chunk.data))

        settings = self._turn.settings
        environment = await self._turn.session.services.environment(settings.environment)
        try:
            return await run_to_end(
                environment,
                permitted.request,
                timeout_seconds=self._limit_ms / 1000,
                cap_bytes=KEPT_BYTES,
                on_output=wrote,
            )
        except (CommandNotStarted, EnvironmentLost) as error:
            said = f"execution error: {error}"
            self._ended(NOT_STARTED_CODE, said, 0.0)
            raise ToolError(said) from error

    def _wrote(self, text: str) -> None:
        turn = self._turn
        if text:
            params = CommandExecutionOutputDeltaNotification(
                thread_id=turn.thread_id, turn_id=turn.id, item_id=self._item.id, delta=text
            )
            turn.emit(Told(row=ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, params=params))

    def _ended(self, exit_code: int, output: str, seconds: float) -> None:
        item = msgspec.structs.replace(
            self._item,
            status="completed" if exit_code == 0 else "failed",
            exit_code=exit_code,
            aggregated_output=output or None,
            duration_ms=int(seconds * 1000),
        )
        self._turn.emit(ItemCompleted(turn_id=self._turn.id, item=item, at_ms=clock.now_ms()))

    def _report(self, result: CommandResult) -> str:
        output = _output(result)
        if result.timed_out:
            output = f"command timed out after {int(self._limit_ms)} milliseconds\n{output}"
        limits = self._turn.settings.facts.truncation
        shown = truncate_middle(output, limits.mode, limits.limit)
        lines = [f"Exit code: {result.exit_code}"]
        lines.append(f"Wall time: {round(result.duration_seconds, 1):g} seconds")
        if shown != output:
            lines.append(f"Total output lines: {len(output.splitlines())}")
        return "\n".join([*lines, "Output:", shown])


def _output(result: CommandResult) -> str:
    """What it wrote, its complaints last."""
    return (result.stdout + result.stderr).decode("utf-8", "replace")


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")
