"""`codex-linux-sandbox` applies the policy on its words to itself and becomes the command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app_server.cli.linux_sandbox import main
from app_server.sandbox import landlock, probe

WAIT_SECONDS = 30.0

READ_ALL = {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"}


def entry(kind: str, access: str, subpath: str | None = None) -> dict[str, object]:
    value = {"kind": kind} | ({"subpath": subpath} if subpath else {})
    return {"path": {"type": "special", "value": value}, "access": access}


def managed(*entries: dict[str, object], network: str = "restricted") -> str:
    files = {"type": "restricted", "entries": [READ_ALL, *entries]}
    return json.dumps({"type": "managed", "file_system": files, "network": network})


OF_0_128 = managed(
    *(entry(kind, "write") for kind in ("project_roots", "tmpdir")),
    *(entry("project_roots", "read", name) for name in (".git", ".agents", ".codex")),
)
WRITES = [
    ("--permission-profile", OF_0_128),
    ("--sandbox-policy", json.dumps({"type": "workspace-write", "exclude_slash_tmp": True})),
    ("--sandbox-policy", json.dumps({"type": "workspaceWrite", "excludeSlashTmp": True})),
    (
        *("--file-system-sandbox-policy",),
        json.dumps({"kind": "restricted", "entries": [READ_ALL, entry("project_roots", "write")]}),
        *("--network-sandbox-policy", '"restricted"'),
    ),
]
READS = [
    ("--permission-profile", managed()),
    ("--sandbox-policy", json.dumps({"type": "read-only"})),
]


def helper(
    workspace: Path, *words: str, name: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, name] if name else [sys.executable, "-m", MODULE]
    return subprocess.run(
        [*program, *words],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "TMPDIR": str(workspace.parent), **env},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


MODULE = "app_server.cli.linux_sandbox"


def at(workspace: Path) -> tuple[str, ...]:
    return ("--sandbox-policy-cwd", str(workspace), "--command-cwd", str(workspace))


@pytest.fixture
def confines() -> None:
    if probe.facts().mechanism in ("none", "landlock"):
        pytest.skip("only Landlock or nothing is here to confine a command")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "inner" / "work"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("policy", WRITES, ids=lambda words: words[0] + words[1][9:22])
def test_a_policy_that_writes_opens_the_workspace_and_nothing_else(
    confines: None, workspace: Path, policy: tuple[str, ...]
) -> None:
    outside = Path("/var/tmp") / f"codex-helper-{os.getpid()}"
    line = f"echo in > a && echo said; mkdir .git; echo x > {outside}; exit 7"
    done = helper(workspace, *at(workspace), *policy, "--", "sh", "-c", line)
    assert (done.returncode, done.stdout) == (7, "said\n"), done.stderr
    assert os.listdir(workspace) == ["a"]
    assert not outside.exists()


@pytest.mark.parametrize("policy", READS, ids=lambda words: words[0])
def test_a_policy_that_reads_lets_nothing_be_written(
    confines: None, workspace: Path, policy: tuple[str, ...]
) -> None:
    done = helper(workspace, *at(workspace), *policy, "--", "touch", "a")
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr
    assert os.listdir(workspace) == []


def test_the_command_takes_the_place_of_the_program(confines: None, workspace: Path) -> None:
    """What spawned the one has the other as its child: with nothing to clean up, nobody waits."""
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            MODULE,
            *at(workspace),
            "--permission-profile",
            managed(),
            "--",
            "cat",
        ],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"through\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"through\n"
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        process.stdin.close()
        assert process.wait(WAIT_SECONDS) == 0
    assert name in ("bwrap", os.path.basename(os.path.realpath(sys.executable))[:15])


def test_nothing_is_inherited_but_the_three_streams(confines: None, workspace: Path) -> None:
    leak = os.open(workspace, os.O_RDONLY)
    try:
        done = subprocess.run(
            [sys.executable, "-m", MODULE, *at(workspace), *READS[0], "--", "ls", "/proc/self/fd"],
            env={**os.environ, "PYTHONPATH": os.getcwd()},
            pass_fds=[leak],
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
    finally:
        os.close(leak)
    assert done.stdout.split() == ["0", "1", "2", "3"], done.stderr


def test_the_network_is_closed_unless_it_is_asked_for(confines: None, workspace: Path) -> None:
    say = ("--", "sh", "-c", "echo $CODEX_SANDBOX_NETWORK_DISABLED")
    closed = helper(workspace, *at(workspace), "--permission-profile", managed(), *say)
    opened = managed(network="enabled")
    open_ = helper(workspace, *at(workspace), "--permission-profile", opened, *say)
    assert (closed.stdout, open_.stdout) == ("1\n", "\n"), closed.stderr + open_.stderr


def test_codexs_home_is_kept_where_a_policy_opens_what_is_around_it(
    confines: None, workspace: Path
) -> None:
    home = workspace / "home"
    home.mkdir()
    (home / "auth.json").write_text("kept")
    line = ("--", "sh", "-c", "echo x > home/auth.json; echo y > b")
    done = helper(workspace, *at(workspace), *WRITES[0], *line, CODEX_HOME=str(home))
    assert (home / "auth.json").read_text() == "kept", done.stderr
    assert (workspace / "b").exists()


def test_full_access_is_no_sandbox(workspace: Path) -> None:
    for words in (
        ("--permission-profile", '{"type":"disabled"}'),
        ("--sandbox-policy", '{"type":"danger-full-access"}'),
    ):
        done = helper(workspace, *at(workspace), *words, "--", "sh", "-c", "echo x > a; kill -9 $$")
        assert done.returncode == -9, done.stderr
        (workspace / "a").unlink()


def test_landlock_alone_is_used_where_it_is_asked_for(workspace: Path) -> None:
    if not probe.try_landlock().works:
        pytest.skip(f"Landlock has version {landlock.version()} here")
    words = (*at(workspace), "--use-legacy-landlock")
    done = helper(workspace, *words, "--permission-profile", managed(), "--", "touch", "a")
    assert (done.returncode, os.listdir(workspace)) == (1, [])
    assert "Permission denied" in done.stderr
    refused = helper(workspace, *words, *WRITES[0], "--", "touch", "a")
    assert refused.returncode == 125
    assert "cannot protect .git" in refused.stderr


def test_the_name_alone_calls_it(workspace: Path, tmp_path: Path) -> None:
    script = tmp_path / "codex-linux-sandbox"
    script.write_text("import sys\nfrom app_server.cli.main import main\nsys.exit(main())\n")
    done = helper(workspace, "--help", name=str(script))
    assert done.stdout.startswith("usage: codex-linux-sandbox")


MISTAKES = [
    ((), "--sandbox-policy-cwd is required"),
    (("--sandbox-policy-cwd", "/"), "no command to run"),
    (("--sandbox-policy-cwd", "/", "--", "true"), "give one policy"),
    (("--sandbox-policy-cwd=/", *READS[0], *READS[1], "--", "true"), "give one policy"),
    (("--sandbox-policy-cwd=/", "--network-sandbox-policy", '""', "true"), "give one policy"),
    (("--sandbox-policy-cwd",), "needs a value"),
    (("--nonsense", "true"), "unknown option --nonsense"),
    (("--proxy-route-spec", "{}", "true"), "managed network proxy"),
]


@pytest.mark.parametrize(("words", "complaint"), MISTAKES, ids=lambda value: str(value)[:30])
def test_a_mistake_in_the_call_runs_nothing(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str
) -> None:
    assert main(list(words)) == 2
    assert complaint in capsys.readouterr().err


NOT_UNDERSTOOD = [
    ("--permission-profile", "{", "JSON"),
    ("--permission-profile", "[]", "expected a JSON object"),
    ("--permission-profile", '{"type":"managed"}', "network"),
    ("--permission-profile", managed(entry("root", "sometimes")), "sometimes"),
    ("--permission-profile", managed(entry("moon", "deny")), "unknown place moon"),
    ("--sandbox-policy", '{"type":"no-such"}', "no-such"),
    ("--sandbox-policy", '{"type":"read-only","access":{"type":"restricted"}}', "access"),
]


@pytest.mark.parametrize(("flag", "text", "complaint"), NOT_UNDERSTOOD)
def test_a_policy_that_is_not_understood_runs_nothing(
    capsys: pytest.CaptureFixture[str], flag: str, text: str, complaint: str
) -> None:
    assert main(["--sandbox-policy-cwd", "/", flag, text, "--", "true"]) == 125
    assert complaint in capsys.readouterr().err


def test_what_the_newer_release_writes_is_understood(confines: None, workspace: Path) -> None:
    (workspace / "secret").write_text("content")
    work = str(workspace)

    def named(path: str, access: str, **more: str) -> dict[str, object]:
        return {"path": {"type": "path", "path": path}, "access": access, **more}

    profile = managed(
        named(work, "write"),
        *(
            named(f"{work}/{name}", "read", missing_path_behavior="skip")
            for name in (".git", ".agents", ".codex", ".aws")
        ),
        named(f"{work}/secret", "deny"),
    )
    line = "cat secret; mkdir .aws; echo x > a"
    done = helper(
        workspace, *at(workspace), "--permission-profile", profile, "--", "sh", "-c", line
    )
    assert "content" not in done.stdout, done.stderr
    assert sorted(os.listdir(workspace)) == ["a", "secret"]


def test_it_is_installed_under_its_name() -> None:
    beside = Path(sys.executable).with_name("codex-linux-sandbox")
    found = beside if beside.exists() else shutil.which("codex-linux-sandbox")
    if found is None:
        pytest.skip("this environment was set up before the program had its name")
    done = subprocess.run([found, "--help"], capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.stdout.startswith("usage: codex-linux-sandbox")
