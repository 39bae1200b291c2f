"""The offline demo's surroundings: a folder to play in, a home, and the scripted model.

All three are thrown away with the session, so a demo leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = {
    "README.md": "# greeter\n\nSays hello. Run it with `python3 greeter.py NAME`.\n",
    "greeter.py": (
        '"""Greets whoever is named on the command line."""\n'
        "\n"
        "import sys\n"
        "\n"
        "\n"
        "def greet(name):\n"
        '    return "Hello " + name\n'
        "\n"
        "\n"
        'if __name__ == "__main__":\n'
        "    print(greet(sys.argv[1]))\n"
    ),
    "test_greeter.py": (
        "import unittest\n"
        "\n"
        "from greeter import greet\n"
        "\n"
        "\n"
        "class GreeterTest(unittest.TestCase):\n"
        "    def test_greets_by_name(self):\n"
        '        self.assertEqual(greet("Ada"), "Hello, Ada!")\n'
        "\n"
        "\n"
        'if __name__ == "__main__":\n'
        "    unittest.main()\n"
    ),
}
"""A small program with a failing test, for the demo to mend."""


@contextlib.contextmanager
def throwaway_project() -> Iterator[Path]:
    """A folder with the demo's project in it."""
    with _throwaway("codex-demo-") as folder:
        for name, text in PROJECT.items():
            (folder / name).write_text(text, encoding="utf-8")
        yield folder


@contextlib.contextmanager
def demo_home(project: Path) -> Iterator[Path]:
    """A home whose model is the scripted one, running as long as the block."""
    from app_server.demo.scripts import demo_director
    from app_server.demo.thread import ModelThread

    with ModelThread(demo_director()) as model, _throwaway("codex-demo-home-") as home:
        (home / "config.toml").write_text(
            'model = "offline-demo"\n'
            'model_provider = "demo"\n'
            'approval_policy = "untrusted"\n'
            'sandbox_mode = "workspace-write"\n'
            "[model_providers.demo]\n"
            'name = "Offline demo (scripted, no model)"\n'
            f'base_url = "{model.url}"\n'
            'wire_api = "responses"\n'
            "requires_openai_auth = false\n"
            "stream_max_retries = 2\n"
            f'[projects."{project}"]\n'
            'trust_level = "trusted"\n',
            encoding="utf-8",
        )
        yield home


@contextlib.contextmanager
def _throwaway(prefix: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
