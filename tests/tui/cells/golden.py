"""Text snapshots: `make snap` writes them, a test compares."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "snapshots" / "screens" / "cells"


def matches_snapshot(name: str, text: str, config: pytest.Config) -> None:
    """Compare with `snapshots/screens/cells/<name>.txt`, or write it with --snapshot-update."""
    path = FOLDER / f"{name}.txt"
    if config.getoption("update_snapshots", default=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert path.exists(), f"no snapshot {path.name}: run make snap"
    assert text + "\n" == path.read_text()
