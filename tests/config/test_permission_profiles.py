"""Permission profiles of one's own: what their tables mean, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app_server.config.permission_profiles import reading_only
from app_server.config.resolve import Config
from app_server.protocol.permissions import (
    ManagedPermissionProfile,
    ReadOnlySandboxPolicy,
    UnrestrictedPermissionProfileFileSystemPermissions,
    WorkspaceWriteSandboxPolicy,
)
from tests.config.conftest import Loader


@pytest.fixture
def config(loaded: Loader) -> Callable[..., Config]:
    return lambda text="", **options: loaded(text, **options).checked()


CHOSEN = 'default_permissions = "mine"\n[permissions.mine.filesystem]\n'


def special(kind: str, access: str, subpath: str | None = None) -> dict[str, Any]:
    value = {"kind": kind} | ({"subpath": subpath} if kind == "project_roots" else {})
    return {"path": {"type": "special", "value": value}, "access": access}


def named(path: str, access: str) -> dict[str, Any]:
    return {"path": {"type": "path", "path": path}, "access": access}


def pattern(text: str, access: str) -> dict[str, Any]:
    return {"path": {"type": "glob_pattern", "pattern": text}, "access": access}


def test_one_who_may_only_look_sees_what_the_profile_shows_and_reaches_nothing(
    config: Callable[..., Config],
) -> None:
    profile = config(
        CHOSEN + '":root" = "read"\n":tmpdir" = "write"\n"/etc/ssl" = "none"\n'
        "[permissions.mine.network]\nenabled = true\n"
    ).permission_profile
    assert isinstance(profile, ManagedPermissionProfile)
    looking = msgspec.to_builtins(reading_only(profile))
    assert looking["network"] == {"enabled": False}
    entries = looking["fileSystem"]["entries"]
    assert {entry["access"] for entry in entries} == {"read", "none"}
    assert named("/etc/ssl", "none") in entries
    assert special("tmpdir", "read") in entries
    all_files = msgspec.structs.replace(
        profile, file_system=UnrestrictedPermissionProfileFileSystemPermissions()
    )
    assert reading_only(all_files) is None


def test_a_profile_is_read_as_the_original_reads_it(config: Callable[..., Config]) -> None:
    """The entries and their order are those 0.128 hands to its sandbox for this file."""
    found = config(
        CHOSEN
        + """
":root" = "read"
":project_roots" = { "." = "write", "docs" = "read", "secret" = "none", "**/*.env" = "none" }
":tmpdir" = "write"
"/var/other" = "write"
"/etc/ssl" = "none"
glob_scan_max_depth = 3
[permissions.mine.network]
enabled = false
"""
    )
    assert msgspec.to_builtins(found.permission_profile) == {
        "type": "managed",
        "network": {"enabled": False},
        "fileSystem": {
            "type": "restricted",
            "globScanMaxDepth": 3,
            "entries": [
                named("/etc/ssl", "none"),
                named("/var/other", "write"),
                pattern(f"{found.cwd}/**/*.env", "none"),
                special("project_roots", "write"),
                special("project_roots", "read", "docs"),
                special("project_roots", "none", "secret"),
                special("root", "read"),
                special("tmpdir", "write"),
                named(f"{found.codex_home}/memories", "write"),
            ],
        },
    }
    assert found.confinement is found.permission_profile
    assert found.sandbox_mode == "workspace-write"
    assert found.sandbox_policy == WorkspaceWriteSandboxPolicy(
        writable_roots=["/var/other", f"{found.codex_home}/memories"], exclude_slash_tmp=True
    )


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ('":minimal" = "read"', special("minimal", "read")),
        ('":slash_tmp" = "write"', special("slash_tmp", "write")),
        ('"/a/../b" = "read"', named("/b", "read")),
        ('"/a/**" = "write"', named("/a", "write")),
        ('"/a/*.key" = "none"', pattern("/a/*.key", "none")),
        ('"/a" = { "b/c" = "read" }', named("/a/b/c", "read")),
        ('":workspace_roots" = "read"', special("project_roots", "read")),
        ('":project_roots" = { "src/**" = "write" }', special("project_roots", "write", "src")),
        (
            '":later" = "read"',
            {
                "path": {
                    "type": "special",
                    "value": {"kind": "unknown", "path": ":later", "subpath": None},
                },
                "access": "read",
            },
        ),
    ],
)
def test_what_a_line_means(config: Callable[..., Config], line: str, entry: dict[str, Any]) -> None:
    profile = msgspec.to_builtins(config(CHOSEN + line).permission_profile)
    assert profile["fileSystem"]["entries"][0] == entry


def test_a_place_at_home_is_written_with_a_tilde(
    config: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    profile = msgspec.to_builtins(config(CHOSEN + '"~/x" = "write"').permission_profile)
    assert profile["fileSystem"]["entries"][0] == named("/home/me/x", "write")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('"rel/path" = "read"', "filesystem path `rel/path` must be absolute"),
        ('":tmpdir" = { "x" = "write" }', "`:tmpdir` does not support nested entries"),
        ('":project_roots" = { "../up" = "write" }', "must be a descendant path"),
        ('":project_roots" = { "*.env" = "read" }', "only supports `none` access"),
        (
            '":root" = "read"\n[permissions.mine.network]\nenabled = true\n'
            "allow_upstream_proxy = true",
            "`permissions.mine.network.allow_upstream_proxy` cannot be kept",
        ),
    ],
)
def test_what_cannot_be_meant_or_kept_is_refused(loaded: Loader, text: str, complaint: str) -> None:
    assert complaint in str(loaded(CHOSEN + text).error)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('default_permissions = ":moon"', "unknown built-in profile `:moon`"),
        ('default_permissions = "a"\n[permissions.b]', "undefined profile `a`"),
    ],
)
def test_a_profile_that_is_not_there_is_refused(loaded: Loader, text: str, complaint: str) -> None:
    assert complaint in str(loaded(text).error)


def test_an_open_network_is_part_of_a_profile(config: Callable[..., Config]) -> None:
    found = config(CHOSEN + '":root" = "read"\n[permissions.mine.network]\nenabled = true')
    profile = found.permission_profile
    assert profile is not None
    assert profile.network.enabled
    assert isinstance(found.sandbox_policy, WorkspaceWriteSandboxPolicy)  # the memories
    assert found.sandbox_policy.network_access


def test_an_empty_profile_opens_nothing(config: Callable[..., Config]) -> None:
    found = config('default_permissions = "mine"\n[permissions.mine]')
    assert (found.sandbox_mode, found.sandbox_policy) == ("read-only", ReadOnlySandboxPolicy())
    assert found.permission_profile is not None


def test_a_mode_asked_for_at_the_start_wins_over_the_profile_of_the_file(loaded: Loader) -> None:
    text = CHOSEN + '":root" = "read"'
    found = loaded(text, flags={"sandbox_mode": "read-only"}).config
    assert (found.permission_profile, found.sandbox_mode) == (None, "read-only")


def test_a_project_may_not_name_the_program_that_confines(loaded: Loader, project: Path) -> None:
    (project / ".codex").mkdir()
    (project / ".codex" / "config.toml").write_text('codex_linux_sandbox_exe = "/tmp/mine"')
    trusting = f'[projects."{project}"]\ntrust_level = "trusted"'
    found = loaded(trusting)
    assert found.checked().codex_linux_sandbox_exe is None
    assert "codex_linux_sandbox_exe" in str(found.warnings)
    assert loaded('codex_linux_sandbox_exe = "/a"').checked().codex_linux_sandbox_exe == "/a"


def test_hosts_named_one_by_one_close_the_network_but_for_the_proxy(
    config: Callable[..., Config],
) -> None:
    text = '":root" = "read"\n[permissions.mine.network]\nenabled = true\nmode = "limited"\n'
    found = config(CHOSEN + text + '[permissions.mine.network.domains]\n"a.example" = "allow"')
    assert found.proxied_network is not None
    assert found.proxied_network["domains"] == {"a.example": "allow"}
    assert found.permission_profile is not None
    assert found.permission_profile.network.enabled
    confinement = found.confinement
    assert isinstance(confinement, ManagedPermissionProfile)
    assert not confinement.network.enabled
