"""Coming back to a long thread: from `resume --last` to its last answer on the screen."""

import json
from pathlib import Path

from bench.figures import Figure
from bench.headless_ready import Headless
from bench.programs import Model, Program
from tests.support.terminal import Terminal

TURNS = 2_000
RUNS = 3


def measure(programs: list[Program], model: Model) -> list[Figure]:
    seen = Figure(f"resume --last, {TURNS} turns: last answer seen", "ms")
    for program in programs:
        model.script({"items": [{"type": "message", "text": "the very last answer"}]})
        with Headless(program) as server:
            server.initialize()
            server.first_delta(server.start_thread())
        # other measurements of the same run have left theirs
        _lengthen(max(Path(program.environment["CODEX_HOME"]).glob("sessions/**/*.jsonl")))
    for _ in range(RUNS):
        for program in programs:
            with Terminal(
                [program.executable, "resume", "--last", "-c", 'history.persistence="none"'],
                cwd=program.cwd,
                environment=program.environment,
            ) as terminal:
                at = terminal.wait_for("the very last answer")
                seen.add(program.name, (at - terminal.started_at) * 1000)
    return [seen]


def _lengthen(rollout: Path) -> None:
    """Repeat the recorded turn, each time with ids of its own, before the last one."""
    lines = rollout.read_text().splitlines()
    lines[0] = lines[0].replace('"source":"vscode"', '"source":"cli"')
    turn = next(json.loads(line)["payload"]["turn_id"] for line in lines if "task_started" in line)
    copies = [
        line.replace(turn, f"{turn[:-6]}{number:06x}").replace("very last answer", "answer")
        for number in range(TURNS)
        for line in lines[1:]
    ]
    rollout.write_text("\n".join([lines[0], *copies, *lines[1:]]) + "\n")
