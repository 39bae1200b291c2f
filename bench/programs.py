"""The two programs under measurement, each with a home of its own and one scripted model server.

The original is the yardstick: name it with `CODEX_ORIGINAL=/path/to/codex`. Without it the
figures of ours are printed alone. Its home must lie outside the temporary folder.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = Path(os.environ.get("BENCH_SCRATCH", "/var/tmp/codex-bench"))


@dataclass(frozen=True)
class Program:
    """One program, ready to start: its executable, folder and environment."""

    name: str
    executable: str
    cwd: Path
    environment: dict[str, str]


@dataclass
class Model:
    """The scripted model server in a process of its own."""

    process: subprocess.Popen[str]
    url: str

    def script(self, *replies: dict[str, Any]) -> None:
        """Play these replies from now on, one a request."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(list(replies)) + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@contextlib.contextmanager
def model_server() -> Iterator[Model]:
    """Start the scripted model server; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.model_process"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            yield Model(process, url)
        finally:
            process.kill()


@contextlib.contextmanager
def programs(model_url: str) -> Iterator[list[Program]]:
    """Ours first, then the original where it is installed."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    base = Path(tempfile.mkdtemp(dir=SCRATCH))
    found = [("ours", str(Path(sys.executable).with_name("codex")))]
    original = os.environ.get("CODEX_ORIGINAL") or shutil.which("codex-original")
    if original:
        found.append(("original", original))
    try:
        yield [_prepare(base, name, path, model_url) for name, path in found]
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _prepare(base: Path, name: str, executable: str, model_url: str) -> Program:
    home, work = base / name / "home", base / name / "work"
    home.mkdir(parents=True)
    work.mkdir()
    (home / "config.toml").write_text(
        'model = "gpt-5.5"\nmodel_provider = "mock"\ncheck_for_update_on_startup = false\n'
        'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n'
        "[analytics]\nenabled = false\n[features]\nplugins = false\napps = false\n"
        f'[model_providers.mock]\nname = "mock"\nbase_url = "{model_url}"\n'
        'wire_api = "responses"\nrequires_openai_auth = false\nsupports_websockets = false\n'
        f'[projects."{work}"]\ntrust_level = "trusted"\n'
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(base / name),
        "CODEX_HOME": str(home),
        "LANG": "C.UTF-8",
    }
    return Program(name, executable, work, environment)
