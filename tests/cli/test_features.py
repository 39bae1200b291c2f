"""`codex features` and `codex debug config-schema`, called as a user calls them."""

import json
from pathlib import Path

import pytest

from app_server.cli.main import main
from app_server.config.features import STAGES


@pytest.fixture
def home(codex_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEX_HOME", str(codex_home))
    return codex_home


def test_the_list_names_every_feature_with_stage_and_state_in_columns(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.toml").write_text("[features]\ngoals = true\ncollab = false\n")
    assert main(["features", "list", "--disable", "apps"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(STAGES)
    assert "goals                               under development  true" in lines
    assert "apps                                stable             false" in lines
    assert "multi_agent                         stable             false" in lines
    assert "steer                               removed            true" in lines


EDITS = [
    ("", ["enable", "goals"], "[features]\ngoals = true\n"),
    ("[features]\ngoals = true # try\n", ["disable", "goals"], "[features]\n"),
    ("", ["disable", "apps"], "[features]\napps = false\n"),
    ("[features]\napps = false # no\n", ["enable", "apps"], "[features]\napps = true # no\n"),
    ("[features]\nconnectors = false\n", ["enable", "apps"], "[features]\napps = true\n"),
    ("", ["enable", "connectors"], "[features]\napps = true\n"),
]


@pytest.mark.parametrize(("before", "words", "after"), EDITS)
def test_a_switch_is_written_into_the_users_file(
    home: Path, capsys: pytest.CaptureFixture[str], before: str, words: list[str], after: str
) -> None:
    (home / "config.toml").write_text(before)
    assert main(["features", *words]) == 0
    assert (home / "config.toml").read_text() == after
    said = "Enabled" if words[0] == "enable" else "Disabled"
    assert capsys.readouterr().out == f"{said} feature `{words[1]}` in config.toml.\n"


def test_an_unfinished_feature_comes_with_a_word_about_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["features", "enable", "goals"]) == 0
    assert "`goals` is still under development" in capsys.readouterr().err
    assert main(["features", "enable", "apps"]) == 0
    assert capsys.readouterr().err == ""
    (home / "config.toml").write_text("suppress_unstable_features_warning = true\n")
    assert main(["features", "enable", "goals"]) == 0
    assert capsys.readouterr().err == ""


def test_a_feature_nobody_knows_is_refused_and_nothing_is_written(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["features", "enable", "nonsense"]) == 1
    assert capsys.readouterr().err == "Unknown feature flag: nonsense\n"
    assert not (home / "config.toml").exists()
    assert main(["features", "enable"]) == 2


def test_a_broken_file_is_named_and_not_overwritten(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.toml").write_text("model = \n")
    assert main(["features", "list"]) == 1
    assert main(["features", "enable", "goals"]) == 1
    errors = capsys.readouterr().err
    assert errors.count(f"{home}/config.toml") == 2
    assert (home / "config.toml").read_text() == "model = \n"


def test_the_schema_of_settings_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug", "config-schema"]) == 0
    assert "sandbox_mode" in json.loads(capsys.readouterr().out)["properties"]
