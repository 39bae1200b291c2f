"""A process service behind a websocket, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LONGEST_WAIT_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parents[2]
_SERVE = "import sys; from app_server.exec_server.server import serve; sys.exit(serve(sys.argv[1]))"


@contextmanager
def process_service(within: Sequence[str] = ()) -> Iterator[str]:
    """Its URL, for as long as it runs. `within` is a program that starts it."""
    process = subprocess.Popen(
        [*within, sys.executable, "-c", _SERVE, "ws://127.0.0.1:0"],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr:
        yield process.stderr.readline().rpartition(" ")[2].strip()
        process.terminate()
        process.wait(LONGEST_WAIT_SECONDS)
