"""`--remote`: which addresses and tokens are taken, and what is said of the others."""

import subprocess
import sys

import pytest

from app_server.cli.options import Options, parse
from app_server.cli.remote import Remote, RemoteUnusable, remote_from

ENVIRONMENT = {"TOKEN": " sekrit ", "BLANK": " "}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], None),
        (["--remote", "ws://127.0.0.1:4500"], Remote("ws://127.0.0.1:4500")),
        (["--remote", "wss://host.example:443/"], Remote("wss://host.example:443/")),
        (["--remote", "unix://"], Remote("unix://")),
        (["--remote", "unix:///run/x.sock"], Remote("unix:///run/x.sock")),
        (
            ["resume", "--remote", "ws://[::1]:1", "--remote-auth-token-env", "TOKEN"],
            Remote("ws://[::1]:1", "sekrit"),
        ),
        (
            ["--remote", "wss://host:1", "--remote-auth-token-env", "TOKEN", "do it"],
            Remote("wss://host:1", "sekrit"),
        ),
    ],
)
def test_a_server_elsewhere_is_named_by_its_address(
    words: list[str], expected: Remote | None
) -> None:
    assert remote_from(parse(words), ENVIRONMENT) == expected


@pytest.mark.parametrize(
    ("url", "variable", "told"),
    [
        ("http://x:1", None, "invalid remote address `http://x:1`; expected `ws://host:port`"),
        ("ws://x", None, "invalid remote address"),
        ("ws://x:1/path", None, "invalid remote address"),
        ("ws://user:pass@x:1", None, "invalid remote address"),
        ("127.0.0.1:1", None, "invalid remote address"),
        (None, "TOKEN", "`--remote-auth-token-env` requires `--remote`."),
        ("ws://127.0.0.1:1", "NOBODY", "environment variable `NOBODY` is not set"),
        ("ws://127.0.0.1:1", "BLANK", "environment variable `BLANK` is empty"),
        ("ws://example.com:1", "TOKEN", "require `wss://` or loopback `ws://` URLs"),
        ("ws://127.evil.example:1", "TOKEN", "require `wss://` or loopback `ws://` URLs"),
        ("unix://", "TOKEN", "require `wss://` or loopback `ws://` URLs"),
    ],
)
def test_what_cannot_be_used_is_said(url: str | None, variable: str | None, told: str) -> None:
    options = Options(remote=url, remote_token_variable=variable)
    with pytest.raises(RemoteUnusable) as refused:
        remote_from(options, ENVIRONMENT)
    assert told in str(refused.value)
    assert "sekrit" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--remote", "ws://x:1", "login"], "only supported for interactive TUI commands"),
        (["--remote", "ws://x:1", "--demo"], "--demo has a server of its own"),
        (["--remote", "ws://x:1", "-C", "relative"], "a whole path of the other machine"),
    ],
)
def test_what_does_not_go_with_it_is_a_mistake_in_the_call(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_folder_of_the_other_machine_need_not_be_here() -> None:
    options = parse(["--remote", "ws://x:1", "-C", "/only/there"])
    assert (options.cwd, options.named_folder) == ("/only/there", True)


def test_a_token_does_not_show_where_the_place_is_printed() -> None:
    assert "sekrit" not in repr(Remote("ws://x:1", "sekrit"))


def test_the_program_says_it_before_anything_is_painted() -> None:
    command = [sys.executable, "-m", "app_server.cli.main", "--remote", "ws://x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("codex: invalid remote address `ws://x`")
