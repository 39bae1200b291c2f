"""`codex execpolicy check`, as the original answers it."""

import json
from pathlib import Path

import pytest

from app_server.cli.main import main

RULES = """
prefix_rule(pattern=["git", ["push", "pull"]], decision="prompt", justification="net")
prefix_rule(pattern=["git"], decision="allow")
host_executable(name="ls", paths=["/bin/ls"])
prefix_rule(pattern=["ls"], decision="forbidden")
"""

PUSH = (
    '{"matchedRules":[{"prefixRuleMatch":{"matchedPrefix":["git","push"],"decision":"prompt",'
    '"justification":"net"}},{"prefixRuleMatch":{"matchedPrefix":["git"],"decision":"allow"}}],'
    '"decision":"prompt"}'
)
FORBIDDEN = (
    '{"matchedRules":[{"prefixRuleMatch":{"matchedPrefix":["ls"],"decision":"forbidden"}}],'
    '"decision":"forbidden"}'
)
RESOLVED = FORBIDDEN.replace('"forbidden"}}', '"forbidden","resolvedProgram":"/bin/ls"}}')
NOTHING = '{"matchedRules":[]}'


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "a.rules"
    path.write_text(RULES)
    return str(path)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["git", "push", "-f"], PUSH),
        (["make"], NOTHING),
        (["/bin/ls"], NOTHING),
        (["--resolve-host-executables", "/bin/ls"], RESOLVED),
        (["bash", "-lc", "ls"], NOTHING),
        (["--", "ls", "-l"], FORBIDDEN),
        (["ls", "--pretty"], FORBIDDEN),
    ],
)
def test_a_command_is_held_against_the_files(
    rules: str, words: list[str], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["execpolicy", "check", "--rules", rules, *words]) == 0
    assert capsys.readouterr().out == f"{answer}\n"


def test_the_answer_can_be_had_on_several_lines(
    rules: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["execpolicy", "check", "-r", rules, "--pretty", "git", "push"]) == 0
    out = capsys.readouterr().out
    assert out.startswith('{\n  "matchedRules": [\n    {\n      "prefixRuleMatch": {\n')
    assert json.loads(out) == json.loads(PUSH)


def test_a_file_that_cannot_be_used_is_named_with_the_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, missing = tmp_path / "b.rules", tmp_path / "none.rules"
    broken.write_text('prefix_rule(pattern=["git"], decision="maybe")\n')
    assert main(["execpolicy", "check", "--rules", str(broken), "git"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"Error: failed to parse policy at {broken}\n\nCaused by:\n    ")
    assert "invalid decision: maybe" in told
    assert main(["execpolicy", "check", "--rules", str(missing), "git"]) == 1
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["git"], ["--rules", "a.rules"]])
def test_a_call_without_files_or_command_is_a_mistake(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["execpolicy", "check", *words])
    assert ended.value.code == 2


def test_without_a_verb_it_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["execpolicy"]) == 2
    assert "codex execpolicy check" in capsys.readouterr().err
