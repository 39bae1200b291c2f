"""Every case by mechanism and user, written as a page: `pytest tests/sandbox --sandbox-table FILE`.

Under this option cases are tried under both policies; the page is made of what the tests found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.reports import TestReport

OPTION = "--sandbox-table"
BEGIN, END = "<!-- made by tests -->\n", "<!-- end -->"
COLUMNS = [
    (mechanism, user)
    for mechanism in ("bubblewrap", "namespaces", "landlock")
    for user in ("root", "user")
]
_SECTIONS = {
    "test_is_stopped_in_a_writable_workspace": "Writing outside, workspace-write",
    "test_is_stopped_under_the_read_only_policy": "Writing outside, read-only",
    "test_mounts_and_devices_stay_out_of_reach": "Mounts and devices",
    "test_a_named_pipe_outside_is_not_written_where_landlock_helps": "Mounts and devices",
    "test_a_descriptor_left_open_by_the_caller_is_closed": "Descriptors",
    "test_a_command_inherits_nothing_but_its_streams": "Descriptors",
    "test_what_exists_stays": "Metadata (.git, .codex, .agents)",
    "test_what_is_missing_does_not_come_into_being": "Metadata (.git, .codex, .agents)",
    "test_a_git_file_and_the_folder_it_names_stay": "Metadata (.git, .codex, .agents)",
    "test_stays_and_so_does_what_it_leads_to": "Metadata (.git, .codex, .agents)",
    "test_an_inner_root_is_not_swapped_within_an_outer_one": "Metadata (.git, .codex, .agents)",
    "test_the_kernel_is_not_to_be_had": "The kernel",
    "test_processes_outside_are_left_alone": "Other processes",
    "test_system_v_memory_outside_is_not_seen": "Other processes",
    "test_nobody_is_reached_over_sockets": "Network",
    "test_no_socket_is_made": "Network",
    "test_programs_of_the_network_reach_nobody": "Network",
    "test_servers_that_start_programs_are_not_reached": "Servers that start programs, network on",
    "test_no_input_is_pushed_into_a_terminal": "The terminal, and what outlives a command",
    "test_a_daemon_ends_with_its_command": "The terminal, and what outlives a command",
    "test_a_command_ends_with_its_launcher": "The terminal, and what outlives a command",
    "test_cannot_be_walked_around": "Hiding files",
    "test_shells_go_on_working": "Ordinary work",
    "test_programs_go_on_working": "Ordinary work",
    "test_git_tells_the_state_of_the_workspace": "Ordinary work",
    "test_exit_codes_pass_through": "Ordinary work",
    "test_a_command_ended_by_a_signal_is_told_as_a_shell_tells_it": "Ordinary work",
    "test_an_interactive_shell_has_job_control": "Ordinary work",
    "test_the_interrupt_key_reaches_the_command_and_only_it": "Ordinary work",
}


class Table:
    """Collects outcomes and writes them at the end of the run."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._outcomes: dict[tuple[str, str], dict[tuple[str, str], set[str]]] = defaultdict(
            lambda: defaultdict(set)
        )

    def pytest_runtest_logreport(self, report: TestReport) -> None:
        if report.when != "call" and not (report.when == "setup" and report.outcome != "passed"):
            return
        name, _, rest = report.nodeid.rpartition("::")[2].partition("[")
        tokens = rest.rstrip("]").split("-")
        columns = [column for column in COLUMNS if set(column) <= set(tokens)]
        if name not in _SECTIONS or not columns:
            return
        words = {"bubblewrap", "namespaces", "landlock", "root", "user", "workspace", "write",
                 "read", "only", "workspace_write", "read_only"}  # fmt: skip
        case = " ".join(token for token in tokens if token not in words).replace("_", " ")
        policy = next((t for t in tokens if t in ("workspace_write", "read_only")), "")
        where = _SECTIONS[name] + (f", {policy.replace('_', '-')}" if policy else "")
        row = self._outcomes[where, case or name.removeprefix("test_").replace("_", " ")]
        row[columns[0]].add(report.outcome)

    def pytest_sessionfinish(self) -> None:
        if not self._outcomes:
            return
        with open(self._path, encoding="utf-8") as file:
            before, _, rest = file.read().partition(BEGIN)
        after = rest.partition(END)[2]
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(f"{before}{BEGIN}{''.join(self._lines())}{END}{after}")

    def _lines(self) -> Iterable[str]:
        section = ""
        for (here, case), row in sorted(self._outcomes.items(), key=lambda item: _place(item[0])):
            if here != section:
                section = here
                yield f"\n### {section}\n\n| case | bwrap root | bwrap user | namespaces root | "
                yield "namespaces user | Landlock root | Landlock user |\n"
                yield f"| --- |{' --- |' * len(COLUMNS)}\n"
            cells = " | ".join(_cell(row.get(column, set())) for column in COLUMNS)
            yield f"| {case.replace('|', '/')} | {cells} |\n"
        yield "\n"


def _place(key: tuple[str, str]) -> tuple[int, str, str]:
    order = list(dict.fromkeys(_SECTIONS.values()))
    base = next(index for index, name in enumerate(order) if key[0].startswith(name))
    return base, *key


def _cell(outcomes: set[str]) -> str:
    if "failed" in outcomes:
        return "**NO**"
    return "yes" if "passed" in outcomes else "–"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, metavar="FILE", help="write what is held by what into this page")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption(OPTION, default=None)
    if path is not None:
        config.pluginmanager.register(Table(path))
