"""Writing settings: what is kept, what is refused, and two writers at once."""

import json
import os
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from app_server.config.edit import set_value
from app_server.config.errors import ConfigWriteError
from app_server.config.read import read_config
from app_server.config.trust import project_root, repository_root, trust, trust_level
from app_server.config.write import write_config
from app_server.protocol.config import ConfigEdit, ConfigWriteResponse
from tests.support.repository import mark_repository

FILE = """# my settings
model = "gpt-5.5" # the good one
approval_policy = "never"

[features]
# keep it simple
plugins = false
apps = false

[model_providers.mock]
name = "mock"
"""


@pytest.fixture
def file(codex_home: Path) -> Path:
    path = codex_home / "config.toml"
    path.write_text(FILE)
    return path


def write(file: Path, key: str, value: object, **options: object) -> ConfigWriteResponse:
    strategy = options.pop("strategy", "replace")
    edit = ConfigEdit(key_path=key, value=value, merge_strategy=strategy)  # type: ignore[arg-type]
    return write_config(file.parent, [edit], **options)  # type: ignore[arg-type]


EDITS = [
    ("model", "other", 'model = "gpt-5.5"', 'model = "other"'),
    ("model", None, 'model = "gpt-5.5" # the good one\n', ""),
    ("features.apps", True, "apps = false", "apps = true"),
    ("made_up", 1, '"never"\n', '"never"\nmade_up = 1\n'),
    (
        "tools.web_search",
        True,
        'name = "mock"\n',
        'name = "mock"\n\n[tools]\nweb_search = true\n',
    ),
]


@pytest.mark.parametrize(("key", "value", "before", "after"), EDITS)
def test_an_edit_touches_nothing_else(
    file: Path, key: str, value: object, before: str, after: str
) -> None:
    answer = write(file, key, value)
    assert file.read_text() == (FILE.replace(before, after, 1) if before else FILE)
    assert (answer.status, answer.file_path) == ("ok", str(file))
    assert file.stat().st_mode & 0o777 == 0o600


DOTTED = [
    (
        "features.apps = true\nmodel = 'x'\n",
        ("features.goals", False),
        "features.apps = true\nfeatures.goals = false\nmodel = 'x'\n",
    ),
    (
        "a.b = 1\nmodel = 'x'\n",
        ("a.c.d", "v"),
        "a.b = 1\na.c = {d = \"v\"}\nmodel = 'x'\n",
    ),
    ("a.b = 1\nmodel = 'x'\n", ("a.b", {"k": 1}), "a.b = {k = 1}\nmodel = 'x'\n"),
    ("a.b = 1\nmodel = 'x'\n", ("a.b", None), "model = 'x'\n"),
]


@pytest.mark.parametrize(("before", "edit", "after"), DOTTED)
def test_lines_below_dotted_keys_stay_where_they_belong(
    codex_home: Path, before: str, edit: tuple[str, object], after: str
) -> None:
    path = codex_home / "config.toml"
    path.write_text(before)
    answer = write(path, *edit)
    assert path.read_text() == after
    assert write(path, "model", "y", expected_version=answer.version).status == "ok"


def test_a_change_that_would_harm_other_lines_is_refused(codex_home: Path) -> None:
    path = codex_home / "config.toml"
    path.write_text("a.b = 1\na.c = 2\n")
    with pytest.raises(ConfigWriteError, match="without changing other lines"):
        write(path, "a.b", [{"x": 1}])
    assert path.read_text() == "a.b = 1\na.c = 2\n"


def test_line_ends_and_spacing_of_other_lines_stay(codex_home: Path) -> None:
    path = codex_home / "config.toml"
    path.write_bytes(b"# top\r\nmodel   =   'x'  # c\r\n\r\n[tui]\r\n  theme = 'a'\r\n")
    write(path, "tui.theme", "b")
    assert path.read_bytes() == (
        b"# top\r\nmodel   =   'x'  # c\r\n\r\n[tui]\r\n  theme = \"b\"\r\n"
    )


def test_upsert_merges_tables_and_replace_replaces_them(file: Path) -> None:
    write(file, "features", {"goals": True}, strategy="upsert")
    assert tomllib.loads(file.read_text())["features"] == {
        "plugins": False,
        "apps": False,
        "goals": True,
    }
    write(file, "features", {"goals": False})
    assert tomllib.loads(file.read_text())["features"] == {"goals": False}


def test_the_file_is_made_when_there_is_none(codex_home: Path) -> None:
    write(codex_home / "config.toml", "a.b.c", 1)
    assert tomllib.loads((codex_home / "config.toml").read_text()) == {"a": {"b": {"c": 1}}}


def test_a_linked_file_is_followed(tmp_path: Path, codex_home: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("a = 1\n")
    (codex_home / "config.toml").symlink_to(real)
    write(codex_home / "config.toml", "a", 2)
    assert (codex_home / "config.toml").is_symlink()
    assert real.read_text() == "a = 2\n"


REFUSED = [
    ({"key": "", "value": 1}, "configValidationError", "keyPath must not be empty"),
    (
        {"key": "approval_policy", "value": "bogus"},
        "configValidationError",
        "Invalid configuration: unknown variant `bogus`, expected one of `untrusted`, "
        "`on-failure`, `on-request`, `granular`, `never`\nin `approval_policy`\n",
    ),
    (
        {"key": "tools", "value": {"a": [{"b": None}]}},
        "configValidationError",
        "invalid value: invalid type: null, expected any valid TOML value",
    ),
    (
        {"key": "made_up", "value": [2**63]},
        "configValidationError",
        "invalid value: the integer 9223372036854775808 is too large",
    ),
    (
        {"key": "profile", "value": "nope"},
        "configValidationError",
        "Invalid configuration: config profile `nope` not found",
    ),
    ({"key": "gone.inner", "value": None}, "configPathNotFound", "Path not found"),
    ({"key": "model.inner", "value": None}, "configPathNotFound", "Path not found"),
    (
        {"key": "model.inner", "value": 1},
        "configValidationError",
        "cannot set value on non-table parent",
    ),
    (
        {"key": "model", "value": "x", "file_path": "/elsewhere/config.toml"},
        "configLayerReadonly",
        "Only writes to the user config are allowed",
    ),
    (
        {"key": "model", "value": "x", "expected_version": "sha256:0000"},
        "configVersionConflict",
        "Configuration was modified since last read. Fetch latest version and retry.",
    ),
]


@pytest.mark.parametrize(("request_", "code", "message"), REFUSED)
def test_a_refused_write_leaves_the_file_alone(
    file: Path, request_: dict[str, object], code: str, message: str
) -> None:
    with pytest.raises(ConfigWriteError) as refusal:
        write(file, **request_)  # type: ignore[arg-type]
    assert str(refusal.value) == message
    assert refusal.value.rpc_data == {"config_write_error_code": code}
    assert file.read_text() == FILE


def test_a_file_with_faults_can_be_mended_step_by_step(codex_home: Path) -> None:
    path = codex_home / "config.toml"
    path.write_text('sandbox_mode = "open"\nmodel = 5\nprofile = "gone"\n')
    write(path, "projects./a.trust_level", "trusted")
    write(path, "model", "x")
    with pytest.raises(ConfigWriteError, match="unknown variant `wide`"):
        write(path, "sandbox_mode", "wide")
    write(path, "sandbox_mode", "read-only")
    with pytest.raises(ConfigWriteError, match="config profile `other` not found"):
        write(path, "profile", "other")
    write(path, "profile", None)
    assert read_config(codex_home, None).config["model"] == "x"


def test_a_batch_is_made_whole_or_not_at_all(file: Path) -> None:
    edits = [
        ConfigEdit(key_path="model", value="x", merge_strategy="replace"),
        ConfigEdit(key_path="model_verbosity", value="loud", merge_strategy="replace"),
    ]
    with pytest.raises(ConfigWriteError):
        write_config(file.parent, edits)
    assert file.read_text() == FILE


def test_the_version_of_an_answer_is_the_next_expected_one(file: Path) -> None:
    first = write(file, "model", "one")
    second = write(file, "model", "two", expected_version=first.version)
    assert second.version != first.version
    layers = read_config(file.parent, None, include_layers=True).layers
    assert layers is not None
    assert layers[0].version == second.version


def test_a_value_that_a_higher_layer_hides_is_reported(file: Path) -> None:
    answer = write(file, "model", "mine", cli_overrides=[("model", "theirs")])
    assert answer.status == "okOverridden"
    assert answer.overridden_metadata is not None
    assert answer.overridden_metadata.message == "Overridden by session flags"
    assert answer.overridden_metadata.effective_value == "theirs"


def test_writers_at_the_same_time_lose_nothing(file: Path) -> None:
    def writer(name: str) -> None:
        for number in range(10):
            set_value(file, f"notice.{name}_{number}", True)

    threads = [threading.Thread(target=writer, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tomllib.loads(file.read_text())["notice"]) == 40


RECORDINGS = ("recorded_config_read.json", "recorded_every_table.json")


@pytest.mark.parametrize("recording", RECORDINGS)
def test_the_answer_shows_what_the_original_shows(codex_home: Path, recording: str) -> None:
    recorded = json.loads((Path(__file__).parent / recording).read_text())
    (codex_home / "config.toml").write_text(recorded["file"])
    answer = read_config(codex_home, None)
    shown = {key: answer.config.get(key, "absent") for key in recorded["config"]}
    assert without_what_differs(shown) == recorded["config"]
    assert sorted(answer.origins) == sorted(recorded["origins"])


def without_what_differs(shown: dict[str, Any]) -> dict[str, Any]:
    """Our keys have other names, and a folder that is not set is not made up."""
    if shown["tui"]:
        del shown["tui"]["keymap"]
    for provider in shown["model_providers"].values():
        if provider["auth"]:
            assert provider["auth"].pop("cwd") is None
    return shown


def test_origins_name_the_deciding_layer_and_number_lists(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('model = "a"\nnotify = ["x", "y"]\n[tui]\ntheme = "t"')
    answer = read_config(codex_home, None, [("notify", ["z"]), ("tui", {})])
    decided = {path: type(origin.name).__name__ for path, origin in answer.origins.items()}
    assert decided == {
        "model": "UserConfigLayerSource",
        "notify.0": "SessionFlagsConfigLayerSource",
    }


def test_layers_are_listed_strongest_first(codex_home: Path, workspace: Path) -> None:
    (workspace / ".codex").mkdir()
    session = [("model", "x")]
    layers = read_config(codex_home, workspace, session, include_layers=True).layers
    assert layers is not None
    assert [type(layer.name).__name__ for layer in layers] == [
        "SessionFlagsConfigLayerSource",
        "ProjectConfigLayerSource",
        "UserConfigLayerSource",
        "SystemConfigLayerSource",
    ]
    without = read_config(codex_home, None, include_layers=True).layers
    assert without is not None
    assert len(without) == 2


def test_trust_is_recorded_for_the_repository_and_found_again(
    codex_home: Path, workspace: Path
) -> None:
    mark_repository(workspace)
    inner = workspace / "inner"
    inner.mkdir()
    assert trust_level(codex_home, inner) is None
    assert trust(codex_home, inner) == workspace
    assert trust_level(codex_home, inner) == "trusted"
    assert trust_level(codex_home, workspace) == "trusted"
    assert trust_level(codex_home, workspace.parent) is None
    trust(codex_home, inner, "untrusted")
    assert trust_level(codex_home, inner) == "untrusted"


def test_a_worktree_inherits_the_trust_of_its_repository(codex_home: Path, tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    (main / ".git/worktrees/tree").mkdir(parents=True)
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/tree\n")
    (main / ".git/worktrees/tree/gitdir").write_text(f"{tree}/.git\n")
    assert project_root(tree) == tree
    assert repository_root(tree) == main
    trust(codex_home, main)
    assert trust_level(codex_home, tree) == "trusted"


def test_a_folder_that_only_says_it_is_a_worktree_inherits_nothing(
    codex_home: Path, tmp_path: Path
) -> None:
    main, known, guest = tmp_path / "main", tmp_path / "known", tmp_path / "guest"
    (main / ".git/worktrees/tree").mkdir(parents=True)
    (main / ".git/worktrees/tree/gitdir").write_text(f"{known}/.git\n")
    trust(codex_home, main)
    guest.mkdir()
    for name in ("tree", "none"):
        (guest / ".git").write_text(f"gitdir: {main}/.git/worktrees/{name}\n")
        assert repository_root(guest) == guest
        assert trust_level(codex_home, guest) is None


def test_a_pipe_named_like_the_repository_is_not_waited_for(
    codex_home: Path, workspace: Path
) -> None:
    os.mkfifo(workspace / ".git")
    assert repository_root(workspace) is None
    assert trust_level(codex_home, workspace) is None
