"""The server without a terminal: ready, a thread, first delta of a turn, rate of a long stream."""

import itertools
import json
import subprocess
import time
from types import TracebackType
from typing import Any

from bench.figures import Figure
from bench.programs import Model, Program

RUNS = 9
DELTAS = 10_000


def measure(programs: list[Program], model: Model) -> list[Figure]:
    ready = Figure("spawn to initialize reply", "ms", "<= 1.6x")
    thread = Figure("thread/start", "ms", "<= 0.3x")
    first = Figure("turn/start to first delta", "ms", "<= 0.3x")
    rate = Figure(f"{DELTAS} deltas headless", "deltas/s", ">= 1.0x, all delivered")
    for _ in range(RUNS):
        for program in programs:
            model.script({"items": [{"type": "message", "text": "hello"}]})
            with Headless(program) as server:
                ready.add(program.name, server.initialize() * 1000)
                time.sleep(0.3)
                began = time.monotonic()
                started = server.start_thread()
                thread.add(program.name, (time.monotonic() - began) * 1000)
                first.add(program.name, server.first_delta(started) * 1000)
    for _ in range(3):
        for program in programs:
            model.script({"items": [{"type": "message", "n": DELTAS, "size": 8}]})
            with Headless(program) as server:
                server.initialize()
                rate.add(program.name, server.delta_rate(server.start_thread()))
    return [ready, thread, first, rate]


class Headless:
    """A server spoken to over stdio, one JSON object a line."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._ids = itertools.count()

    def __enter__(self) -> "Headless":
        self._spawned_at = time.monotonic()
        self._process = subprocess.Popen(
            [self._program.executable, "app-server"],
            cwd=self._program.cwd,
            env=self._program.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def initialize(self) -> float:
        """Do the handshake; seconds since the process was spawned."""
        info = {"name": "bench", "title": "Bench", "version": "1"}
        self.request("initialize", {"clientInfo": info, "capabilities": {"experimentalApi": True}})
        ready = time.monotonic() - self._spawned_at
        self._send({"method": "initialized"})
        return ready

    def start_thread(self) -> str:
        result = self.request("thread/start", {"cwd": str(self._program.cwd)})
        thread: str = result["thread"]["id"]
        return thread

    def first_delta(self, thread: str) -> float:
        """Start a turn; seconds from the request to its first delta."""
        started = time.monotonic()
        self._start_turn(thread)
        while self._receive().get("method") != "item/agentMessage/delta":
            pass
        took = time.monotonic() - started
        while self._receive().get("method") != "turn/completed":
            pass
        return took

    def delta_rate(self, thread: str) -> float:
        """Stream a long answer; characters checked, deltas a second from first to last."""
        self._start_turn(thread)
        first = last = 0.0
        text = ""
        while True:
            message = self._receive()
            method = message.get("method")
            if method == "item/agentMessage/delta":
                last = time.monotonic()
                first = first or last
                text += message["params"]["delta"]
            elif method == "item/completed" and message["params"]["item"]["type"] == "agentMessage":
                assert message["params"]["item"]["text"] == text, "a delta was lost"
            elif method == "turn/completed":
                return DELTAS / (last - first)

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        number = self.send_request(method, params)
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                result: dict[str, Any] = message["result"]
                return result

    def send_request(self, method: str, params: dict[str, Any]) -> int:
        """Ask and do not wait; the request's id."""
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        return number

    def receive_line(self) -> bytes:
        """The next message as it came."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server ended"
        return line

    def _start_turn(self, thread: str) -> None:
        params = {"threadId": thread, "input": [{"type": "text", "text": "go"}]}
        self.send_request("turn/start", params)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.receive_line())
        return message
