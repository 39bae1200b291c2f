"""Stored forms and wire forms of the same values."""

import msgspec
import pytest

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.rate_limits import CreditsSnapshot, RateLimitSnapshot, RateLimitWindow
from app_server.protocol.thread_data import DetailedSessionSource, SessionSource
from app_server.storage import shapes

POLICIES: list[tuple[SandboxPolicy, object]] = [
    (DangerFullAccessSandboxPolicy(), {"type": "danger-full-access"}),
    (ReadOnlySandboxPolicy(), {"type": "read-only"}),
    (ReadOnlySandboxPolicy(network_access=True), {"type": "read-only", "network_access": True}),
    (
        ExternalSandboxSandboxPolicy(network_access="enabled"),
        {"type": "external-sandbox", "network_access": "enabled"},
    ),
    (
        WorkspaceWriteSandboxPolicy(writable_roots=["/a"], network_access=True),
        {
            "type": "workspace-write",
            "writable_roots": ["/a"],
            "network_access": True,
            "exclude_tmpdir_env_var": False,
            "exclude_slash_tmp": False,
        },
    ),
]


@pytest.mark.parametrize(("policy", "stored"), POLICIES)
def test_sandbox_policies_go_to_their_stored_form_and_back(
    policy: SandboxPolicy, stored: object
) -> None:
    form = shapes.stored_sandbox_policy(policy)
    assert msgspec.to_builtins(form) == stored
    assert shapes.wire_sandbox_policy(form) == policy


SOURCES: list[tuple[SessionSource, object]] = [
    ("cli", "cli"),
    ("vscode", "vscode"),
    ("exec", "exec"),
    ("appServer", "mcp"),
    (DetailedSessionSource(custom="my-tool"), {"custom": "my-tool"}),
    (DetailedSessionSource(sub_agent="review"), {"subagent": "review"}),
]


@pytest.mark.parametrize(("source", "stored"), SOURCES)
def test_sources_go_to_their_stored_form_and_back(source: SessionSource, stored: object) -> None:
    assert shapes.stored_source(source) == stored
    assert shapes.wire_source(stored) == source


def test_a_spawned_agents_source_keeps_its_parent() -> None:
    stored = {
        "subagent": {
            "thread_spawn": {
                "parent_thread_id": "p",
                "depth": 1,
                "agent_path": None,
                "agent_nickname": "Ada",
                "agent_role": None,
            }
        }
    }
    source = shapes.wire_source(stored)
    assert isinstance(source, DetailedSessionSource)
    assert shapes.stored_source(source) == stored


@pytest.mark.parametrize(
    ("stored", "source"), [(None, "vscode"), ("gibberish", "unknown"), ({"x": 1}, "unknown")]
)
def test_a_missing_source_is_vscode_and_nonsense_unknown(stored: object, source: str) -> None:
    assert shapes.wire_source(stored) == source


def test_rate_limits_are_stored_in_snake_case() -> None:
    limits = RateLimitSnapshot(
        limit_id="codex",
        primary=RateLimitWindow(used_percent=12, window_duration_mins=300, resets_at=9),
        credits=CreditsSnapshot(has_credits=True, unlimited=False, balance="5"),
    )
    stored = msgspec.to_builtins(shapes.stored_rate_limits(limits))
    assert stored["primary"] == {"used_percent": 12, "window_minutes": 300, "resets_at": 9}
    assert stored["credits"] == {"has_credits": True, "unlimited": False, "balance": "5"}
    assert stored["secondary"] is None


def test_the_permission_profile_of_a_workspace_protects_its_metadata() -> None:
    policy = WorkspaceWriteSandboxPolicy(writable_roots=["/h/memories"])
    profile = shapes.permission_profile(policy)
    assert profile["network"] == "restricted"
    assert profile["file_system"]["entries"][4:] == [
        {
            "path": {"type": "special", "value": {"kind": "project_roots", "subpath": name}},
            "access": "read",
        }
        for name in (".git", ".agents", ".codex")
    ] + [{"path": {"type": "path", "path": "/h/memories"}, "access": "write"}]
    assert shapes.permission_profile(DangerFullAccessSandboxPolicy()) == {"type": "disabled"}
