"""A server as a program in Python uses it: breaking off, leaving, and what ends by itself."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from app_server import CannotConnect, ConnectionLost, connect
from app_server.client import live_turn
from app_server.protocol.thread import ThreadNameUpdatedNotification
from tests.client.conftest import Home
from tests.client.test_codex import BOUND_SECONDS, _first, _read
from tests.support.model_server import hangs, requests_seen, runs_command, says


async def test_breaking_off_interrupts_the_turn(home: Home) -> None:
    home.model.script(hangs("Begun"), says("next"))
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        thread = await codex.start_thread()
        async for _ in thread.run("Go on for ever").text():
            break
        assert (await thread.run("Something else")).final_message == "next"
        turns = (await thread.read()).turns
    assert [turn.status for turn in turns] == ["interrupted", "completed"]


async def test_leaving_the_block_interrupts_what_still_runs(home: Home) -> None:
    home.model.script(hangs("Begun"))
    async with asyncio.timeout(BOUND_SECONDS):
        async with home.connect() as codex:
            thread = await codex.start_thread()
            turn = thread.run("Go on for ever")
            reading = asyncio.create_task(_read(turn))
            await requests_seen(home.model, 1)
        assert (await reading).status == "interrupted"
        async with home.connect() as codex:
            stored = await (await codex.resume_thread(thread.id)).read()
    assert [each.status for each in stored.turns] == ["interrupted"]


async def test_cancelling_who_waits_interrupts_the_turn_and_is_not_swallowed(home: Home) -> None:
    home.model.script(hangs("Begun"), says("next"))
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        thread = await codex.start_thread()
        waiting = asyncio.create_task(_read(thread.run("Go on for ever")))
        await requests_seen(home.model, 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await thread.run("Something else")).final_message == "next"


async def test_cancelling_before_the_turn_has_an_id_interrupts_it_all_the_same(home: Home) -> None:
    home.model.script(hangs("Begun"), says("next"))
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        thread = await codex.start_thread()
        waiting = asyncio.create_task(_read(thread.run("Go on for ever")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        statuses = [turn.status for turn in (await thread.read()).turns]
        assert statuses in ([], ["interrupted"])


async def test_whoever_still_listens_hears_that_it_is_over(home: Home) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        async with home.connect() as codex:
            hearing = asyncio.create_task(_first(codex, ThreadNameUpdatedNotification))
            await codex.account()
        with pytest.raises(ConnectionLost):
            await hearing


async def test_a_server_that_dies_is_an_error_and_no_wait(home: Home) -> None:
    home.model.script(hangs("Begun"))
    command = ["sh", "-c", "cat >/dev/null & exec sleep 0"]
    async with asyncio.timeout(BOUND_SECONDS):
        with pytest.raises(ConnectionLost):
            await connect(command).__aenter__()
        with pytest.raises(CannotConnect, match="No such file"):
            await connect(["/no/such/program"]).__aenter__()
        with pytest.raises(CannotConnect, match=r"cannot connect to ws://127\.0\.0\.1:1: "):
            await connect("ws://127.0.0.1:1").__aenter__()
        with pytest.raises(CannotConnect, match="No such file"):
            await connect("unix:///no/such.sock").__aenter__()


async def test_several_servers_live_in_one_process_and_nothing_is_left_of_them(
    home: Home, tmp_path: Path
) -> None:
    threads_before, tasks_before = set(threading.enumerate()), asyncio.all_tasks()
    home.model.script(runs_command("true"), says("one"), runs_command("true"), says("two"))
    async with asyncio.timeout(BOUND_SECONDS):
        async with home.connect() as one, home.connect() as other:
            for codex in (one, other):
                thread = await codex.start_thread(
                    approval_policy="never", sandbox="danger-full-access"
                )
                await thread.run("Run it")
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        assert asyncio.all_tasks() == tasks_before
        left = set(threading.enumerate()) - threads_before
        for worker in left:
            worker.join(BOUND_SECONDS)
        assert not [worker for worker in left if worker.is_alive()]
    if children.exists():
        commands = [Path(f"/proc/{pid}/cmdline") for pid in children.read_text().split()]
        assert not [path for path in commands if b"app_server" in path.read_bytes()]


async def test_before_and_after_the_block_nothing_can_be_asked(home: Home) -> None:
    codex = home.connect()
    with pytest.raises(RuntimeError, match="async with connect"):
        await codex.account()
    async with asyncio.timeout(BOUND_SECONDS):
        async with codex:
            with pytest.raises(RuntimeError, match="entered once"):
                await codex.__aenter__()
            thread = await codex.start_thread()
        with pytest.raises(ConnectionLost):
            await codex.account()
        with pytest.raises(ConnectionLost):
            await thread.run("too late")


async def test_a_turn_that_does_not_end_when_asked_is_left_behind(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_turn, "LEAVE_SECONDS", 0.0)
    home.model.script(hangs("Begun"))
    async with asyncio.timeout(BOUND_SECONDS), home.connect() as codex:
        thread = await codex.start_thread()
        turn = thread.run("Go on for ever")
        async for _ in turn.text():
            break
        with pytest.raises(ConnectionLost, match="left before its end"):
            await turn
