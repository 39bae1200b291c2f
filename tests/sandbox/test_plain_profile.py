"""What is read of a profile without the typed reader means what that one makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.sandbox.errors import SandboxUnavailable
from app_server.sandbox.plain_profile import read_plain_profile
from app_server.sandbox.spellings import NotUnderstood, read_profile
from app_server.sandbox.wishes import Permissions, wishes
from app_server.storage.shapes import permission_profile

PLACES = [
    {"type": "path", "path": "/srv/a"},
    {"type": "path", "path": "/srv/a/../b/"},
    {"type": "path", "path": "relative"},
    {"type": "glob_pattern", "pattern": "**/*.key"},
    *(
        {"type": "special", "value": {"kind": kind}}
        for kind in ("root", "minimal", "project_roots")
    ),
    *({"type": "special", "value": {"kind": kind}} for kind in ("tmpdir", "slash_tmp", "moon")),
    {"type": "special", "value": {"kind": "project_roots", "subpath": ".git"}},
    {"type": "special", "value": {"kind": "project_roots", "subpath": None}},
]
ENTRIES = st.fixed_dictionaries(
    {"path": st.sampled_from(PLACES), "access": st.sampled_from(["read", "write", "none", "deny"])}
)
PROFILES = st.fixed_dictionaries(
    {
        "type": st.just("managed"),
        "file_system": st.fixed_dictionaries(
            {"type": st.just("restricted"), "entries": st.lists(ENTRIES, max_size=6)},
            optional={"glob_scan_max_depth": st.sampled_from([None, 1, 3])},
        ),
        "network": st.sampled_from(["restricted", "enabled"]),
    }
)


def meaning(permissions: Permissions) -> object:
    try:
        return wishes(permissions, "/srv/project", {"TMPDIR": "/var/tmp"})
    except SandboxUnavailable as refusal:
        return str(refusal)


@settings(max_examples=150)
@given(PROFILES)
def test_both_readers_agree(profile: dict[str, Any]) -> None:
    text = json.dumps(profile)
    plain = read_plain_profile(text)
    if plain is not None:
        assert meaning(plain) == meaning(read_profile(text))


def test_what_clients_send_is_plain() -> None:
    policy = WorkspaceWriteSandboxPolicy(writable_roots=["/srv/more"], network_access=True)
    assert read_plain_profile(json.dumps(permission_profile(policy))) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        '{"type":"managed"}',
        '{"type":"disabled"}',
        '{"type":"managed","file_system":{"type":"unrestricted"},"network":"enabled"}',
        '{"type":"managed","file_system":{"type":"restricted","entries":[]},"network":{}}',
        '{"type":"managed","file_system":{"type":"restricted","entries":[]},"network":"maybe"}',
        '{"type":"managed","file_system":{"type":"restricted","entries":[],"more":1},'
        '"network":"restricted"}',
        '{"type":"managed","file_system":{"type":"restricted","entries":[{"access":"read"}]},'
        '"network":"restricted"}',
        '{"type":"managed","file_system":{"type":"restricted","entries":[{"access":"read",'
        '"path":{"type":"special","value":["kind"]}}]},"network":"restricted"}',
        *(
            '{"type":"managed","file_system":{"type":"restricted","entries":[{"access":"read",'
            f'"path":{{"type":"special","value":{value}}}}}]}},"network":"restricted"}}'
            for value in ("null", "5", "[1]", '[["kind","root"]]')
        ),
        '{"type":"managed","file_system":{"type":"restricted","entries":[],'
        '"glob_scan_max_depth":true},"network":"restricted"}',
    ],
)
def test_what_is_not_plain_is_left_to_the_typed_reader(text: str) -> None:
    assert read_plain_profile(text) is None


def test_a_text_that_neither_reader_understands_is_refused() -> None:
    with pytest.raises(NotUnderstood):
        read_profile("[" * 100_000)


def test_a_plain_profile_is_kept_without_heavy_libraries() -> None:
    profile = json.dumps(permission_profile(WorkspaceWriteSandboxPolicy()))
    program = (
        "import sys; from app_server.cli.linux_sandbox import _prepared, _read; "
        "_prepared(_read(sys.argv[1:])); "
        "print(*({'msgspec', 'asyncio', 'logging', 'pathlib', 'ctypes'} & sys.modules.keys()))"
    )
    words = ["--sandbox-policy-cwd", "/", "--permission-profile", profile, "--", "true"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60
    )
    if "cannot be confined" not in done.stderr:
        assert (done.stdout.strip(), done.stderr) == ("", "")
