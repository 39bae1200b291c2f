"""Commands the model runs, interrupted; and those that go on in a terminal."""

import asyncio
import os
from pathlib import Path

from app_server.demo.provider import ScriptedModel
from app_server.protocol.approvals import (
    SERVER_REQUEST_RESOLVED,
    CommandExecutionRequestApprovalResponse,
)
from app_server.protocol.item import ITEM_COMPLETED
from app_server.protocol.item_deltas import (
    ITEM_COMMAND_EXECUTION_OUTPUT_DELTA,
    ITEM_COMMAND_EXECUTION_TERMINAL_INTERACTION,
)
from tests.server.test_turns_commands import asked, asking, commands, ended, last_output, thread
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import calls_tool, runs_command, says

__all__ = ["asking", "thread"]


async def test_an_interrupt_ends_the_commands_whole_tree(
    thread: Conversation, model: ScriptedModel, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    script = f"trap '' TERM INT HUP; sleep 300 & echo $! $$ > {pids}; echo begun; wait; sleep 300"
    model.script(runs_command(script, yield_time_ms=30_000), says("never"))
    turn_id = await thread.say("Run it.")
    await thread.until(ITEM_COMMAND_EXECUTION_OUTPUT_DELTA, within_seconds=PROCESS_WAIT_SECONDS)
    await thread.interrupt(turn_id)
    assert (await thread.ended()).status == "interrupted"
    for pid in pids.read_text().split():
        await gone(int(pid))
    assert commands(thread, ITEM_COMPLETED) == []
    stored = thread.path.read_text()
    assert "aborted by user after " in stored


async def gone(pid: int) -> None:
    """Wait until a process has ended, by the kernel's own word."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, over.set)
    try:
        async with asyncio.timeout(PROCESS_WAIT_SECONDS):
            await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def test_an_interrupt_during_a_question_withdraws_it(
    asking: Conversation, model: ScriptedModel, workspace: Path
) -> None:
    model.script(runs_command("touch made.txt"), says("never"))
    turn_id = await asking.say("Go.")
    question = await asked(asking)
    await asking.interrupt(turn_id)
    await asking.until(SERVER_REQUEST_RESOLVED)
    told = asking.told()
    assert told.index("turn/completed interrupted") < told.index("serverRequest/resolved")
    await asking.client.answer(
        question.id, CommandExecutionRequestApprovalResponse(decision="accept")
    )
    model.script(says("Next."))
    await asking.say("Next.")
    assert await ended(asking) == "completed"
    assert not (workspace / "made.txt").exists()


async def test_a_terminal_goes_on_and_can_be_typed_into(
    thread: Conversation, model: ScriptedModel
) -> None:
    model.script(
        runs_command("read line; echo got $line", call_id="call_1", tty=True, yield_time_ms=250),
        calls_tool(
            "write_stdin",
            '{"session_id": ${SID}, "chars": "hello\\n", "yield_time_ms": 30000}',
            capture={"SID": "session ID ([0-9]+)"},
        ),
        says("Done."),
    )
    await thread.say("Run.")
    assert await ended(thread) == "completed"
    told = await last_output(model, 3)
    assert "Process exited with code 0" in told
    assert told.endswith("got hello\r\n")
    (interaction,) = thread.params_of(ITEM_COMMAND_EXECUTION_TERMINAL_INTERACTION)
    assert (interaction.item_id, interaction.stdin) == ("call_1", "hello\n")
