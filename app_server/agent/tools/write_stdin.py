"""Type into a terminal that still runs, or look at what it has written since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app_server.agent.events import Told
from app_server.agent.tools.exec_command import outcome_for_model
from app_server.agent.tools.spec import (
    ToolCall,
    ToolError,
    decode_arguments,
    function,
    number,
    string,
)
from app_server.exec.errors import EnvironmentLost, StdinClosed, UnknownSession
from app_server.protocol.item_deltas import (
    ITEM_COMMAND_EXECUTION_TERMINAL_INTERACTION,
    TerminalInteractionNotification,
)
from app_server.protocol.response_item import FunctionCallOutputBody
from app_server.protocol.wire import JsonObject

if TYPE_CHECKING:
    from app_server.agent.turn import Turn

DESCRIPTION = """Type into a command that still runs, or wait for more of its output. Returns what \
it wrote since the last look."""

PARAMETERS: JsonObject = {
    "chars": string("What to type; leave it empty to only look. Ctrl-C is \\u0003."),
    "max_output_tokens": number(
        "How much output to return; more is cut out in the middle. Default 10000."
    ),
    "session_id": number("The session id of the running command."),
    "yield_time_ms": number("How long to wait for output, in milliseconds."),
}


class Arguments(msgspec.Struct, frozen=True):
    session_id: int
    chars: str = ""
    yield_time_ms: float | None = None
    max_output_tokens: float | None = None


class WriteStdin:
    """Talks to a running terminal of this thread."""

    name = "write_stdin"
    runs_in_parallel = False

    def definition(self) -> JsonObject:
        return function(self.name, DESCRIPTION, PARAMETERS, ["session_id"])

    async def run(self, call: ToolCall, turn: Turn) -> FunctionCallOutputBody:
        arguments = decode_arguments(call, Arguments)
        terminals = await turn.session.terminals()
        item_id = turn.session.terminal_items.get(arguments.session_id)
        if item_id is not None:
            params = TerminalInteractionNotification(
                thread_id=turn.thread_id,
                turn_id=turn.id,
                item_id=item_id,
                process_id=str(arguments.session_id),
                stdin=arguments.chars,
            )
            turn.emit(Told(row=ITEM_COMMAND_EXECUTION_TERMINAL_INTERACTION, params=params))
        yield_ms = arguments.yield_time_ms
        try:
            outcome = await terminals.write(
                arguments.session_id,
                arguments.chars,
                yield_time_ms=None if yield_ms is None else max(int(yield_ms), 0),
            )
        except (UnknownSession, StdinClosed, EnvironmentLost) as error:
            raise ToolError(f"write_stdin failed: {error}") from error
        return outcome_for_model(outcome, arguments.max_output_tokens)
