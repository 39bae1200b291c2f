"""A fast answer in the terminal: CPU time, and every word on the screen."""

import re
import time

from bench.figures import Figure
from bench.first_paint import is_ready
from bench.programs import Model, Program
from tests.support.terminal import Terminal

DELTAS = 2_000
RUNS = 3


def measure(programs: list[Program], model: Model) -> list[Figure]:
    cpu = Figure(f"{DELTAS} deltas at 1 ms in the terminal, CPU", "ms", "<= 1.0x")
    lost = Figure("  words missing on the screen", "words", "0")
    idle = Figure("session opened, closed after 1 s: CPU", "ms")
    words = [f"w{number:04d}" for number in range(DELTAS)]
    deltas = [word + ("\n\n" if number % 40 == 39 else " ") for number, word in enumerate(words)]
    for _ in range(RUNS):
        for program in programs:
            base = _session(program, None)
            model.script({"items": [{"type": "message", "deltas": deltas, "delay_ms": 1}]})
            terminal = _session(program, words[-1])
            cpu.add(program.name, (terminal.cpu_seconds - base.cpu_seconds) * 1000)
            idle.add(program.name, base.cpu_seconds * 1000)
            shown = set(re.findall(r"w\d{4}", terminal.everything()))
            lost.add(program.name, len(set(words) - shown))
    return [cpu, lost, idle]


def _session(program: Program, until: str | None) -> Terminal:
    terminal = Terminal(
        [program.executable],
        cwd=program.cwd,
        environment=program.environment,
        columns=120,
        rows=40,
    )
    with terminal:
        terminal.wait_for(is_ready)
        time.sleep(1.0)
        if until is not None:
            terminal.type("go")
            time.sleep(0.3)  # the original takes fast keys for a paste
            terminal.press("enter")
            terminal.wait_for(lambda t: until in t.everything() and "esc to" not in t.screen())
        terminal.press("ctrl+c")
        terminal.press("ctrl+c")
        terminal.wait_for_exit()
    return terminal
