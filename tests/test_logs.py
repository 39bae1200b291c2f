"""What is logged where: levels, forms, and a stderr that nobody reads."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app_server.logs import read_filter

BOUND_SECONDS = 30
OFF = logging.CRITICAL + 1


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("", {"": logging.ERROR}),
        ("debug", {"": logging.DEBUG}),
        ("WARN", {"": logging.WARNING}),
        ("off", {"": OFF}),
        ("info,warn", {"": logging.WARNING}),
        ("app_server::rpc=debug", {"": logging.ERROR, "app_server.rpc": logging.DEBUG}),
        ("app_server", {"": logging.ERROR, "app_server": logging.DEBUG}),
        (
            "info, codex_core=trace,codex_app_server::transport=off",
            {"": logging.INFO, "app_server.agent": logging.DEBUG, "app_server.transport": OFF},
        ),
        ("httpx[span{a=1}]=info", {"": logging.ERROR, "httpx": logging.INFO}),
        ("app_server=loud,=,,=x", {"": logging.ERROR}),
    ],
)
def test_a_filter_gives_levels(text: str, levels: dict[str, int]) -> None:
    assert read_filter(text, logging.ERROR) == levels


SPEAKS = """
import logging
from app_server import logs
logs.to_stderr()
logging.getLogger("app_server.rpc").warning("one %s", "\\x1b[31m\\nfake line")
logging.getLogger("httpcore").debug("a secret")
logging.getLogger("app_server.agent").debug("detail")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("app_server").exception("trouble")
"""


def spoken(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SPEAKS],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=BOUND_SECONDS,
    )
    assert done.stdout == ""
    return done.stderr


def test_without_a_filter_only_errors_are_told() -> None:
    told = spoken()
    assert "ERROR app_server: trouble" in told
    assert "ZeroDivisionError" in told
    assert "one" not in told


def test_text_lines_carry_no_control_characters_of_what_they_report() -> None:
    told = spoken(RUST_LOG="warn")
    assert r"WARNING app_server.rpc: one \x1b[31m\x0afake line" in told


def test_debug_is_ours_and_libraries_need_to_be_named() -> None:
    assert "detail" in spoken(RUST_LOG="debug")
    assert "a secret" not in spoken(RUST_LOG="debug")
    assert "a secret" in spoken(RUST_LOG="httpcore=debug")


@pytest.mark.parametrize("form", ["json", " JSON "])
def test_on_request_a_line_is_a_json_object(form: str) -> None:
    lines = [json.loads(line) for line in spoken(RUST_LOG="warn", LOG_FORMAT=form).splitlines()]
    assert [line["level"] for line in lines] == ["WARN", "ERROR"]
    assert lines[0]["target"] == "app_server.rpc"
    assert lines[0]["fields"] == {"message": "one \x1b[31m\nfake line"}
    assert lines[0]["timestamp"].endswith("Z")
    assert "ZeroDivisionError" in lines[1]["fields"]["error"]


def test_another_form_is_text() -> None:
    assert "ERROR app_server: trouble" in spoken(LOG_FORMAT="xml")


def test_a_stderr_that_nobody_reads_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    shouts = (
        "import logging, sys\n"
        "from app_server import logs\n"
        "logs.to_stderr()\n"
        "for number in range(5000):\n"
        "    logging.getLogger('app_server').error('line %d %s', number, 'x' * 100)\n"
        "print('went on', flush=True)\n"
        "sys.stdin.readline()\n"
        "logging.getLogger('app_server').error('heard again')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", shouts],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline() == "went on\n"
        first = os.read(program.stderr.fileno(), 1 << 20)
        program.stdin.write("\n")
        program.stdin.close()
        rest = program.stderr.read()
    assert first.startswith(b"20")
    assert "lines of this log were lost" in rest
    assert "heard again" in rest


def test_the_log_of_a_session_lies_in_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    code = "import logging, sys; from pathlib import Path; from app_server.logs import to_file; \
to_file(Path(sys.argv[1])); logging.getLogger('tui').warning('odd')"
    folder = tmp_path / "not" / "there"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, timeout=BOUND_SECONDS)
    assert "WARNING tui: odd" in (folder / "codex.log").read_text()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "codex.log").stat().st_mode & 0o777 == 0o600
