"""Which shell runs a line, and what it may see."""

import pytest

from app_server.config.resolve import ShellEnvironmentPolicy
from app_server.exec.shell import Shell, named_shell, shell_at, user_shell
from app_server.exec.shell_env import (
    Variables,
    command_environment,
    thread_variables,
    unified_exec_variables,
)

PARENT = {
    "PATH": "/bin",
    "HOME": "/h",
    "API_KEY": "1",
    "my_secret": "2",
    "OTHER": "3",
    "TMPDIR": "/t",
}


@pytest.mark.parametrize(
    ("shell", "login", "argv"),
    [
        (Shell("bash", "/bin/bash"), True, ("/bin/bash", "-lc", "ls")),
        (Shell("zsh", "/bin/zsh"), False, ("/bin/zsh", "-c", "ls")),
        (Shell("pwsh", "/bin/pwsh"), False, ("/bin/pwsh", "-NoProfile", "-Command", "ls")),
    ],
)
def test_a_shell_is_asked_to_run_a_line(shell: Shell, login: bool, argv: tuple[str, ...]) -> None:
    assert shell.argv("ls", login) == argv


def test_a_shell_is_named_by_path_or_kind() -> None:
    assert named_shell("/bin/sh") == Shell("sh", "/bin/sh")
    assert named_shell("/no/such/sh") == named_shell("sh")
    assert named_shell("/usr/bin/fish") == user_shell()
    assert shell_at("/bin/ls") is None
    assert shell_at("sh") is None


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (ShellEnvironmentPolicy(), set(PARENT)),
        (ShellEnvironmentPolicy(inherit="core"), {"PATH", "HOME", "TMPDIR"}),
        (ShellEnvironmentPolicy(inherit="none"), set()),
        (
            ShellEnvironmentPolicy(ignore_default_excludes=False),
            {"PATH", "HOME", "OTHER", "TMPDIR"},
        ),
        (
            ShellEnvironmentPolicy(exclude=("o?her", "*_KEY")),
            {"PATH", "HOME", "my_secret", "TMPDIR"},
        ),
        (ShellEnvironmentPolicy(exclude=("[A-Z]*",)), set(PARENT)),
        (ShellEnvironmentPolicy(include_only=("path",), set={"PATH": "x", "B": "y"}), {"PATH"}),
    ],
)
def test_the_policy_decides_which_variables_are_seen(
    policy: ShellEnvironmentPolicy, names: set[str]
) -> None:
    assert set(command_environment(policy, PARENT)) == names


def test_set_variables_override_and_the_thread_is_named() -> None:
    policy = ShellEnvironmentPolicy(set={"PATH": "/other"})
    env = thread_variables(policy, "T").over(PARENT)
    assert (env["PATH"], env["CODEX_THREAD_ID"]) == ("/other", "T")


def test_what_is_removed_is_gone_whatever_the_policy_says() -> None:
    policy = ShellEnvironmentPolicy(set={"B": "y"})
    assert set(Variables(policy, {"C": "z"}, ("B", "PATH")).over({"PATH": "/bin", "A": "x"})) == {
        "A",
        "C",
    }


def test_commands_of_the_agent_see_neither_pager_nor_colour() -> None:
    env = unified_exec_variables(ShellEnvironmentPolicy(), "T").over(PARENT | {"PAGER": "less"})
    assert (env["PAGER"], env["TERM"], env["NO_COLOR"], env["CODEX_CI"]) == (
        "cat",
        "dumb",
        "1",
        "1",
    )
