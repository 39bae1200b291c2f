"""Hooks that are configured, in the order they would run, with what is wrong with the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from app_server.protocol.hooks import HOOKS_LIST, HooksListEntry, HooksListParams
from tests.server.connector import Connector
from tests.support.repository import mark_repository


def command(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "command", "command": text, **more}


def write_hooks(folder: Path, hooks: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "hooks.json"
    path.write_text(json.dumps({"hooks": hooks}))
    return path


async def listed(connect: Connector, *cwds: Path) -> list[HooksListEntry]:
    client = await connect()
    params = HooksListParams(cwds=[str(cwd) for cwd in cwds])
    return (await client.request(HOOKS_LIST, params)).data


def trust(home: Path, folder: Path, more: str = "") -> None:
    (home / "config.toml").write_text(f'{more}\n[projects."{folder}"]\ntrust_level = "trusted"\n')


async def test_a_hook_tells_where_it_stands_and_when_it_runs(
    connect: Connector, codex_home: Path, workspace: Path
) -> None:
    path = write_hooks(
        codex_home,
        {
            "Stop": [{"matcher": "unused", "hooks": [command("true")]}],
            "PreToolUse": [
                {"hooks": []},
                {
                    "matcher": "Bash",
                    "hooks": [command("echo hi", timeout=5, statusMessage="Checking")],
                },
            ],
        },
    )
    (entry,) = await listed(connect)
    assert entry.cwd == str(workspace)
    before, at_the_end = entry.hooks
    assert before.key == f"{path}:pre_tool_use:1:0"
    assert (before.event_name, before.matcher, before.command) == ("preToolUse", "Bash", "echo hi")
    assert (before.timeout_sec, before.status_message) == (5, "Checking")
    assert (before.source, before.source_path, before.display_order) == ("user", str(path), 0)
    assert (at_the_end.event_name, at_the_end.matcher) == ("stop", None)
    assert (at_the_end.timeout_sec, at_the_end.display_order) == (600, 1)
    assert (entry.warnings, entry.errors) == ([], [])


async def test_a_project_adds_its_hooks_only_when_it_is_trusted(
    connect: Connector, codex_home: Path, workspace: Path
) -> None:
    mark_repository(workspace)
    write_hooks(workspace / ".codex", {"Stop": [{"hooks": [command("project")]}]})
    assert (await listed(connect, workspace))[0].hooks == []
    trust(codex_home, workspace)
    (hook,) = (await listed(connect, workspace))[0].hooks
    assert (hook.command, hook.source) == ("project", "project")


async def test_hooks_may_stand_in_the_settings_too_and_both_is_remarked_upon(
    connect: Connector, codex_home: Path
) -> None:
    path = write_hooks(codex_home, {"Stop": [{"hooks": [command("from file")]}]})
    config = codex_home / "config.toml"
    config.write_text('[[hooks.Stop]]\nhooks = [{ type = "command", command = "from settings" }]\n')
    (entry,) = await listed(connect)
    assert [hook.command for hook in entry.hooks] == ["from file", "from settings"]
    assert entry.warnings == [
        f"loading hooks from both {path} and {config}; prefer a single representation for this "
        "layer"
    ]


@pytest.mark.parametrize(
    ("bad", "warning"),
    [
        ({"type": "prompt", "prompt": "x"}, "prompt hooks are not supported yet"),
        ({"type": "agent"}, "agent hooks are not supported yet"),
        ({"type": "command"}, "missing field `command`"),
        (command("  "), "skipping empty hook command"),
        (command("x", **{"async": True}), "async hooks are not supported yet"),
        (command("x", timeout="soon"), "`timeout` must be a number of seconds"),
        (command("x", statusMessage=5), "`statusMessage` must be a string"),
        ({"type": "weird"}, "its type must be `command`, not 'weird'"),
        ("text", "expected a table"),
    ],
)
async def test_a_hook_that_cannot_run_costs_only_itself(
    connect: Connector, codex_home: Path, bad: Any, warning: str
) -> None:
    write_hooks(codex_home, {"Stop": [{"hooks": [bad, command("good")]}]})
    (entry,) = await listed(connect)
    assert [(hook.command, hook.key[-4:]) for hook in entry.hooks] == [("good", ":0:1")]
    (told,) = entry.warnings
    assert warning in told


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("{", "failed to parse hooks config"),
        ("[]", "expected an object"),
        ('{"hooks": 5}', "expected an object"),
        ('{"hooks": {"Stop": 5}}', "ignoring stop hooks"),
        ('{"hooks": {"Stop": [5]}}', "expected tables with `matcher` and `hooks`"),
        ('{"hooks": {"PreToolUse": [{"matcher": "["}]}}', 'invalid matcher "["'),
        ("[" * 100_000, "failed to parse hooks config"),
    ],
)
async def test_a_broken_file_is_told_and_the_next_layer_still_counts(
    connect: Connector, codex_home: Path, workspace: Path, text: str, warning: str
) -> None:
    mark_repository(workspace)
    write_hooks(workspace / ".codex", {"Stop": [{"hooks": [command("project")]}]})
    trust(codex_home, workspace)
    (codex_home / "hooks.json").write_text(text)
    (entry,) = await listed(connect)
    assert [hook.command for hook in entry.hooks] == ["project"]
    (told,) = entry.warnings
    assert warning in told


async def test_without_the_feature_there_are_none(connect: Connector, codex_home: Path) -> None:
    write_hooks(codex_home, {"Stop": [{"hooks": [command("x")]}]})
    (codex_home / "config.toml").write_text("[features]\ncodex_hooks = false\n")
    assert (await listed(connect))[0].hooks == []
