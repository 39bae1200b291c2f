"""Starting the session in a terminal: first bytes, typed keys visible, the whole composer."""

import time

from bench.figures import Figure
from bench.programs import Model, Program
from tests.support.terminal import Terminal

RUNS = 9
TYPED_AFTER_SECONDS = 0.03
"""When an impatient user types: before either program has drawn its composer."""


def measure(programs: list[Program], model: Model) -> list[Figure]:
    first = Figure("first bytes on screen", "ms", "<= 60 ms or 0.8x")
    typed = Figure("keys typed at start visible", "ms", "<= 0.3x")
    composer = Figure("full composer", "ms", "<= 1.0x")
    for _ in range(RUNS):
        for program in programs:
            with _session(program) as terminal:
                time.sleep(TYPED_AFTER_SECONDS)
                terminal.type("hi there")
                seen = terminal.wait_for("hi there")
                ready = terminal.wait_for(is_ready)
                assert terminal.first_output_at is not None
                first.add(program.name, (terminal.first_output_at - terminal.started_at) * 1000)
                typed.add(program.name, (seen - terminal.started_at) * 1000)
                composer.add(program.name, (ready - terminal.started_at) * 1000)
    return [first, typed, composer]


def _session(program: Program) -> Terminal:
    return Terminal([program.executable], cwd=program.cwd, environment=program.environment)


def is_ready(terminal: Terminal) -> bool:
    """Header, prompt and footer are all there."""
    screen = terminal.screen()
    return "›" in screen and "directory:" in screen and screen.count("gpt-5.5") >= 2
