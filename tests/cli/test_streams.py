"""What the programs print where the locale knows few characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASCII_ALONE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    "call",
    [
        ["app_server.cli.main", "--help"],
        ["app_server.cli.main", "doctor"],
        ["app_server.cli.linux_sandbox", "--help"],
    ],
)
def test_a_locale_without_our_signs_shows_question_marks(call: list[str], codex_home: Path) -> None:
    module, *words = call
    line = f"import sys; from {module} import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", line, *words],
        env={**os.environ, **ASCII_ALONE, "CODEX_HOME": str(codex_home)},
        capture_output=True,
        check=False,
    )
    assert b"?" in done.stdout
    assert b"Traceback" not in done.stderr
