"""Skills: found where people keep them, reported when broken, switched on and off."""

import os
import re
from pathlib import Path

import pytest

from app_server.protocol.errors import InvalidParams, InvalidRequest
from app_server.protocol.skills import (
    SKILLS_CHANGED,
    SKILLS_CONFIG_WRITE,
    SKILLS_LIST,
    SkillDependencies,
    SkillInterface,
    SkillMetadata,
    SkillsConfigWriteParams,
    SkillsListEntry,
    SkillsListExtraRootsForCwd,
    SkillsListParams,
    SkillToolDependency,
)
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.repository import mark_repository


def write_skill(root: Path, name: str, front: str = "", body: str = "Do it.") -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    front = front or f"name: {name}\ndescription: About {name}"
    (folder / "SKILL.md").write_text(f"---\n{front}\n---\n{body}\n")
    return folder / "SKILL.md"


async def listed(connect: Connector, params: SkillsListParams | None = None) -> SkillsListEntry:
    client = await connect()
    (entry,) = (await client.request(SKILLS_LIST, params or SkillsListParams())).data
    return entry


async def test_skills_come_from_the_project_the_home_and_bundles_in_that_order(
    connect: Connector, codex_home: Path, workspace: Path
) -> None:
    mark_repository(workspace)
    write_skill(codex_home / "skills" / ".system", "bundled")
    write_skill(codex_home / "skills", "zeta")
    write_skill(Path.home() / ".agents" / "skills", "alpha")
    write_skill(workspace / ".agents" / "skills", "ours")
    write_skill(workspace / ".codex" / "skills", "theirs")
    found = (await listed(connect)).skills
    assert [(skill.name, skill.scope) for skill in found] == [
        ("ours", "repo"),
        ("theirs", "repo"),
        ("alpha", "user"),
        ("zeta", "user"),
        ("bundled", "system"),
    ]


async def test_a_folder_inside_a_project_sees_the_skills_on_the_way_up_and_no_further(
    connect: Connector, workspace: Path
) -> None:
    project = workspace / "project"
    inner = project / "inner"
    inner.mkdir(parents=True)
    mark_repository(project)
    write_skill(workspace / ".agents" / "skills", "outside")
    write_skill(project / ".agents" / "skills", "project")
    write_skill(inner / ".agents" / "skills", "inner")
    found = await listed(connect, SkillsListParams(cwds=[str(inner)]))
    assert found.cwd == str(inner)
    assert [skill.name for skill in found.skills] == ["inner", "project"]


async def test_a_skill_says_how_it_wants_to_be_shown_and_what_it_needs(
    connect: Connector, workspace: Path
) -> None:
    path = write_skill(
        workspace / ".agents" / "skills",
        "good",
        'name: good\ndescription: "A good: one"\nmetadata:\n  short-description: short',
    )
    (path.parent / "agents").mkdir()
    (path.parent / "agents" / "openai.yaml").write_text(
        "interface:\n"
        "  display_name: Good One\n"
        "  icon_small: ./assets/s.png\n"
        "  icon_large: ../../elsewhere.png\n"
        '  brand_color: "#ff0000"\n'
        "dependencies:\n"
        "  tools:\n"
        "    - type: mcp\n"
        "      value: github\n"
        "      url: https://example.com/mcp\n"
        "    - type: mcp\n"
    )
    (skill,) = (await listed(connect)).skills
    assert skill == SkillMetadata(
        name="good",
        path=str(path),
        scope="repo",
        enabled=True,
        description="A good: one",
        short_description="short",
        interface=SkillInterface(
            display_name="Good One",
            icon_small=str(path.parent / "assets" / "s.png"),
            brand_color="#ff0000",
        ),
        dependencies=SkillDependencies(
            tools=[SkillToolDependency(type="mcp", value="github", url="https://example.com/mcp")]
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("just text", "missing YAML frontmatter delimited by ---"),
        ("---\nname: x\n---\n", "missing field `description`"),
        ("---\nname: [a\n---\n", "invalid YAML: .* line 2 column 1"),
        ("---\nname: [a]\ndescription: d\n---\n", "invalid YAML: name: expected a string"),
        ("---\ndescription: what: a thing\n---\n", "invalid YAML: mapping values .* line 1 col"),
        ("---\n- a\n---\n", "invalid YAML: the frontmatter is not a table"),
        ("---\na: &a [x]\nb: [*a, *a]\n---\n", "invalid YAML: aliases are not allowed"),
        (f"---\nname: {'x' * 65}\ndescription: d\n---\n", "invalid name: exceeds maximum length"),
        (f"---\ndescription: {'x' * 1025}\n---\n", "invalid description: exceeds maximum length"),
        ("---\ndescription: " + "[" * 5000 + "\n---\n", "invalid YAML"),
    ],
)
async def test_a_broken_skill_is_reported_beside_the_others(
    connect: Connector, workspace: Path, text: str, message: str
) -> None:
    root = workspace / ".agents" / "skills"
    write_skill(root, "fine")
    (root / "broken").mkdir()
    (root / "broken" / "SKILL.md").write_text(text)
    found = await listed(connect)
    assert [skill.name for skill in found.skills] == ["fine"]
    (error,) = found.errors
    assert error.path == str(root / "broken" / "SKILL.md")
    assert re.match(message, error.message)


async def test_a_skill_without_a_name_is_called_after_its_folder(
    connect: Connector, workspace: Path
) -> None:
    write_skill(workspace / ".agents" / "skills", "folder", "description: |\n  Two\n  lines")
    (skill,) = (await listed(connect)).skills
    assert (skill.name, skill.description) == ("folder", "Two lines")


async def test_links_in_circles_hidden_folders_and_pipes_hold_nobody_up(
    connect: Connector, workspace: Path
) -> None:
    root = workspace / ".agents" / "skills"
    write_skill(root, "one")
    write_skill(root, ".hidden")
    (root / "loop").symlink_to(root)
    (root / "again").symlink_to(root / "one")
    (root / "pipe").mkdir()
    os.mkfifo(root / "pipe" / "SKILL.md")
    found = await listed(connect)
    assert [skill.name for skill in found.skills] == ["one"]
    assert found.errors == []


async def test_extra_roots_count_for_the_folder_they_are_given_for(
    connect: Connector, workspace: Path, tmp_path: Path
) -> None:
    write_skill(tmp_path / "extra", "extra")
    extra = SkillsListExtraRootsForCwd(
        cwd=str(workspace), extra_user_roots=[str(tmp_path / "extra")]
    )
    params = SkillsListParams(
        cwds=[str(workspace), str(tmp_path)], per_cwd_extra_user_roots=[extra]
    )
    client = await connect()
    here, elsewhere = (await client.request(SKILLS_LIST, params)).data
    assert [skill.name for skill in here.skills] == ["extra"]
    assert elsewhere.skills == []


async def test_relative_extra_roots_are_refused(connect: Connector, workspace: Path) -> None:
    extra = SkillsListExtraRootsForCwd(cwd=str(workspace), extra_user_roots=["rel"])
    with pytest.raises(InvalidRequest, match="extraUserRoots paths must be absolute: rel"):
        await listed(connect, SkillsListParams(per_cwd_extra_user_roots=[extra]))


@pytest.mark.parametrize("by", ["path", "name"])
async def test_switching_off_is_written_down_and_on_again_forgotten(
    connect: Connector, codex_home: Path, workspace: Path, by: str
) -> None:
    config = codex_home / "config.toml"
    config.write_text('# mine\nmodel = "m" # keep\n')
    path = write_skill(workspace / ".agents" / "skills", "one")
    named = {"path": str(path)} if by == "path" else {"name": "one"}
    client, other = await connect(), await connect("other")

    off = SkillsConfigWriteParams(enabled=False, **named)
    assert not (await client.request(SKILLS_CONFIG_WRITE, off)).effective_enabled
    await Conversation(other).until(SKILLS_CHANGED)
    assert [skill.enabled for skill in (await listed(connect)).skills] == [False]
    assert config.read_text().startswith('# mine\nmodel = "m" # keep\n')

    on = SkillsConfigWriteParams(enabled=True, **named)
    assert (await client.request(SKILLS_CONFIG_WRITE, on)).effective_enabled
    assert [skill.enabled for skill in (await listed(connect)).skills] == [True]
    assert "enabled" not in config.read_text()


@pytest.mark.parametrize("named", [{}, {"name": " "}, {"name": "x", "path": "/x/SKILL.md"}])
async def test_a_switch_names_a_skill_in_exactly_one_way(
    connect: Connector, named: dict[str, str]
) -> None:
    client = await connect()
    with pytest.raises(InvalidParams, match="requires exactly one of path or name"):
        await client.request(SKILLS_CONFIG_WRITE, SkillsConfigWriteParams(enabled=True, **named))
