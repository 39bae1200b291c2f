"""Key echo: from the key sent to its letter on the screen, idle and while an answer streams."""

import itertools
import time

from bench.figures import Figure
from bench.first_paint import is_ready
from bench.programs import Model, Program
from tests.support.terminal import Terminal

KEYS = 60
PAUSE_SECONDS = 0.05
LETTERS = "qzjxkvwybf"


def measure(programs: list[Program], model: Model) -> list[Figure]:
    figures = []
    for kind in ("idle", "streaming"):
        p50 = Figure(f"key echo p50, {kind}", "ms", "<= 8 ms")
        p95 = Figure(f"key echo p95, {kind}", "ms")
        for program in programs:
            with Terminal(
                [program.executable],
                cwd=program.cwd,
                environment=program.environment,
                columns=120,
                rows=40,
            ) as terminal:
                terminal.wait_for(is_ready)
                time.sleep(1.0)
                if kind == "streaming":
                    deltas = [
                        f"t{n:05d}" + ("\n\n" if n % 40 == 39 else " ") for n in range(20_000)
                    ]
                    item = {"type": "message", "deltas": deltas, "delay_ms": 1}
                    model.script({"items": [item]})
                    terminal.type("go")
                    time.sleep(0.3)  # the original takes fast keys for a paste
                    terminal.press("enter")
                    terminal.wait_for("t00100")
                times = sorted(_echoes(terminal))
            p50.add(program.name, times[len(times) // 2] * 1000)
            p95.add(program.name, times[int(len(times) * 0.95)] * 1000)
        figures += [p50, p95]
    return figures


def _echoes(terminal: Terminal) -> list[float]:
    times = []
    text = ""
    for letter in itertools.islice(itertools.cycle(LETTERS), KEYS):
        until = time.monotonic() + PAUSE_SECONDS
        while time.monotonic() < until:
            terminal.pump(until - time.monotonic())
        text += letter
        shown = text[-8:]
        sent = time.monotonic()
        terminal.type(letter)
        times.append(terminal.wait_for(lambda t, s=shown: s in t.screen()) - sent)
    return times
