"""Sign-ins in a real Secret Service: gnome-keyring on a bus of its own, with a home of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DAEMON = "gnome-keyring-daemon"
BUS = "dbus-run-session"
MISSING = [name for name in (BUS, DAEMON) if shutil.which(name) is None]

pytestmark = [
    pytest.mark.keyring,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

START = (
    f'unlocked="$(printf "\\n" | {DAEMON} --unlock --components=secrets 2>/dev/null)" '
    '|| { echo cannot start >&2; exit 1; }; eval "$unlocked"; exec "$@"'
)

KEEPS_AND_FORGETS = """
import sys
from pathlib import Path
from app_server.auth.keyring_store import AutoStore, KeyringStore
from app_server.auth.store import StoredAuth

home = Path(sys.argv[1])
kept = StoredAuth(auth_mode="apikey", api_key="sk-planted-secret")
assert KeyringStore(home).load() is None
for store in (KeyringStore(home), AutoStore(home)):
    store.save(kept)
    assert KeyringStore(home).load() == kept
    assert not (home / "auth.json").exists()
    assert store.delete() is True
    assert store.load() is None
    assert store.delete() is False
print("kept and forgotten")
"""


LEFT_IN_THE_KEYRING = """
import sys, keyring
from pathlib import Path
from app_server.auth.keyring_store import SERVICE_NAME, account_name
print(keyring.get_password(SERVICE_NAME, account_name(Path(sys.argv[1]))))
"""


def in_session(tmp_path: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program inside a session that has an unlocked keyring; skips where none can start."""
    done = run(tmp_path, BUS, "--", "bash", "-c", START, "bash", *words, given=given)
    if "cannot start" in done.stderr:
        pytest.skip("the keyring daemon cannot be started here")
    return done


def run(tmp_path: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program without a session: no bus, hence no keyring."""
    home, runtime = tmp_path / "user", tmp_path / "runtime"
    (home / ".local/share").mkdir(parents=True, exist_ok=True)
    runtime.mkdir(mode=0o700, exist_ok=True)
    inherited = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
    }
    environment = {
        **inherited,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "CODEX_HOME": str(tmp_path / "codex-home"),
    }
    return subprocess.run(
        list(words),
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_sign_in_is_kept_in_the_keyring_and_forgotten(tmp_path: Path, codex_home: Path) -> None:
    done = in_session(tmp_path, sys.executable, "-c", KEEPS_AND_FORGETS, str(codex_home))
    assert done.stdout == "kept and forgotten\n", done.stderr


def test_the_command_line_uses_the_keyring(tmp_path: Path, codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('cli_auth_credentials_store = "keyring"\n')
    codex = f"{sys.executable} -m app_server.cli.main"
    script = (
        f"printf sk-planted-secret-0123 | {codex} login --with-api-key; "
        f"{codex} login status; {codex} logout; {codex} login status"
    )
    done = in_session(tmp_path, "bash", "-c", script)
    said = [line for line in done.stderr.splitlines() if not line.startswith("dbus-daemon")]
    assert said == [
        "Reading API key from stdin...",
        "Successfully logged in",
        "Logged in using an API key - sk-plant***-0123",
        "From the system's keyring",
        "Successfully logged out",
        "Not logged in",
    ]
    assert not (codex_home / "auth.json").exists()


def test_signing_out_while_the_keyring_is_away_holds_when_it_is_back(
    tmp_path: Path, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('cli_auth_credentials_store = "keyring"\n')
    codex = (sys.executable, "-m", "app_server.cli.main")
    login = in_session(tmp_path, *codex, "login", "--with-api-key", given="sk-planted-secret")
    assert login.returncode == 0, login.stderr
    logout = run(tmp_path, *codex, "logout")
    assert "Successfully logged out" in logout.stderr
    assert "is removed when it can be asked" in logout.stderr
    status = in_session(tmp_path, *codex, "login", "status")
    assert (status.returncode, "Not logged in" in status.stderr) == (1, True)
    left = in_session(tmp_path, sys.executable, "-c", LEFT_IN_THE_KEYRING, str(codex_home))
    assert left.stdout == "None\n", left.stderr
