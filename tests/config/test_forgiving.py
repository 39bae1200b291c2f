"""A session's view of a faulty file: what is wrong is left out and named, the rest holds."""

from pathlib import Path

import pytest
from msgspec import UNSET

from tests.config.conftest import Loader

CASES = [
    (
        'model = "mine"\napproval_policy = "sometimes"',
        "The setting `approval_policy` is left out; `untrusted` takes its place: unknown variant "
        "`sometimes`, expected one of `untrusted`, `on-failure`, `on-request`, `granular`, "
        "`never`.",
        (2, 19),
        "mine",
    ),
    (
        'model = "mine"\n[tui]\nnotifications = 5',
        "The setting `tui.notifications` is left out: ",
        (3, 17),
        "mine",
    ),
    (
        'modle = "x"\nmodel = "mine"',
        "Nothing is known of the setting `modle`. Did you mean `model`?",
        (1, 9),
        "mine",
    ),
    ('model = "mine"\nmodel = = 3', "config.toml is left out: invalid value.", (2, 9), None),
]


@pytest.mark.parametrize(
    ("text", "summary", "place", "model"), CASES, ids=["enum", "inner key", "unknown", "no toml"]
)
def test_what_cannot_be_used_is_named_and_the_rest_holds(
    loaded: Loader,
    codex_home: Path,
    text: str,
    summary: str,
    place: tuple[int, int],
    model: str | None,
) -> None:
    result = loaded(text, forgiving=True)
    (warning,) = result.warnings
    assert warning.summary.startswith(summary)
    assert warning.path == f"{codex_home}/config.toml"
    assert warning.range is not UNSET
    assert warning.range is not None
    assert (warning.range.start.line, warning.range.start.column) == place
    assert result.checked().model == model


def test_every_wrong_value_is_named(loaded: Loader) -> None:
    result = loaded('model = 5\nsandbox_mode = "open"\nmodle = 1', forgiving=True)
    assert [warning.summary.split("`")[1] for warning in result.warnings] == [
        "model",
        "sandbox_mode",
        "modle",
    ]
    assert result.checked().sandbox_mode == "read-only"


def test_a_wrong_flag_is_not_forgiven(loaded: Loader) -> None:
    assert loaded(cli_overrides=[("model", 5)], forgiving=True).error is not None


@pytest.mark.parametrize(
    ("text", "mode", "policy"),
    [
        ('sandbox_mode = "readonly"\n{trusted}', "read-only", "on-request"),
        ('approval_policy = "sometimes"\n{trusted}', "workspace-write", "untrusted"),
        (
            'profile = "p"\n{trusted}[profiles.p]\nsandbox_mode = 5\napproval_policy = 5\n',
            "read-only",
            "untrusted",
        ),
    ],
)
def test_a_wrong_value_never_allows_more_than_the_strictest(
    loaded: Loader, project: Path, text: str, mode: str, policy: str
) -> None:
    trusted = f'[projects."{project}"]\ntrust_level = "trusted"\n'
    config = loaded(text.format(trusted=trusted), forgiving=True).checked()
    assert (config.sandbox_mode, config.approval_policy) == (mode, policy)
