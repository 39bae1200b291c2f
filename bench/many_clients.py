"""Websocket clients by the dozen: turns at once, connecting, one that does not read; memory."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.programs import Model, Program
from bench.raw_websocket import RawWebSocket

RUNS = 3
CLIENTS_WITH_TURNS = 20
DELTAS = 200
CLIENTS = 200
CALLS = 5_000
SLOW_DELTAS = 50_000
PROBES = 100


def measure(programs: list[Program], model: Model) -> list[Figure]:
    turns = Figure(f"{CLIENTS_WITH_TURNS} clients x {DELTAS} deltas, total", "ms", "<= 0.5x")
    connecting = Figure(f"{CLIENTS} clients connect and are answered", "ms", "<= 2000 ms")
    left = Figure("  descriptors they leave", "files", "0")
    flood = Figure(f"{CALLS} calls in one go, all answered", "ms", "<= 1.0x")
    refused = Figure("  of them refused as overload", "calls")
    idle = Figure("idle after a handshake, RSS", "MB", "<= 55 MB")
    p50 = Figure("a slow reader's cost to others, p50", "ms", "<= 20 ms")
    worst = Figure("  worst", "ms")
    grown = Figure(f"  memory for {SLOW_DELTAS} unread deltas", "MB")
    for _ in range(RUNS):
        for program in programs:
            with _listening(program) as (process, port):
                asyncio.run(_idle(port))
                idle.add(program.name, _resident_megabytes(process))
                before = _descriptors(process)
                connecting.add(program.name, asyncio.run(_connect(port)) * 1000)
                left.add(program.name, _descriptors_settled(process, before))
                took, refusals = asyncio.run(_flood(port))
                flood.add(program.name, took * 1000)
                refused.add(program.name, refusals)
                message = {"type": "message", "n": DELTAS, "size": 8}
                model.script(*[{"items": [message]}] * CLIENTS_WITH_TURNS)
                turns.add(program.name, asyncio.run(_turns(port, program)) * 1000)
    for program in programs:
        with _listening(program) as (process, port):
            model.script({"items": [{"type": "message", "n": SLOW_DELTAS, "size": 8}]})
            before_mb = _resident_megabytes(process)
            times = sorted(asyncio.run(_beside_a_slow_reader(port, program)))
            p50.add(program.name, times[len(times) // 2] * 1000)
            worst.add(program.name, times[-1] * 1000)
            grown.add(program.name, _resident_megabytes(process) - before_mb)
    return [turns, connecting, left, flood, refused, idle, p50, worst, grown]


@contextmanager
def _listening(program: Program) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen(
        [program.executable, "app-server", "--listen", "ws://127.0.0.1:0"],
        cwd=program.cwd,
        env=program.environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = ""
        while "ws://" not in line:
            line = process.stderr.readline()
        try:
            yield process, int(line.rpartition(":")[2])
        finally:
            process.kill()


async def _idle(port: int) -> None:
    client = await RawWebSocket.open(port)
    await client.hello()
    await asyncio.sleep(2)
    client.close()


async def _connect(port: int) -> float:
    async def one(number: int) -> RawWebSocket:
        client = await RawWebSocket.open(port)
        await client.hello(f"c{number}")
        return client

    started = time.monotonic()
    clients = await asyncio.gather(*(one(number) for number in range(CLIENTS)))
    took = time.monotonic() - started
    for client in clients:
        client.close()
    return took


async def _flood(port: int) -> tuple[float, int]:
    """Seconds to the last answer, and how many were refusals."""
    client = await RawWebSocket.open(port)
    await client.hello()
    done = asyncio.get_running_loop().create_future()
    answered = refused = 0

    def look(text: bytes) -> None:
        nonlocal answered, refused
        answered += b'"id":' in text
        refused += b"-32001" in text
        if answered == CALLS:
            done.set_result(None)

    client.on_text = look
    begun = time.monotonic()
    for number in range(CALLS):
        client.send({"id": number + 1, "method": "thread/loaded/list", "params": {}})
    async with asyncio.timeout(60):
        await done
    took = time.monotonic() - begun
    client.close()
    return took, refused


async def _turns(port: int, program: Program) -> float:
    clients = [await RawWebSocket.open(port) for _ in range(CLIENTS_WITH_TURNS)]
    threads = []
    for client in clients:
        await client.hello()
        started = await client.ask(1, "thread/start", {"cwd": str(program.cwd)})
        threads.append(started["result"]["thread"]["id"])
    ended = [asyncio.get_running_loop().create_future() for _ in clients]
    deltas = [0] * len(clients)

    def listen(number: int) -> None:
        def look(text: bytes) -> None:
            if b'"item/agentMessage/delta"' in text[:40]:
                deltas[number] += 1
            elif b'"turn/completed"' in text[:40]:
                ended[number].set_result(None)

        clients[number].on_text = look

    begun = time.monotonic()
    for number, (client, thread) in enumerate(zip(clients, threads, strict=True)):
        listen(number)
        text = [{"type": "text", "text": "go"}]
        client.send(
            {"id": 2, "method": "turn/start", "params": {"threadId": thread, "input": text}}
        )
    await asyncio.gather(*ended)
    took = time.monotonic() - begun
    assert deltas == [DELTAS] * len(clients), deltas
    for client in clients:
        client.close()
    return took


async def _beside_a_slow_reader(port: int, program: Program) -> list[float]:
    slow, other = await RawWebSocket.open(port), await RawWebSocket.open(port)
    await slow.hello("slow")
    await other.hello("other")
    started = await slow.ask(1, "thread/start", {"cwd": str(program.cwd)})
    thread = started["result"]["thread"]["id"]
    slow.send(_turn(thread))
    slow.stop_reading()
    times = []
    for number in range(PROBES):
        asked = time.monotonic()
        await other.ask(number + 1, "thread/loaded/list", {})
        times.append(time.monotonic() - asked)
        await asyncio.sleep(0.02)
    slow.close()
    other.close()
    return times


def _turn(thread: str) -> dict[str, Any]:
    text = [{"type": "text", "text": "go"}]
    return {"id": 2, "method": "turn/start", "params": {"threadId": thread, "input": text}}


def _resident_megabytes(process: subprocess.Popen[str]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _descriptors(process: subprocess.Popen[str]) -> int:
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def _descriptors_settled(process: subprocess.Popen[str], before: int) -> int:
    """How many more there are than before, once those of closed clients had time to go."""
    until = time.monotonic() + 5
    while _descriptors(process) > before and time.monotonic() < until:
        time.sleep(0.05)
    return max(0, _descriptors(process) - before)
