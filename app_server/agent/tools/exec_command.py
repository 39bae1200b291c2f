"""Run a command in a terminal that stays until the command ends.

The call returns when the command has ended or its waiting time is over; what still runs goes on
under a session id. The item shown to readers begins when the command does (or when someone is asked
about it) and ends with the command, which may be after the turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app_server import clock, paths
from app_server.agent.events import ItemCompleted, Told
from app_server.agent.history import text_message
from app_server.agent.tools.apply_patch import apply_patch_text
from app_server.agent.tools.exec_text import could_not_run, outcome_text, rejected
from app_server.agent.tools.guarded_run import (
    NotPermitted,
    Permit,
    command_item,
    permit,
    permit_outside,
    tries_outside,
)
from app_server.agent.tools.long_commands import look_at
from app_server.agent.tools.requirement import CommandCall, SandboxWish, is_escalated
from app_server.agent.tools.spec import (
    ToolCall,
    ToolError,
    array_of,
    boolean,
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

if TYPE_CHECKING:
    from app_server.agent.turn import Turn
    from app_server.exec.environment import Environment
    from app_server.exec.sessions import ExecOutcome, SessionEnd

DEFAULT_YIELD_MS = 10_000
DEFAULT_MAX_OUTPUT_TOKENS = 10_000

DESCRIPTION = """Run a shell command. Returns its output when it has ended or the waiting time is \
over; a command that still runs then goes on under the session id given in the result."""


class Arguments(msgspec.Struct, frozen=True):
    cmd: str
    workdir: str | None = None
    shell: str | None = None
    login: bool | None = None
    tty: bool = False
    yield_time_ms: float | None = None
    max_output_tokens: float | None = None
    sandbox_permissions: SandboxWish = "use_default"
    justification: str | None = None
    prefix_rule: list[str] | None = None


class ExecCommand:
    """Starts a command and waits for a while."""

    name = "exec_command"
    runs_in_parallel = True

    def definition(self) -> JsonObject:
        return function(self.name, DESCRIPTION, PARAMETERS, ["cmd"])

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        arguments = decode_arguments(call, Arguments)
        if "\0" in arguments.cmd:
            raise ToolError("failed to parse function arguments: a command cannot hold NUL bytes")
        run = await look_at([arguments.cmd], lambda: Run(call.call_id, arguments, turn))
        return await run.run()


PARAMETERS: JsonObject = {
    "cmd": string("The command line to run in the shell."),
    "justification": string(
        "With `require_escalated` only: one short question asking the person to allow this "
        "command outside the sandbox."
    ),
    "login": boolean("Whether the shell is a login shell. Default true."),
    "max_output_tokens": number(
        "How much output to return; more is cut out in the middle. Default 10000."
    ),
    "prefix_rule": array_of(
        {"type": "string"},
        "With `require_escalated` only: the beginning of the command that could be allowed for "
        'good, such as ["npm", "test"].',
    ),
    "sandbox_permissions": string(
        "`use_default`, or `require_escalated` to run outside the sandbox once the person agreed."
    ),
    "shell": string("The shell to use. Default: the person's own."),
    "tty": boolean(
        "Whether to run it in a terminal, which also keeps its input open. Default false."
    ),
    "workdir": string("The folder to run in. Default: the working folder."),
    "yield_time_ms": number("How long to wait for it, in milliseconds. Default 10000."),
}


class Run:
    """One command from call to end."""

    def __init__(self, call_id: str, arguments: Arguments, turn: Turn) -> None:
        from app_server.exec.shell import named_shell, user_shell
        from app_server.execpolicy.shell_quote import shell_join

        self._turn = turn
        self._arguments = arguments
        cwd = paths.absolute(arguments.workdir or ".", turn.settings.command_cwd)
        shell = named_shell(arguments.shell) if arguments.shell else user_shell()
        login = arguments.login is not False and turn.session.config.allow_login_shell
        argv = shell.argv(arguments.cmd, login=login)
        self._call = CommandCall(
            call_id=call_id,
            argv=argv,
            command=shell_join(argv),
            cwd=cwd,
            escalated=is_escalated(arguments.sandbox_permissions),
            justification=arguments.justification,
            prefix_rule=tuple(arguments.prefix_rule) if arguments.prefix_rule else None,
            source="unifiedExec",
        )
        self._item = command_item(self._call)
        self._is_waited_for = True
        self._confinement = ""
        self._stopped: SessionEnd | None = None
        """How the sandbox ended the first attempt; the item goes on with a second one."""

    async def run(self) -> str:
        patched = await self._as_patch()
        if patched is not None:
            return patched
        try:
            permitted = await permit(self._turn, self._call, self._item, tty=self._arguments.tty)
            outcome = await self._attempt(permitted)
            outside = await self._permit_outside(permitted)
        except NotPermitted as error:
            told = could_not_run(self._call.command, rejected(error.reason))
            raise ToolError(told) from error
        if outside is not None:
            outcome = await self._attempt(outside)
        self._is_waited_for = False
        left = self._turn.session.open_items.left_behind(self._item.id)
        if left is not None:
            self._turn.keep(left)
        terminals = await self._turn.session.terminals()
        if outcome.session_id is not None and terminals.warning is not None:
            self._turn.record_later(text_message("user", terminals.warning))
        return outcome_for_model(outcome, self._arguments.max_output_tokens)

    async def _attempt(self, permitted: Permit) -> ExecOutcome:
        self._confinement = permitted.confinement
        terminals = await self._turn.session.terminals()
        session_id = terminals.reserve_id()
        self._item = msgspec.structs.replace(
            self._item, source="unifiedExecStartup", process_id=str(session_id)
        )
        yield_ms = self._arguments.yield_time_ms
        try:
            return await terminals.start(
                permitted.request,
                yield_time_ms=DEFAULT_YIELD_MS if yield_ms is None else max(int(yield_ms), 0),
                session_id=session_id,
                environment=await self._environment(),
                on_started=lambda _id, _pid: self._started(permitted),
                on_output=self._wrote,
                on_exit=self._ended,
                display=self._call.argv,
            )
        except (CommandNotStarted, EnvironmentLost) as error:
            if permitted.item_started:
                self._turn.complete(msgspec.structs.replace(self._item, status="failed"))
            reason = f"Failed to create unified exec process: {error}"
            raise ToolError(could_not_run(self._call.command, rejected(reason))) from error

    async def _permit_outside(self, first: Permit) -> Permit | None:
        """A second attempt without a sandbox, if that stopped the first and somebody agrees."""
        end, self._stopped = self._stopped, None
        if end is None:
            return None
        return await permit_outside(
            self._turn, self._call, self._item, first, tty=self._arguments.tty
        )

    async def _environment(self) -> Environment:
        return await self._turn.session.services.environment(self._turn.settings.environment)

    async def _as_patch(self) -> str | None:
        """A call that is nothing but `apply_patch` changes files right here."""
        from app_server.patch.shell_call import patch_in_command

        found = patch_in_command(self._call.argv)
        if found is None:
            return None
        began = clock.monotonic()
        cwd = paths.absolute(found.workdir or ".", self._call.cwd)
        result = await apply_patch_text(self._turn, self._call.call_id, found.text, cwd)
        return f"Wall time: {clock.monotonic() - began:.4f} seconds\nOutput:\n{result}"

    def _started(self, permitted: Permit) -> None:
        session_id = self._item.process_id
        if session_id is not None:
            self._turn.session.terminal_items[int(session_id)] = self._item.id
        if permitted.item_started:
            self._turn.keep(self._item)
        else:
            self._turn.start(self._item)

    def _wrote(self, data: bytes) -> None:
        turn = self._turn
        if self._ends_with_its_turn:
            return
        params = CommandExecutionOutputDeltaNotification(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            item_id=self._item.id,
            delta=data.decode("utf-8", "replace"),
        )
        turn.session.emit(Told(row=ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, params=params))

    def _ended(self, end: SessionEnd) -> None:
        """The command is over, perhaps after its turn."""
        turn = self._turn
        turn.session.terminal_items.pop(end.session_id, None)
        if self._ends_with_its_turn:
            return
        if self._is_waited_for and self._was_stopped(end):
            self._stopped = end
            return
        # a command that ends with the thread has no result of its own, whatever signal it got
        stopped = end.reason == "closed" and end.exit_code != 0
        item = msgspec.structs.replace(
            self._item,
            status="completed" if end.exit_code == 0 else "failed",
            exit_code=None if stopped else end.exit_code,
            aggregated_output=end.output or None,
            duration_ms=int(end.duration_seconds * 1000),
        )
        turn.session.emit(ItemCompleted(turn_id=turn.id, item=item, at_ms=clock.now_ms()))

    def _was_stopped(self, end: SessionEnd) -> bool:
        """Whether the sandbox most likely ended it and it may be tried without one."""
        from app_server.sandbox.denial import was_denied

        return tries_outside(self._turn) and was_denied(
            self._confinement, end.exit_code, end.output, end.sandbox_denied
        )

    @property
    def _ends_with_its_turn(self) -> bool:
        """An interrupted turn says nothing more of what it waited for; what had already gone to
        the background goes on, and tells its output and its end."""
        return self._turn.aborted and self._is_waited_for


def outcome_for_model(outcome: ExecOutcome, max_output_tokens: float | None) -> str:
    """What a report of a terminal tells the model."""
    limit = DEFAULT_MAX_OUTPUT_TOKENS if max_output_tokens is None else int(max_output_tokens)
    return outcome_text(
        chunk_id=outcome.chunk_id,
        wall_seconds=outcome.wall_seconds,
        exit_code=outcome.exit_code,
        session_id=outcome.session_id,
        original_token_count=outcome.original_token_count,
        output=outcome.output,
        max_tokens=max(limit, 0),
    )
