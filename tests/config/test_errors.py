"""What is said of a configuration that cannot be used."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app_server.config.errors import ConfigInvalid, ConfigUnreadable, Span
from app_server.config.load import LoadedConfig
from app_server.config.positions import locate
from app_server.config.read import read_config
from app_server.config.resolve import Config
from app_server.config.schema import TOP
from app_server.protocol.wire import UNSET

Loader = Callable[..., LoadedConfig]

WRONG = [
    ("model = 5", (1, 9, 1, 9), "invalid type: integer `5`, expected a string", "model"),
    (
        "  model   =   5 # c",
        (1, 15, 1, 15),
        "invalid type: integer `5`, expected a string",
        "model",
    ),
    (
        'notify = []\n"model" = true',
        (2, 11, 2, 14),
        "invalid type: boolean `true`, expected a string",
        "model",
    ),
    ("model = {a=1}", (1, 9, 1, 13), "invalid type: map, expected a string", "model"),
    ("model = [1]", (1, 9, 1, 11), "invalid type: sequence, expected a string", "model"),
    (
        'model_context_window = "x"',
        (1, 24, 1, 26),
        'invalid type: string "x", expected i64',
        "model_context_window",
    ),
    (
        "model_context_window = 1.5",
        (1, 24, 1, 26),
        "invalid type: floating point `1.5`, expected i64",
        "model_context_window",
    ),
    (
        "project_doc_max_bytes = -1",
        (1, 25, 1, 26),
        "invalid value: integer `-1`, expected usize",
        "project_doc_max_bytes",
    ),
    (
        "features = 3",
        (1, 12, 1, 12),
        "invalid type: integer `3`, expected struct FeaturesToml",
        "features",
    ),
    ('notify = "x"', (1, 10, 1, 12), 'invalid type: string "x", expected a sequence', "notify"),
    (
        'notify = ["a", 3]',
        (1, 16, 1, 16),
        "invalid type: integer `3`, expected a string",
        "notify",
    ),
    (
        'approval_policy = "bogus"',
        (1, 19, 1, 25),
        "unknown variant `bogus`, expected one of `untrusted`, `on-failure`, `on-request`, "
        "`granular`, `never`",
        "approval_policy",
    ),
    (
        "[approval_policy.granular]\nrules = 3",
        (2, 9, 2, 9),
        "invalid type: integer `3`, expected a boolean",
        "approval_policy.granular.rules",
    ),
    (
        '[projects."/a"]\ntrust_level = "bogus"',
        (2, 15, 2, 21),
        "unknown variant `bogus`, expected `trusted` or `untrusted`",
        "projects./a.trust_level",
    ),
    (
        '[tui]\nanimations = "a"',
        (2, 14, 2, 16),
        'invalid type: string "a", expected a boolean',
        "tui.animations",
    ),
    ("[mcp_servers.a]\nfoo = 1", (1, 1, 1, 15), "invalid transport", "mcp_servers.a"),
    (
        '[mcp_servers.a]\nurl = "x"\nargs = ["a"]',
        (1, 1, 1, 15),
        "args is not supported for streamable_http",
        "mcp_servers.a",
    ),
    (
        '[model_providers.x]\nwire_api = "chat"',
        (2, 12, 2, 17),
        '`wire_api = "chat"` is no longer supported.\n'
        'How to fix: set `wire_api = "responses"` in your provider config.\n'
        "More info: https://github.com/openai/codex/discussions/7782",
        "model_providers.x.wire_api",
    ),
    (
        "[tools]\nweb_search = 5",
        (2, 14, 2, 14),
        "data did not match any variant of untagged enum WebSearchToolConfigInput",
        "tools.web_search",
    ),
    (
        "[profiles.a]\nmodel = 5",
        (2, 9, 2, 9),
        "invalid type: integer `5`, expected a string",
        "profiles.a.model",
    ),
]


@pytest.mark.parametrize(
    ("text", "place", "reason", "key"), WRONG, ids=[text.splitlines()[-1] for text, *_ in WRONG]
)
def test_a_wrong_value_is_named_with_its_place_and_defaults_apply(
    loaded: Loader,
    codex_home: Path,
    text: str,
    place: tuple[int, int, int, int],
    reason: str,
    key: str,
) -> None:
    result = loaded(text)
    path = f"{codex_home}/config.toml"
    details = f"{path}:{place[0]}:{place[1]}: {reason}"
    (warning,) = result.warnings
    assert warning.summary == "Invalid configuration; using defaults."
    assert (warning.details, warning.path) == (details, path)
    assert warning.range is not UNSET
    start, end = warning.range.start, warning.range.end
    assert (start.line, start.column, end.line, end.column) == place
    assert result.config.sandbox_mode == "read-only"
    with pytest.raises(ConfigInvalid) as refusal:
        result.checked()
    assert str(refusal.value) == f"failed to load configuration: {details}"
    with pytest.raises(ConfigUnreadable) as unreadable:
        read_config(codex_home, None)
    assert str(unreadable.value) == f"invalid configuration: {reason}\nin `{key}`\n"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [('model = "a\n', 1, 11), ("model = \n", 1, 9), ("a = 1\na = 2\n", 2, 6), ("[a\nb=1", 1, 3)],
)
def test_text_that_is_no_toml_is_named_with_its_place(
    loaded: Loader, codex_home: Path, text: str, line: int, column: int
) -> None:
    (warning,) = loaded(text).warnings
    assert warning.range is not UNSET
    assert (warning.range.start.line, warning.range.start.column) == (line, column)
    with pytest.raises(ConfigUnreadable, match="failed to read configuration layers: "):
        read_config(codex_home, None)


AS_A_WHOLE = [
    ('profile = "zz"', "config profile `zz` not found"),
    ('model_provider = "zz"', "Model provider `zz` not found"),
    ('default_permissions = "x"', "default_permissions requires a `[permissions]` table"),
    (
        'model_instructions_file = "nope.md"',
        "failed to read model instructions file {home}/nope.md: "
        "No such file or directory (os error 2)",
    ),
]


@pytest.mark.parametrize(("text", "reason"), AS_A_WHOLE)
def test_what_only_shows_in_the_whole_has_no_place(
    loaded: Loader, codex_home: Path, text: str, reason: str
) -> None:
    result = loaded(text)
    reason = reason.format(home=codex_home)
    (warning,) = result.warnings
    assert (warning.details, warning.path, warning.range) == (reason, UNSET, UNSET)
    with pytest.raises(ConfigInvalid, match="failed to load configuration: "):
        result.checked()


def test_a_file_that_is_no_text_is_an_error_and_no_crash(
    loaded: Loader, codex_home: Path, project: Path
) -> None:
    from app_server.config.load import load_config

    (codex_home / "config.toml").write_bytes(b'model = "\xff"')
    assert "not UTF-8" in str(load_config(codex_home, project).error)
    (codex_home / "config.toml").write_bytes(b"a = " + b"[" * 5000)
    assert load_config(codex_home, project).error is not None
    (codex_home / "config.toml").unlink()
    (codex_home / "config.toml").mkdir()
    assert "Is a directory" in str(load_config(codex_home, project).error)


def test_flags_still_count_when_a_file_is_broken(loaded: Loader) -> None:
    result = loaded("model = 5", cli_overrides=[("model", "from the command line")])
    assert result.config.model == "from the command line"
    assert result.error is not None


def test_a_wrong_flag_is_an_error_without_a_file(loaded: Loader) -> None:
    result = loaded(cli_overrides=[("model", 5)])
    with pytest.raises(ConfigInvalid) as refusal:
        result.checked()
    assert str(refusal.value) == (
        "failed to load configuration: invalid type: integer `5`, expected a string\nin `model`\n"
    )


def test_unknown_keys_are_told_with_their_place_and_the_nearest_known_key(
    loaded: Loader, codex_home: Path
) -> None:
    result = loaded(
        'modle = "x"\nweird = 1\n[tui]\nthem = "x"\n[features]\nnonsense = true\n'
        "[profiles.p]\naproval_policy = 5\n[mcp_servers.a]\ncommand = 'x'\nextra = 1\n"
    )
    assert result.checked().model is None
    assert [
        (warning.summary, warning.path, warning.range and warning.range.start.line)
        for warning in result.warnings
    ] == [
        (f"Nothing is known of the setting {told}", f"{codex_home}/config.toml", line)
        for told, line in (
            ("`modle`. Did you mean `model`?", 1),
            ("`weird`.", 2),
            ("`tui.them`. Did you mean `tui.theme`?", 4),
            ("`features.nonsense`.", 6),
            ("`profiles.p.aproval_policy`. Did you mean `profiles.p.approval_policy`?", 8),
            ("`mcp_servers.a.extra`.", 11),
        )
    ]


def test_an_unknown_key_on_the_command_line_is_told_without_a_place(loaded: Loader) -> None:
    (warning,) = loaded(cli_overrides=[("modle", "x")]).warnings
    assert warning.summary == "Nothing is known of the setting `modle`. Did you mean `model`?"
    assert warning.path is UNSET


def test_a_strict_load_refuses_a_key_nobody_knows(loaded: Loader, codex_home: Path) -> None:
    result = loaded('model = "x"\n  [tui]\nthem = 1\n', strict=True)
    with pytest.raises(ConfigInvalid) as refusal:
        result.checked()
    assert str(refusal.value) == (
        f"failed to load configuration: {codex_home}/config.toml:3:8: "
        "unknown configuration field `tui.them`; did you mean `tui.theme`?"
    )
    with pytest.raises(ConfigInvalid, match="unknown configuration field `modle`"):
        loaded(cli_overrides=[("modle", 1)], strict=True).checked()
    assert loaded('model = "x"', strict=True).checked().model == "x"


def test_a_bad_value_drops_no_other_key(loaded: Loader) -> None:
    result = loaded('model = "mine"\nmodel_verbosity = "loud"\nnotify = ["a"]\nservice_tier = 5')
    assert (result.config.model, result.config.notify) == ("mine", ("a",))
    assert [warning.summary for warning in result.warnings] == [
        "Invalid configuration; using defaults.",
        "The setting `service_tier` is left out: invalid type: integer `5`, expected `fast` or "
        "`flex`.",
    ]
    with pytest.raises(ConfigInvalid, match="unknown variant `loud`"):
        result.checked()


TEXT = '''# comment with "quotes" and [brackets]
"model" = 5
[a.b] # header
x = ["a", 3, {q = 1}] # list
s = """one
"two" ] three"""
l = \'\'\'it's\'\'\'
[[t]]
n = 1
[[t]]
n = 'x'
y.z = 2020-01-01
[t.inner]
deep = [[1], [2, 3]]
'''

PLACES = [
    (("model",), Span(2, 11, 2, 11)),
    (("a",), Span(3, 1, 3, 5)),
    (("a", "b"), Span(3, 1, 3, 5)),
    (("a", "b", "x", 1), Span(4, 11, 4, 11)),
    (("a", "b", "x", 2, "q"), Span(4, 19, 4, 19)),
    (("a", "b", "s"), Span(5, 5, 6, 16)),
    (("a", "b", "l"), Span(7, 5, 7, 14)),
    (("t", 0, "n"), Span(9, 5, 9, 5)),
    (("t", 1, "n"), Span(11, 5, 11, 7)),
    (("t", 1, "y", "z"), Span(12, 7, 12, 16)),
    (("t", 1, "inner", "deep", 1, 1), Span(14, 18, 14, 18)),
    (("t",), Span(8, 1, 8, 5)),
    (("model", "missing"), Span(2, 11, 2, 11)),
    (("nowhere",), None),
]


@pytest.mark.parametrize(("path", "span"), PLACES)
def test_any_value_can_be_found_in_its_text(path: tuple[str | int, ...], span: Span | None) -> None:
    assert locate(TEXT, path) == span


ODDITIES = [5, -1, 1.5, True, "x", "", [], [1], ["x"], {}, {"x": 1}, {"x": {"y": []}}, [{"x": 1}]]


@pytest.mark.parametrize("key", sorted(TOP.fields))
def test_no_value_of_any_key_makes_loading_fail(loaded: Loader, key: str) -> None:
    for value in ODDITIES:
        for overrides in ({key: value}, {"profiles": {"p": {key: value}}, "profile": "p"}):
            result = loaded(thread_overrides=overrides)
            assert isinstance(result.config, Config)
