"""What every test gets: a temporary home, a closed environment, snapshots under `snapshots/`."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from syrupy.extensions.single_file import SingleFileSnapshotExtension

pytest_plugins = ["tests.support.model_server", "tests.support.issuer"]

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SCREENS = ROOT / "snapshots" / "screens"

settings.register_profile(
    "the same cases everywhere",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # it judges the machine, not the test
)
settings.load_profile("the same cases everywhere")

ONE_AT_A_TIME = (TESTS / "journeys", TESTS / "tui" / "terminal")
"""Folders whose tests wait for real terminals and programs: two at once on a busy machine would
measure each other.
"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that use terminals and real sandboxes to one worker (`--dist loadgroup`)."""
    for item in items:
        in_folder = any(item.path.is_relative_to(folder) for folder in ONE_AT_A_TIME)
        if in_folder or item.get_closest_marker("pty") or item.get_closest_marker("sandbox"):
            item.add_marker(pytest.mark.xdist_group("machine"))


@pytest.fixture(autouse=True)
def _closed_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the developer's home, keys, proxies or terminal."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "CODEX_HOME",
        "OPENAI_API_KEY",
        "CODEX_API_KEY",
        "OPENAI_BASE_URL",
        "CODEX_EXEC_SERVER_URL",
        "OLLAMA_HOST",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "VISUAL",
        "EDITOR",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLORTERM",
        "COLUMNS",
        "LINES",
        "SSH_CONNECTION",
        "SSH_CLIENT",
        "SSH_TTY",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "BROWSER",
        "TMUX",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "CODEX_SQLITE_HOME",
        "RUST_LOG",
        "LOG_FORMAT",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def codex_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder of Codex, set in the environment."""
    home = tmp_path / "codex-home"
    home.mkdir()
    monkeypatch.setenv("CODEX_HOME", str(home))
    return home


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def _screens_folder(cls: type[SingleFileSnapshotExtension], *, test_location: object) -> str:
    """Screens lie in `snapshots/screens/<file>/`; syrupy wants the test file's whole name."""
    path = Path(getattr(test_location, "filepath"))  # noqa: B009 - syrupy does not export the type
    return str(SCREENS / path.stem)


def pytest_configure(config: pytest.Config) -> None:
    """syrupy has no option for the folder of its files: its extension is told here."""
    import pytest_textual_snapshot

    _let_programs_hear_signals()
    pytest_textual_snapshot.SVGImageExtension.dirname = classmethod(_screens_folder)


def _let_programs_hear_signals() -> None:
    """Under `nohup`, or behind `&` in a script, some are ignored, and programs would inherit that;
    what is heard, if only by a handler that does nothing, they get as from a terminal.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which sandbox mechanisms this machine let us try, and why not the others."""
    from tests.sandbox.conftest import MECHANISMS, why_not

    terminalreporter.section("sandbox mechanisms")
    for mechanism in MECHANISMS:
        terminalreporter.line(f"{mechanism}: {why_not(mechanism) or 'tried'}")
