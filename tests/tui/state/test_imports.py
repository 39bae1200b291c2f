"""The state knows no screen."""

import subprocess
import sys


def test_the_state_loads_without_textual_rich_or_any_drawing() -> None:
    code = (
        "import sys, tui.state.store, tui.state.select;"
        "heavy = {'textual', 'rich', 'pygments', 'markdown_it', 'asyncio'};"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
