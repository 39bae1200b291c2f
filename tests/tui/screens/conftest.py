"""No test of the screens sees the developer's desktop, nor model servers on their machine."""

import pytest

from tui.local_models import LocalServer
from tui.screens import onboarding


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "TMUX", "TERM_PROGRAM", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)

    async def find_none() -> list[LocalServer]:
        return []

    monkeypatch.setattr(onboarding, "find_local_servers", find_none)
