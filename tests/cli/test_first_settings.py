"""What counts before the settings are loaded: where a session is drawn and logged."""

from pathlib import Path
from typing import Any

import pytest

from app_server.cli.first_settings import FirstSettings, first_settings

FILE = """
log_dir = "logs"
[tui]
alternate_screen = "always"
theme = "nord"
"""


@pytest.mark.parametrize(
    ("text", "overrides", "expected"),
    [
        ("", (), {}),
        ('model = "x"\n', (), {}),
        (FILE, (), {"full_screen": True, "code_theme": "nord", "log_folder": "logs"}),
        ('[tui]\nalternate_screen = "auto"\n', (), {}),
        ('tui.alternate_screen = "always"\n', (), {"full_screen": True}),
        (
            FILE,
            (("tui.alternate_screen", "never"), ("tui.theme", ""), ("log_dir", "/var/log/x")),
            {"log_folder": "/var/log/x"},
        ),
        ("", (("tui.alternate_screen", "always"),), {"full_screen": True}),
        ("alternate_screen = [\n", (), {}),
        ("theme = " + "[" * 9_999, (), {}),
        ('tui = "alternate_screen"\n', (), {}),
        ("log_dir = 5\n[tui]\nalternate_screen = 1\n", (("log_dir", "\0"),), {}),
    ],
)
def test_the_users_file_and_the_command_line_are_asked(
    tmp_path: Path, text: str, overrides: tuple[tuple[str, Any], ...], expected: dict[str, Any]
) -> None:
    (tmp_path / "config.toml").write_text(text)
    if "log_folder" in expected:
        expected = {**expected, "log_folder": tmp_path / expected["log_folder"]}
    assert first_settings(tmp_path, "/work", overrides) == FirstSettings(**expected)


def test_a_folder_on_the_command_line_is_seen_from_where_one_is(tmp_path: Path) -> None:
    found = first_settings(tmp_path, "/work", [("log_dir", "logs")])
    assert found.log_folder == Path("/work/logs")
