"""Settings of earlier releases: accepted without a word, understood where they can be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app_server.config.features import STAGES
from app_server.config.load import LoadedConfig

Loader = Callable[..., LoadedConfig]


def feature(name: str) -> Callable[[LoadedConfig], object]:
    return lambda loaded: loaded.config.enabled(name)


UNDERSTOOD: list[tuple[str, Callable[[LoadedConfig], object], object]] = [
    ("tools_view_image = false", lambda loaded: loaded.config.view_image, False),
    ("experimental_use_unified_exec_tool = false", feature("unified_exec"), False),
    ("experimental_use_freeform_apply_patch = true", feature("apply_patch_freeform"), True),
    ("include_apply_patch_tool = true", feature("apply_patch_freeform"), True),
    ("[features]\ncollab = false", feature("multi_agent"), False),
    ("[features]\nmemory_tool = true", feature("memories"), True),
    ("[features]\nweb_search_request = true", lambda loaded: loaded.config.web_search, "live"),
    ("[tools]\nweb_search = true", lambda loaded: loaded.config.web_search, "cached"),
    (
        'approvals_reviewer = "guardian_subagent"',
        lambda loaded: loaded.config.approvals_reviewer,
        "auto_review",
    ),
    ('js_repl_node_path = "/usr/bin/node"', lambda loaded: loaded.config.model, None),
    ("[ghost_snapshot]\ndisable_warnings = true", lambda loaded: loaded.config.model, None),
    ('approval_policy = "on-failure"', lambda loaded: loaded.config.approval_policy, "on-failure"),
]


@pytest.mark.parametrize(
    ("text", "value", "expected"), UNDERSTOOD, ids=[text for text, _, _ in UNDERSTOOD]
)
def test_an_older_setting_is_understood(
    loaded: Loader, text: str, value: Callable[[LoadedConfig], object], expected: object
) -> None:
    result = loaded(text)
    assert (result.error, result.warnings) == (None, ())
    assert value(result) == expected


def test_the_older_name_of_the_instructions_file_is_understood(
    loaded: Loader, codex_home: Path
) -> None:
    (codex_home / "mine.md").write_text("Be brief.")
    result = loaded('experimental_instructions_file = "mine.md"')
    assert (result.config.base_instructions, result.warnings) == ("Be brief.", ())


@pytest.mark.parametrize("name", [name for name in STAGES if STAGES[name] == "removed"])
def test_a_feature_that_is_gone_is_accepted(loaded: Loader, name: str) -> None:
    result = loaded(f"[features]\n{name} = true")
    assert (result.error, result.warnings) == (None, ())


def test_the_chat_protocol_is_refused_with_what_to_do(loaded: Loader) -> None:
    error = loaded('[model_providers.x]\nname = "x"\nwire_api = "chat"').error
    assert error is not None
    assert error.reason.splitlines() == [
        '`wire_api = "chat"` is no longer supported.',
        'How to fix: set `wire_api = "responses"` in your provider config.',
        "More info: https://github.com/openai/codex/discussions/7782",
    ]
