"""Which doors the interface opens: only protocol and client, and those late."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def modules_after(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(run.stdout.split())


def test_the_interface_loads_no_room_of_the_server() -> None:
    loaded = modules_after("import tui.app, tui.startup, tui.screens.onboarding")
    rooms = {name.split(".")[1] for name in loaded if name.startswith("app_server.")}
    assert rooms <= {"protocol"}


def test_the_interface_loads_nothing_heavy_before_its_first_frame() -> None:
    loaded = modules_after("import tui.app")
    heavy = {"httpx", "keyring", "tomlkit", "pygments", "markdown_it", "sqlite3", "websockets",
             "textual.widgets._markdown", "textual.widgets._text_area"}  # fmt: skip
    assert loaded.isdisjoint(heavy)


def test_the_door_is_light() -> None:
    loaded = modules_after("import tui.main")
    assert not {name for name in loaded if name.split(".")[0] in ("textual", "rich", "msgspec")}
