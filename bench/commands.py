"""Commands of a client: streamed output, many at once, and how soon an interrupt ends a process."""

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.headless_ready import Headless
from bench.programs import Model, Program

STREAMED_BYTES = 128 * 1024 * 1024
COMMANDS = 50
BYTES_EACH = 1024 * 1024
RUNS = 3
STUBBORN = "trap '' TERM INT HUP; "
DELTA = b'"deltaBase64":"'


def measure(programs: list[Program], model: Model) -> list[Figure]:
    rate = Figure(f"command/exec, {STREAMED_BYTES >> 20} MiB streamed", "MB/s", ">= 1.5x")
    cpu = Figure("  CPU of the server and what it runs", "ms", "<= 0.7x")
    many = Figure(f"{COMMANDS} commands at once, 1 MiB each", "ms", "no byte lost")
    gone = Figure("turn/interrupt to process gone", "ms", "<= 300 ms")
    stubborn = Figure("  where it ignores SIGTERM", "ms", "<= 2000 ms")
    for _ in range(RUNS):
        for program in programs:
            with Headless(program) as server:
                server.initialize()
                before = _cpu_seconds(server.pid)
                rate.add(program.name, _streamed_rate(server))
                cpu.add(program.name, (_cpu_seconds(server.pid) - before) * 1000)
                many.add(program.name, _many_at_once(server) * 1000)
            gone.add(program.name, _interrupt_seconds(program, model, "") * 1000)
            stubborn.add(program.name, _interrupt_seconds(program, model, STUBBORN) * 1000)
    return [rate, cpu, many, gone, stubborn]


def _command(process_id: str, line: str) -> dict[str, Any]:
    return {
        "command": ["/bin/sh", "-c", line],
        "processId": process_id,
        "streamStdoutStderr": True,
        "disableOutputCap": True,
        "disableTimeout": True,
    }


def _streamed_rate(server: Headless) -> float:
    """Megabytes a second, from the request to its answer. Lines are counted, not parsed."""
    began = time.monotonic()
    server.send_request("command/exec", _command("flood", f"head -c {STREAMED_BYTES} /dev/zero"))
    arrived = sum(_delta_length(line) for line in _until_answers(server, 1))
    took = time.monotonic() - began
    assert arrived >= STREAMED_BYTES * 4 // 3, "output was lost"
    return STREAMED_BYTES / took / 1e6


def _cpu_seconds(pid: int) -> float:
    """Of a process, of its descendants, and of those they have waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:15]))
    below = 0.0
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        below += sum(_cpu_seconds(int(child)) for child in children.read_text().split())
    return ticks / os.sysconf("SC_CLK_TCK") + below


def _delta_length(line: bytes) -> int:
    start = line.find(DELTA)
    return 0 if start < 0 else line.find(b'"', start + len(DELTA)) - start - len(DELTA)


def _many_at_once(server: Headless) -> float:
    """Seconds until all have ended and every byte of each has arrived."""
    began = time.monotonic()
    for number in range(COMMANDS):
        line = f"yes line-{number:06d} | head -c {BYTES_EACH}"
        server.send_request("command/exec", _command(f"c{number}", line))
    arrived = {f"c{number}": bytearray() for number in range(COMMANDS)}
    for line in list(_until_answers(server, COMMANDS)):
        message = json.loads(line)
        if message.get("method") == "command/exec/outputDelta":
            params = message["params"]
            arrived[params["processId"]] += base64.b64decode(params["deltaBase64"])
    took = time.monotonic() - began
    for number in range(COMMANDS):
        wanted = (f"line-{number:06d}\n".encode() * (BYTES_EACH // 12 + 1))[:BYTES_EACH]
        assert arrived[f"c{number}"] == wanted, f"command {number} lost output"
    return took


def _until_answers(server: Headless, count: int) -> Any:
    """Lines up to the answers of so many requests."""
    while count:
        line = server.receive_line()
        if b'"method":"command/exec/outputDelta"' not in line[:64]:
            message = json.loads(line)
            if "method" not in message:
                assert message["result"]["exitCode"] == 0, message
                count -= 1
        yield line


def _interrupt_seconds(program: Program, model: Model, preparation: str) -> float:
    """From `turn/interrupt` until the command's process has ended; 60 if it goes on."""
    file = program.cwd / "pid"
    file.unlink(missing_ok=True)
    command = f"{preparation}echo $$ > {file}; while :; do sleep 0.1; done"
    call = {"type": "function_call", "name": "exec_command", "call_id": "c1"}
    arguments = {"cmd": command, "yield_time_ms": 30_000}
    model.script(
        {"items": [{**call, "arguments": arguments}]}, {"items": [{"type": "message", "text": "x"}]}
    )
    with Headless(program) as server:
        server.initialize()
        thread = server.start_thread()
        params = {"threadId": thread, "input": [{"type": "text", "text": "go"}]}
        turn = server.request("turn/start", params)["turn"]["id"]
        pid = _pid_in(file)
        began = time.monotonic()
        server.send_request("turn/interrupt", {"threadId": thread, "turnId": turn})
        while _is_running(pid) and time.monotonic() - began < 5:
            time.sleep(0.001)
        took = time.monotonic() - began
        if _is_running(pid):
            os.kill(pid, 9)
            return 60.0
    return took


def _pid_in(file: Path) -> int:
    while True:
        try:
            return int(file.read_text())
        except (OSError, ValueError):
            time.sleep(0.005)


def _is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
