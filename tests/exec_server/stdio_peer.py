"""A process service as a child of the test, spoken to line by line as any program would."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WAIT_SECONDS = 30.0
_SERVE = (
    "import sys; from app_server.exec_server.server import serve_stdio; sys.exit(serve_stdio())"
)

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class StdioPeer:
    """Starts a service; sends and receives messages."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        self._messages: Queue[dict[str, Any] | None] = Queue()
        self.seen: list[dict[str, Any]] = []
        """Everything received so far."""
        self._next_id = 1
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> StdioPeer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(LONGEST_WAIT_SECONDS)
        self._reader.join(LONGEST_WAIT_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()

    def send(self, message: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        line = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def handshake(self) -> StdioPeer:
        self.call("initialize", {"clientName": "test"})
        self.send({"method": "initialized", "params": {}})
        return self

    def ask(self, method: str, params: Any = None) -> int:
        """Send a request and do not wait; returns its id."""
        request_id, self._next_id = self._next_id, self._next_id + 1
        self.send({"id": request_id, "method": method, "params": params})
        return request_id

    def call(self, method: str, params: Any = None) -> dict[str, Any]:
        """Send a request and wait for its answer: `{"id", "result"}` or `{"id", "error"}`."""
        return self.answer(self.ask(method, params))

    def answer(self, request_id: int) -> dict[str, Any]:
        return self.until(
            lambda message: message.get("id") == request_id and "method" not in message
        )

    def start(self, process_id: str, *argv: str, **more: Any) -> dict[str, Any]:
        """`process/start` with the usual surroundings."""
        params: dict[str, Any] = {
            "processId": process_id,
            "argv": list(argv),
            "cwd": "/",
            "env": PATH,
            "tty": False,
            "arg0": None,
        }
        return self.call("process/start", params | more)

    def shell(self, process_id: str, line: str, **more: Any) -> dict[str, Any]:
        return self.start(process_id, "/bin/sh", "-c", line, **more)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message, seen or to come, that is wanted."""
        for message in self.seen:
            if wanted(message):
                return message
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            try:
                arrived = self._messages.get(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"never came; seen: {self.seen[-5:]}") from None
            assert arrived is not None, f"the service ended: {self.end()}; seen: {self.seen[-5:]}"
            self.seen.append(arrived)
            if wanted(arrived):
                return arrived

    def told(self, method: str, process_id: str) -> dict[str, Any]:
        """The params of the first such notification about this process."""
        message = self.until(
            lambda message: (
                message.get("method") == method and message["params"]["processId"] == process_id
            )
        )
        params: dict[str, Any] = message["params"]
        return params

    def exited(self, process_id: str) -> dict[str, Any]:
        return self.told("process/exited", process_id)

    def output(self, process_id: str, stream: str | None = None) -> bytes:
        """What was seen of its output so far."""
        return b"".join(
            base64.b64decode(message["params"]["chunk"])
            for message in self.seen
            if message.get("method") == "process/output"
            and message["params"]["processId"] == process_id
            and stream in (None, message["params"]["stream"])
        )

    def output_until(self, process_id: str, text: bytes) -> bytes:
        """Wait until its output contains `text`."""
        if text not in self.output(process_id):
            self.until(lambda message: message in self.seen and text in self.output(process_id))
        return self.output(process_id)

    def end(self) -> tuple[int, str]:
        """Wait until the service has ended by itself; its status and what it said on stderr."""
        assert self.process.stderr is not None
        status = self.process.wait(LONGEST_WAIT_SECONDS)
        return status, self.process.stderr.read().decode()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._messages.put(json.loads(line))
        self._messages.put(None)


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def eventually(condition: Callable[[], Any]) -> Any:
    """Poll until the condition holds; bounded."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.005)
    return value


def is_running(pid: int) -> bool:
    """Whether this process still runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def pids_in(path: Path, count: int) -> list[int]:
    """Wait until a command has written so many pids, one per line; returns them."""

    def written() -> list[int] | None:
        try:
            words = path.read_text().split()
        except OSError:
            return None
        return [int(word) for word in words] if len(words) >= count else None

    found: list[int] = eventually(written)
    return found


def kill(pid: int, number: int) -> None:
    os.kill(pid, number)
