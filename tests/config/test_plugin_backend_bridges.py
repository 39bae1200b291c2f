"""The tables of plugins' bridges in the configuration."""

from pathlib import Path

import pytest

from app_server.config import mention
from app_server.config.load import load_config
from app_server.config.mention import is_mentioned
from app_server.config.read import read_config

KEY = "plugin_backend_bridges"
NOTES = """\
[plugin_backend_bridges.notes]
local_path_prefix = "/local/notes/"
backend_path_prefix = "/api/codex/notes/"
"""


def test_bridges_are_read_by_their_ids(codex_home: Path, workspace: Path) -> None:
    assert load_config(codex_home, workspace).config.plugin_backend_bridges == {}
    (codex_home / "config.toml").write_text(NOTES)
    assert load_config(codex_home, workspace).config.plugin_backend_bridges == {
        "notes": {"local_path_prefix": "/local/notes/", "backend_path_prefix": "/api/codex/notes/"}
    }


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        (
            "token = 1",
            "unknown field `token`, expected `local_path_prefix` or `backend_path_prefix`",
        ),
        ("[plugin_backend_bridges.b]", "missing field `local_path_prefix`"),
        (
            '[plugin_backend_bridges.b]\nlocal_path_prefix = "/x/"',
            "missing field `backend_path_prefix`",
        ),
        (
            "[plugin_backend_bridges.b]\nlocal_path_prefix = 1",
            "invalid type: integer `1`, expected a string",
        ),
        (
            "[plugin_backend_bridges]\nb = 1",
            "invalid type: integer `1`, expected struct PluginBackendBridgeConfigToml",
        ),
    ],
)
def test_a_bridge_has_both_prefixes_and_nothing_else(
    codex_home: Path, workspace: Path, added: str, reason: str
) -> None:
    (codex_home / "config.toml").write_text(NOTES + added)
    loaded = load_config(codex_home, workspace)
    assert loaded.error is not None
    assert reason in str(loaded.error)


def test_a_project_cannot_open_a_bridge(codex_home: Path, workspace: Path) -> None:
    (codex_home / "config.toml").write_text(f'[projects."{workspace}"]\ntrust_level = "trusted"\n')
    (workspace / ".codex").mkdir()
    (workspace / ".codex" / "config.toml").write_text(NOTES)
    loaded = load_config(codex_home, workspace)
    assert loaded.config.plugin_backend_bridges == {}
    assert [KEY in warning.summary for warning in loaded.warnings] == [True]


def test_config_read_shows_bridges_only_where_there_are_some(codex_home: Path) -> None:
    assert KEY not in read_config(codex_home, None).config
    (codex_home / "config.toml").write_text(NOTES)
    assert list(read_config(codex_home, None).config[KEY]) == ["notes"]


@pytest.mark.parametrize(
    ("text", "overrides", "answer"),
    [
        ("", [], False),
        ('model = "x"', [("model", "y")], False),
        (NOTES, [], True),
        ('["plugin_backend\\u005fbridges".notes]', [], True),
        ("", [("plugin_backend_bridges.notes.local_path_prefix", "/x/")], True),
    ],
)
def test_a_quick_look_finds_every_mention(
    codex_home: Path, text: str, overrides: list[tuple[str, str]], answer: bool
) -> None:
    assert not is_mentioned(KEY, codex_home, [])
    (codex_home / "config.toml").write_text(text)
    assert is_mentioned(KEY, codex_home, overrides) is answer


def test_the_quick_look_takes_in_the_systems_files(
    codex_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mention, "SYSTEM_FOLDER", tmp_path)
    (tmp_path / "managed_config.toml").write_text(NOTES)
    assert is_mentioned(KEY, codex_home, [])
