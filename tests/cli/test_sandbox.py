"""`codex sandbox linux`: one command under the policy of the configuration."""

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app_server.cli.main import main
from app_server.sandbox import probe

WAIT_SECONDS = 30.0


def codex(workspace: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app_server.cli.main", "sandbox", *words],
        cwd=workspace,
        env={**os.environ, "CODEX_HOME": str(home), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


@pytest.fixture
def confines() -> None:
    if probe.facts().mechanism in ("none", "landlock"):
        pytest.skip("only Landlock or nothing is here to confine a command")


def test_the_command_may_write_what_the_policy_says_and_nothing_else(
    confines: None, workspace: Path, codex_home: Path
) -> None:
    writes = ("-c", "sandbox_mode=workspace-write", "--", "sh", "-c")
    done = codex(workspace, codex_home, "linux", *writes, "echo in > a && echo said; exit 7")
    assert (done.returncode, done.stdout) == (7, "said\n"), done.stderr
    assert (workspace / "a").read_text() == "in\n"
    assert not (workspace / ".git").exists()
    reads = ("-c", "sandbox_mode=read-only", "--", "touch", "b")
    refused = codex(workspace, codex_home, "linux", *reads)
    assert refused.returncode == 1
    assert "Read-only file system" in refused.stderr
    assert not (workspace / "b").exists()


def test_without_a_sandbox_the_policy_says_so_and_the_command_runs(
    workspace: Path, codex_home: Path
) -> None:
    open_ = ("-c", "sandbox_mode=danger-full-access", "--")
    killed = codex(workspace, codex_home, "linux", *open_, "sh", "-c", "kill -9 $$")
    assert killed.returncode == 137
    missing = codex(workspace, codex_home, "linux", *open_, "no-such-program-here")
    assert missing.returncode == 127
    assert "command not found" in missing.stderr


@pytest.mark.parametrize("words", [[], ["linux"], ["nowhere", "true"], ["linux", "--"], ["--"]])
def test_a_call_without_a_command_is_a_mistake(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", *words])
    assert ended.value.code == 2


@pytest.mark.parametrize("platform", ["macos", "seatbelt", "windows"])
def test_of_another_platform_it_says_what_is_not_there(
    capsys: pytest.CaptureFixture[str], platform: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", platform, "--", "true"])
    assert ended.value.code == 2
    assert "is not part of this release; run Codex in a Linux container" in capsys.readouterr().err


@pytest.mark.parametrize("mode", [["--full-auto"], ["-s", "workspace-write"], ["-P", ":workspace"]])
def test_a_mode_is_named_in_short(
    confines: None, workspace: Path, codex_home: Path, mode: list[str]
) -> None:
    done = codex(workspace, codex_home, *mode, "--", "touch", "a", "/var/tmp/codex-not-there/b")
    assert done.returncode == 1
    assert (workspace / "a").exists(), done.stderr
    reads = codex(workspace, codex_home, "linux", "-s", "read-only", "--", "touch", "b")
    assert reads.returncode == 1
    assert not (workspace / "b").exists()


def test_a_permission_profile_of_the_configuration_holds(
    confines: None, workspace: Path, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text(
        '[permissions.mine.filesystem]\n":root" = "read"\n'
        '":project_roots" = { "." = "write", "docs" = "read", "**/*.key" = "none" }\n'
    )
    (workspace / "docs").mkdir()
    (workspace / "a.key").write_text("content")
    line = "cat a.key; touch docs/x; touch y"
    done = codex(workspace, codex_home, "linux", "-P", "mine", "--", "sh", "-c", line)
    assert "content" not in done.stdout
    assert "Permission denied" in done.stderr
    assert "docs/x" in done.stderr
    assert sorted(os.listdir(workspace)) == ["a.key", "docs", "y"]
    unknown = codex(workspace, codex_home, "linux", "-P", "other", "--", "true")
    assert unknown.returncode == 1
    assert "default_permissions refers to undefined profile `other`" in unknown.stderr


def test_hosts_are_reached_as_the_profile_says(workspace: Path, codex_home: Path) -> None:
    if not probe.try_namespaces().works:
        pytest.skip("a proxy needs namespaces of our own")
    (codex_home / "config.toml").write_text(
        '[permissions.net.filesystem]\n":root" = "read"\n[permissions.net.network]\n'
        'enabled = true\n[permissions.net.network.domains]\n"127.0.0.1" = "allow"\n'
    )
    (workspace / "page").write_text("welcome")
    handler = partial(SimpleHTTPRequestHandler, directory=str(workspace))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        fetch = (
            "import sys, urllib.request as r; get = r.build_opener(r.ProxyHandler("
            "{'http': 'http://127.0.0.1:3128'})).open\n"
            f"print(get('http://127.0.0.1:{site.server_port}/page').read().decode())\n"
            f"try: get('http://localhost:{site.server_port}/page')\n"
            "except r.HTTPError as refused: print(refused.code)"
        )
        direct = ("/usr/bin/env", "-u", "NO_PROXY", "-u", "no_proxy")  # they name this machine
        done = codex(workspace, codex_home, "-P", "net", "--", *direct, "python3", "-c", fetch)
        site.shutdown()
    assert done.stdout.split() == ["welcome", "403"], done.stderr


def test_a_broken_configuration_runs_nothing(workspace: Path, codex_home: Path) -> None:
    (codex_home / "config.toml").write_text("sandbox_mode = \n")
    done = codex(workspace, codex_home, "linux", "touch", "a")
    assert done.returncode == 1
    assert "config.toml" in done.stderr
    assert not (workspace / "a").exists()
