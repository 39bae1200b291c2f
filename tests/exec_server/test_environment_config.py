"""Clients of release 0.169 see the settings of the machine, cut down to what they name."""

from pathlib import Path

import pytest

from app_server.config import load
from app_server.exec_server.environment_config import ConfigLayer, ConfigLayers, environment_config
from app_server.exec_server.environment_methods import EnvironmentConfigReadParams
from app_server.exec_server.protocol import ServiceError


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(load, "SYSTEM_FOLDER", folder)
    return folder


@pytest.fixture
def project(tmp_path: Path, codex_home: Path, system: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".codex").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git/HEAD").touch()
    (folder / ".codex/config.toml").write_text('model = "project"\n')
    (system / "config.toml").write_text('model = "system"\n[mcp_servers.a]\ncommand = "x"\n')
    (system / "requirements.toml").write_text('allowed_approval_policies = ["never"]\n')
    trusted = f'[projects."{folder}"]\ntrust_level = "trusted"\n'
    (codex_home / "config.toml").write_text('model_provider = "unknown"\n' + trusted)
    return folder


def asked(cwd: Path, config: list[list[str]], demands: list[list[str]]) -> tuple[object, object]:
    params = EnvironmentConfigReadParams(
        cwd=f"file://{cwd}", config_paths=config, requirements_paths=demands
    )
    result = environment_config(params)
    return result.config, result.requirements


def layer(name: str, file: Path, toml: str) -> ConfigLayer:
    return ConfigLayer(source=name, base_dir=f"file://{file.parent}", toml=toml)


def test_layers_come_weakest_first_with_what_was_named_alone(project: Path, system: Path) -> None:
    of_system, of_project = system / "config.toml", project / ".codex/config.toml"
    config, requirements = asked(project, [["model"], ["none"]], [["allowed_approval_policies"]])
    assert config == ConfigLayers(
        layers=[
            layer(f"system ({of_system})", of_system, 'model = "system"\n'),
            layer(f"project ({of_project})", of_project, 'model = "project"\n'),
        ],
        cloud_insertion_index=1,
    )
    file = system / "requirements.toml"
    demands = [layer(str(file), file, 'allowed_approval_policies = ["never"]\n')]
    assert requirements == ConfigLayers(layers=demands, cloud_insertion_index=1)


def test_a_table_on_the_way_holds_only_what_is_named_below_it(project: Path, system: Path) -> None:
    file = system / "config.toml"
    config, requirements = asked(project, [["mcp_servers", "a", "command"], ["model", "x"]], [])
    assert isinstance(config, ConfigLayers)
    assert config.layers[0].toml == 'model = "system"\n\n[mcp_servers.a]\ncommand = "x"\n'
    assert requirements == ConfigLayers(layers=[], cloud_insertion_index=0)
    config, _ = asked(project, [["mcp_servers", "b"]], [])
    empty = layer(f"system ({file})", file, "[mcp_servers]\n")
    assert config == ConfigLayers(layers=[empty], cloud_insertion_index=1)


def test_a_project_nobody_trusts_has_no_say(project: Path, codex_home: Path) -> None:
    (codex_home / "config.toml").write_text("")
    config, _ = asked(project, [["model"]], [])
    assert isinstance(config, ConfigLayers)
    assert len(config.layers) == 1


@pytest.mark.parametrize(
    ("config", "demands", "reason"),
    [
        ([], [], "at least one config or requirements path is required"),
        ([["model"], []], [], "TOML paths must contain at least one key segment"),
    ],
)
def test_a_question_about_nothing_is_refused(
    project: Path, config: list[list[str]], demands: list[list[str]], reason: str
) -> None:
    with pytest.raises(ServiceError, match=reason):
        asked(project, config, demands)


def test_a_file_that_is_no_toml_is_said_so(project: Path, codex_home: Path) -> None:
    (codex_home / "config.toml").write_text("model = ")
    with pytest.raises(ServiceError, match=r"failed to load executor-local config: .*config\.toml"):
        asked(project, [["model"]], [])
