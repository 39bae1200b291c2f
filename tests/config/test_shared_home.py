"""Several real servers writing settings of one home at the same time: nothing is lost."""

import json
import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

WRITES = 8
START = "# mine\nmodel = 'x' # kept\n"


def server(codex_home: Path, name: str) -> list[dict[str, Any]]:
    """One server writes values of its own, one by one; its answers."""
    answers = []
    with subprocess.Popen(
        [sys.executable, "-m", "app_server.cli.main", "app-server"],
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
            request = json.dumps({"id": 1, "method": method, "params": params})
            process.stdin.write(request.encode() + b"\n")
            process.stdin.flush()
            while True:
                message: dict[str, Any] = json.loads(process.stdout.readline())
                if "id" in message:
                    return message

        answer("initialize", {"clientInfo": {"name": name, "version": "1"}})
        for number in range(WRITES):
            key = f"notice.model_migrations.{name}{number}"
            params = {"keyPath": key, "value": "y", "mergeStrategy": "replace"}
            answers.append(answer("config/value/write", params))
        process.stdin.close()
    return answers


def test_servers_that_write_at_once_lose_nothing(codex_home: Path) -> None:
    file = codex_home / "config.toml"
    file.write_text(START)
    with ThreadPoolExecutor() as pool:
        for answers in pool.map(lambda name: server(codex_home, name), "abc"):
            assert ["result" in answer for answer in answers] == [True] * WRITES
    written = file.read_text()
    assert written.startswith(START)
    kept = tomllib.loads(written)["notice"]["model_migrations"]
    assert sorted(kept) == sorted(f"{name}{n}" for name in "abc" for n in range(WRITES))
