"""A line the user typed themselves: run outside the sandbox, shown, and told to the model.

Nobody is asked, since the user did it. What the command did enters the conversation as a marked
message, so that the model knows of it with its next request.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import msgspec

from app_server import clock, ids
from app_server.agent.events import ItemCompleted, Told
from app_server.agent.history import text_message
from app_server.agent.tools.long_commands import look_at
from app_server.exec.environment import SpawnRequest
from app_server.exec.errors import CommandNotStarted, EnvironmentLost
from app_server.protocol.item import CommandExecutionThreadItem
from app_server.protocol.item_deltas import (
    ITEM_COMMAND_EXECUTION_OUTPUT_DELTA,
    CommandExecutionOutputDeltaNotification,
)
from app_server.protocol.response_item import ResponseItem
from app_server.truncate import truncate_middle

if TYPE_CHECKING:
    from app_server.agent.turn import Turn
    from app_server.exec.sessions import SessionEnd

EXIT_CODE_NOT_STARTED = -1


async def run_user_command(turn: Turn, line: str) -> ResponseItem:
    """Run the line to its end; returns what the model is told. Cancelling ends the command."""
    from app_server.exec.shell import user_shell
    from app_server.exec.shell_env import thread_variables
    from app_server.execpolicy.command_actions import command_actions
    from app_server.execpolicy.shell_quote import shell_join

    session, cwd = turn.session, turn.settings.command_cwd
    argv = user_shell().argv(line, login=session.config.allow_login_shell)
    command, actions = await look_at(argv, lambda: (shell_join(argv), command_actions(argv, cwd)))
    item = CommandExecutionThreadItem(
        id=ids.uuid4(),
        command=command,
        command_actions=actions,
        cwd=str(cwd),
        status="inProgress",
        source="userShell",
    )
    variables = thread_variables(session.config.shell_environment_policy, turn.thread_id)
    request = SpawnRequest(
        argv=argv,
        cwd=str(cwd),
        env=variables.over(os.environ),
        variables=variables,
    )
    turn.start(item)
    running = _Running(turn, item, request)
    end = await running.to_the_end()
    done = msgspec.structs.replace(
        item,
        status="completed" if end.exit_code == 0 else "failed",
        exit_code=end.exit_code,
        aggregated_output=end.output or None,
        duration_ms=int(end.duration_seconds * 1000),
    )
    if not turn.aborted:
        session.emit(ItemCompleted(turn_id=turn.id, item=done, at_ms=clock.now_ms()))
    return told(line, end, turn)


class Ended(msgspec.Struct, frozen=True):
    """How the command ended."""

    exit_code: int
    output: str
    duration_seconds: float


def told(line: str, end: Ended, turn: Turn) -> ResponseItem:
    """The message that tells the model of it."""
    limits = turn.settings.facts.truncation
    output = truncate_middle(end.output, limits.mode, limits.limit)
    return text_message(
        "user",
        f"<user_shell_command>\n<command>\n{line}\n</command>\n<result>\n"
        f"Exit code: {end.exit_code}\nDuration: {end.duration_seconds:.4f} seconds\n"
        f"Output:\n{output}\n</result>\n</user_shell_command>",
    )


class _Running:
    def __init__(self, turn: Turn, item: CommandExecutionThreadItem, request: SpawnRequest) -> None:
        self._turn = turn
        self._item = item
        self._request = request
        self._ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    async def to_the_end(self) -> Ended:
        terminals = await self._turn.session.terminals()
        session_id = terminals.reserve_id()
        try:
            turn = self._turn
            await terminals.start(
                self._request,
                environment=await turn.session.services.environment(turn.settings.environment),
                session_id=session_id,
                on_output=self._wrote,
                on_exit=self._take_end,
                display=self._request.argv,
            )
            return await self._ended
        except (CommandNotStarted, EnvironmentLost) as error:
            return Ended(EXIT_CODE_NOT_STARTED, f"{error}\n", 0.0)
        except asyncio.CancelledError:
            await asyncio.shield(terminals.terminate(session_id))
            raise

    def _wrote(self, data: bytes) -> None:
        turn = self._turn
        if turn.aborted:
            return
        params = CommandExecutionOutputDeltaNotification(
            thread_id=turn.thread_id,
            turn_id=turn.id,
            item_id=self._item.id,
            delta=data.decode("utf-8", "replace"),
        )
        turn.session.emit(Told(row=ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, params=params))

    def _take_end(self, end: SessionEnd) -> None:
        if not self._ended.done():
            self._ended.set_result(Ended(end.exit_code, end.output, end.duration_seconds))
