"""`codex --version`: CPU time, and what gets imported on the way."""

import os
import subprocess
import sys

from bench.figures import Figure
from bench.programs import Model, Program

RUNS = 15


def measure(programs: list[Program], model: Model) -> list[Figure]:
    cpu = Figure("--version, CPU", "ms", "<= 60 ms, no textual, no httpx")
    for _ in range(RUNS):
        for program in programs:
            cpu.add(program.name, _cpu_seconds(program) * 1000)
    modules = Figure("--version, modules imported", "modules")
    modules.add("ours", _modules())
    return [cpu, modules]


def _cpu_seconds(program: Program) -> float:
    child = subprocess.Popen(
        [program.executable, "--version"], env=program.environment, stdout=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return usage.ru_utime + usage.ru_stime


def _modules() -> int:
    code = (
        "import sys; from app_server.cli.main import main; main(['--version']); "
        "assert not {'textual', 'httpx'} & set(sys.modules); print(len(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])
