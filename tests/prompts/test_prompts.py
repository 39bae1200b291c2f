"""What the model is told about its work and its surroundings."""

from pathlib import Path

import pytest

from app_server.prompts import base_instructions, text
from app_server.prompts.environment import WorkEnvironment, current_date
from app_server.prompts.permissions import permissions_block
from app_server.prompts.project_docs import load_project_docs
from app_server.protocol.permissions import (
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    GranularApprovals,
    GranularAskForApproval,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from tests.support.repository import mark_repository


def docs(home: Path, cwd: Path, max_bytes: int = 32_768, **options: object) -> str | None:
    return load_project_docs(
        home,
        cwd,
        max_bytes=max_bytes,
        root_markers=options.get("markers", [".git"]),  # type: ignore[arg-type]
        fallback_names=options.get("fallback", ()),  # type: ignore[arg-type]
    ).text


def test_every_tool_we_offer_is_explained() -> None:
    for word in ("exec_command", "write_stdin", "apply_patch", "update_plan", "view_image"):
        assert f"`{word}`" in base_instructions()
    assert "*** Begin Patch" in text("tools/apply_patch.md")


def test_the_environment_block_names_folder_shell_date_and_zone() -> None:
    environment = WorkEnvironment(
        cwd="/w", shell="bash", current_date="2026-01-02", timezone="Etc/UTC"
    )
    assert environment.block() == (
        "<environment_context>\n"
        "  <cwd>/w</cwd>\n"
        "  <shell>bash</shell>\n"
        "  <current_date>2026-01-02</current_date>\n"
        "  <timezone>Etc/UTC</timezone>\n"
        "</environment_context>"
    )
    assert len(current_date(0)) == len("1970-01-01")


@pytest.mark.parametrize(
    ("sandbox", "approvals", "words"),
    [
        (ReadOnlySandboxPolicy(), "never", ["`read-only`", "`never`", "cannot be reached"]),
        (
            WorkspaceWriteSandboxPolicy(network_access=True),
            "on-request",
            ["`workspace-write`", "`on-request`", "The network can be reached.", "`/w`"],
        ),
        (DangerFullAccessSandboxPolicy(), "untrusted", ["`danger-full-access`", "`untrusted`"]),
        (ReadOnlySandboxPolicy(), "on-failure", ["`on-failure`"]),
        (
            ReadOnlySandboxPolicy(),
            GranularAskForApproval(
                granular=GranularApprovals(mcp_elicitations=True, rules=True, sandbox_approval=True)
            ),
            ["lets only some questions"],
        ),
    ],
)
def test_the_permissions_block_says_what_is_in_force(
    sandbox: SandboxPolicy, approvals: AskForApproval, words: list[str]
) -> None:
    block = permissions_block(sandbox, approvals, ["/w"])
    assert block.startswith("<permissions instructions>\n")
    assert block.endswith("\n</permissions instructions>")
    for word in words:
        assert word in block


def test_project_documents_are_joined_from_the_root_down_after_the_persons_own(
    tmp_path: Path,
) -> None:
    home, root = tmp_path / "home", tmp_path / "repo"
    deep = root / "a" / "b"
    deep.mkdir(parents=True)
    mark_repository(root)
    (tmp_path / "AGENTS.md").write_text("above the root")
    (home / "AGENTS.md").write_text("mine")
    (root / "AGENTS.md").write_text("root")
    (root / "a" / "AGENTS.md").write_text("  \n")
    (deep / "AGENTS.md").write_text("shared")
    (deep / "AGENTS.override.md").write_text("override")
    assert docs(home, deep) == "mine\n\n--- project-doc ---\n\nroot\n\noverride"
    found = load_project_docs(home, deep, max_bytes=32_768, root_markers=[".git"])
    assert [Path(source).name for source in found.sources] == [
        "AGENTS.md",
        "AGENTS.md",
        "AGENTS.override.md",
    ]
    block = found.block("/w")
    assert block is not None
    assert block.startswith("# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>\nmine")


def test_the_projects_part_is_cut_at_its_budget_and_can_be_switched_off(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("ä" * 10)
    home = tmp_path / "home"
    assert docs(home, tmp_path, max_bytes=5) == "ää"
    assert docs(home, tmp_path, max_bytes=0) is None


def test_without_a_marker_only_the_folder_itself_is_searched(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / "AGENTS.md").write_text("above")
    (below / "NOTES.md").write_text("notes")
    home = tmp_path / "home"
    assert docs(home, below, markers=[]) is None
    assert docs(home, below, markers=[], fallback=["NOTES.md"]) == "notes"
