"""The command line: what each form of call means."""

from pathlib import Path

import pytest

from app_server.cli.main import main
from app_server.cli.options import Options, parse


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {"command": "interactive"}),
        (["fix it"], {"command": "interactive", "prompt": "fix it"}),
        (["-m", "resume"], {"command": "interactive", "overrides": (("model", "resume"),)}),
        (["--demo"], {"command": "interactive", "demo": True}),
        (["--alt-screen"], {"command": "interactive", "alternate_screen": True}),
        (["-i", "a.png,b.png", "look"], {"images": ("a.png", "b.png"), "prompt": "look"}),
        (["resume", "--last"], {"command": "resume", "resume_last": True}),
        (["-m", "x", "resume", "abc"], {"command": "resume", "resume_id": "abc"}),
        (["app-server"], {"command": "app-server", "listen": ("stdio://",)}),
        (["--headless"], {"command": "app-server", "listen": ("stdio://",)}),
        (["app-server", "--headless"], {"command": "app-server", "listen": ("stdio://",)}),
        (["app-server", "--analytics-default-enabled"], {"command": "app-server"}),
        (
            ["--headless", "app-server", "--listen", "ws://127.0.0.1:0"],
            {"command": "app-server", "listen": ("ws://127.0.0.1:0",)},
        ),
        (
            ["app-server", "--listen", "unix://", "--listen", "ws://127.0.0.1:0"],
            {"listen": ("unix://", "ws://127.0.0.1:0")},
        ),
        (
            ["app-server", "proxy", "--sock", "/run/x.sock"],
            {"command": "app-server", "action": "proxy", "socket": "/run/x.sock"},
        ),
        (
            ["--config", "a=1", "app-server", "--listen", "stdio://"],
            {"command": "app-server", "overrides": (("a", 1),)},
        ),
        (
            ["app-server", "generate-json-schema", "--out", "x"],
            {"command": "app-server", "action": "generate-json-schema", "out": "x"},
        ),
        (["login", "--with-api-key"], {"command": "login", "api_key_from_stdin": True}),
        (["-c", "a.b=[1]", "-c", "c=plain"], {"overrides": (("a.b", [1]), ("c", "plain"))}),
        (["--enable", "goals"], {"overrides": (("features.goals", True),)}),
        (["--disable", "goals"], {"overrides": (("features.goals", False),)}),
        (
            ["-c", "use_legacy_landlock=true"],
            {"overrides": (("features.use_legacy_landlock", True),)},
        ),
        (["features", "list"], {"command": "features", "action": "list"}),
        (
            ["--enable", "apps", "features", "enable", "goals"],
            {"command": "features", "action": "enable", "feature": "goals"},
        ),
        (["debug", "config-schema"], {"command": "debug", "action": "config-schema"}),
        (["--strict-config", "app-server"], {"command": "app-server", "strict_config": True}),
        (
            ["--yolo"],
            {"overrides": (("sandbox_mode", "danger-full-access"), ("approval_policy", "never"))},
        ),
    ],
)
def test_a_call_means(words: list[str], expected: dict[str, object]) -> None:
    options = parse(words)
    assert {name: getattr(options, name) for name in expected} == expected


def test_the_working_folder_is_absolute_and_must_exist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parse(["-C", str(tmp_path)]).cwd == str(tmp_path)
    with pytest.raises(SystemExit) as ended:
        parse(["-C", str(tmp_path / "missing")])
    assert ended.value.code == 2
    assert "there is no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["exec", "do it"], ["-m", "x", "mcp", "list"]])
def test_a_command_that_is_not_there_yet_is_refused_and_not_taken_for_a_prompt(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert "is not part of this release yet" in capsys.readouterr().err


def test_a_setting_without_a_value_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["-c", "model"])
    assert "expected KEY=VALUE" in capsys.readouterr().err


def test_a_feature_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--enable", "nonsense"])
    assert "Unknown feature flag: nonsense" in capsys.readouterr().err


def test_version_names_the_release_it_is_compatible_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--version"]) == 0
    assert "0.128.0" in capsys.readouterr().out


def test_options_have_defaults_for_everything() -> None:
    assert Options().command == "interactive"
