"""Small things said in many places: how long, what may be touched, what one may choose from."""

import pytest
from msgspec.structs import replace

from app_server.protocol.permissions import (
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    GranularApprovals,
    GranularAskForApproval,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.sandbox_read import SandboxReadResponse
from tui.cells.canvas import duration
from tui.commands.model import PRESETS
from tui.state.model import AppState
from tui.widgets.panels.status import status_card

DURATIONS = [
    (0, "0ms"),
    (243.9, "243ms"),
    (999, "999ms"),
    (1_000, "1.0s"),
    (1_249, "1.2s"),
    (9_940, "9.9s"),
    (35_200, "35s"),
    (59_999, "59s"),
    (60_000, "1m 00s"),
    (125_000, "2m 05s"),
    (3_599_999, "59m 59s"),
    (3_720_000, "1h 02m"),
]


@pytest.mark.parametrize(("milliseconds", "said"), DURATIONS)
def test_a_duration_is_as_short_as_it_is_exact_enough(milliseconds: float, said: str) -> None:
    assert duration(milliseconds) == said


BY_KIND = GranularAskForApproval(
    granular=GranularApprovals(mcp_elicitations=True, rules=True, sandbox_approval=True)
)
SANDBOXES: list[tuple[SandboxPolicy, AskForApproval, str]] = [
    (ReadOnlySandboxPolicy(), "on-request", "read only; asks: on-request"),
    (WorkspaceWriteSandboxPolicy(), "untrusted", "workspace; asks: untrusted"),
    (
        WorkspaceWriteSandboxPolicy(network_access=True),
        "on-failure",
        "workspace and network; asks: on-failure",
    ),
    (DangerFullAccessSandboxPolicy(), "never", "full access, no sandbox; asks: never"),
    (ExternalSandboxSandboxPolicy(), BY_KIND, "as the sandbox around it allows; asks: by kind"),
]


@pytest.mark.parametrize(("sandbox", "policy", "said"), SANDBOXES)
def test_what_may_be_touched_is_said_in_a_line(
    sandbox: SandboxPolicy, policy: AskForApproval, said: str
) -> None:
    state = AppState()
    settings = replace(state.settings, sandbox=sandbox, approval_policy=policy)
    assert dict(status_card(replace(state, settings=settings), 0).rows)["Permissions"] == said


def test_three_ways_of_working_may_be_chosen_from_strict_to_free() -> None:
    assert [(preset.name, preset.approval_policy, preset.sandbox) for preset in PRESETS] == [
        ("Read only", "on-request", ReadOnlySandboxPolicy()),
        ("Workspace", "on-request", WorkspaceWriteSandboxPolicy()),
        ("Full access", "never", DangerFullAccessSandboxPolicy()),
    ]


def test_what_confines_commands_is_named_with_what_would_help() -> None:
    found = SandboxReadResponse(
        mechanism="landlock", keeps=[], missing="no namespaces", remedy="Install bubblewrap."
    )
    rows = dict(status_card(AppState(), 0, found).rows)
    assert rows["Sandbox"] == "landlock (no namespaces)\nInstall bubblewrap."
    nothing = SandboxReadResponse(mechanism="none", keeps=[])
    assert dict(status_card(AppState(), 0, nothing).rows)["Sandbox"] == "none on this machine"
