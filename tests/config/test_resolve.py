"""From the merged table to the settings a thread goes by."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app_server.cli.options import parse
from app_server.config.layers import nested
from app_server.config.load import LoadedConfig
from app_server.config.overrides import OverrideError, feature_override, parse_override
from app_server.config.resolve import Config, ShellEnvironmentPolicy
from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    GranularApprovals,
    GranularAskForApproval,
    ReadOnlySandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)

Loader = Callable[..., LoadedConfig]


@pytest.fixture
def config(loaded: Loader) -> Callable[..., Config]:
    return lambda text="", **options: loaded(text, **options).checked()


def test_the_sandbox_policy_carries_everything_that_belongs_to_it(
    config: Callable[..., Config], codex_home: Path
) -> None:
    memories = str(codex_home / "memories")
    assert config('sandbox_mode = "danger-full-access"').sandbox_policy == (
        DangerFullAccessSandboxPolicy()
    )
    assert config('sandbox_mode = "read-only"').sandbox_policy == ReadOnlySandboxPolicy()
    assert config(
        'sandbox_mode = "workspace-write"\n[sandbox_workspace_write]\n'
        'writable_roots = ["/data"]\nnetwork_access = true\nexclude_slash_tmp = true\n'
    ).sandbox_policy == WorkspaceWriteSandboxPolicy(
        writable_roots=["/data", memories], network_access=True, exclude_slash_tmp=True
    )


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (":read-only", "read-only"),
        (":workspace", "workspace-write"),
        (":danger-no-sandbox", "danger-full-access"),
        (":danger-full-access", "danger-full-access"),
    ],
)
def test_built_in_permission_profiles_are_sandbox_modes(
    config: Callable[..., Config], name: str, mode: str
) -> None:
    assert config(f'default_permissions = "{name}"').sandbox_mode == mode


def test_granular_approvals_are_understood(config: Callable[..., Config]) -> None:
    text = (
        "[approval_policy.granular]\nsandbox_approval = true\nrules = false\n"
        "mcp_elicitations = true\n"
    )
    assert config(text).approval_policy == GranularAskForApproval(
        granular=GranularApprovals(mcp_elicitations=True, rules=False, sandbox_approval=True)
    )


def test_the_old_name_of_the_reviewer_is_understood(config: Callable[..., Config]) -> None:
    for name in ("auto_review", "guardian_subagent"):
        assert config(f'approvals_reviewer = "{name}"').approvals_reviewer == "auto_review"


def test_web_search_is_live_under_full_access_unless_it_was_chosen(
    config: Callable[..., Config],
) -> None:
    full = 'sandbox_mode = "danger-full-access"\n'
    assert config(full).web_search == "live"
    assert config(full + 'web_search = "disabled"').web_search == "disabled"
    assert config("[features]\nweb_search_request = true").web_search == "live"
    assert config("[tools]\nweb_search = true").web_search == "cached"


def test_features_follow_files_old_keys_and_the_profile(config: Callable[..., Config]) -> None:
    assert not config("[features]\nunified_exec = false").enabled("unified_exec")
    assert not config("experimental_use_unified_exec_tool = false").enabled("unified_exec")
    assert config("[features]\nmemory_tool = true").enabled("memories")
    assert config("profile = 'p'\n[profiles.p.features]\ngoals = true").enabled("goals")
    assert config(cli_overrides=[feature_override("goals", True)]).enabled("goals")


def test_an_unknown_feature_cannot_be_switched_on_by_flag() -> None:
    with pytest.raises(OverrideError, match="Unknown feature flag: nonsense"):
        feature_override("nonsense", True)


def test_deeper_values_reach_their_fields(config: Callable[..., Config]) -> None:
    settings = config(
        "background_terminal_max_timeout = 7\ncompact_prompt = 'short'\nnotify = ['a', 'b']\n"
        "[history]\npersistence = 'none'\nmax_bytes = 9\n[analytics]\nenabled = false\n"
        "[shell_environment_policy]\ninherit = 'core'\nexclude = ['A*']\nset = {X = '1'}\n"
        "[tools]\nview_image = false\n[tools.web_search]\ncontext_size = 'low'\n"
    )
    assert settings.background_terminal_max_timeout_ms == 7
    assert settings.compact_prompt == "short"
    assert settings.notify == ("a", "b")
    assert (settings.history_persistence, settings.history_max_bytes) == ("none", 9)
    assert not settings.analytics_enabled
    assert not settings.view_image
    assert settings.web_search_tool == {"context_size": "low"}
    assert settings.shell_environment_policy == ShellEnvironmentPolicy(
        inherit="core", exclude=("A*",), set={"X": "1"}
    )


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("", "ollama"),
        ('oss_provider = "lmstudio"', "lmstudio"),
        ('[model_providers.oss]\nname = "mine"', "oss"),
    ],
)
def test_a_model_on_this_machine_is_served_by_the_chosen_program(
    config: Callable[..., Config], text: str, provider: str
) -> None:
    asked = {"cli_overrides": parse(["--oss"]).overrides}
    assert config(text, **asked).model_provider == provider


def test_wire_values_may_be_given_as_flags(config: Callable[..., Config]) -> None:
    granular = GranularAskForApproval(
        granular=GranularApprovals(mcp_elicitations=True, rules=True, sandbox_approval=False)
    )
    settings = config(flags={"approval_policy": granular, "model": None, "personality": "none"})
    assert settings.approval_policy == granular
    assert settings.personality == "none"


OVERRIDES = [
    ("model=gpt-5.2", ("model", "gpt-5.2")),
    ('model="gpt-5.2"', ("model", "gpt-5.2")),
    (" model = 'x' ", ("model", "x")),
    ("a.b=true", ("a.b", True)),
    ("a=[1, 2]", ("a", [1, 2])),
    ("a={b=1}", ("a", {"b": 1})),
    ("mcp_servers={}", ("mcp_servers", {})),
    ("a=b=c", ("a", "b=c")),
    ("a=", ("a", "")),
    ("a=1\nb=2", ("a", "1\nb=2")),
    ("use_legacy_landlock=true", ("features.use_legacy_landlock", True)),
]


@pytest.mark.parametrize(("argument", "expected"), OVERRIDES)
def test_an_override_is_a_toml_value_or_plain_text(
    argument: str, expected: tuple[str, object]
) -> None:
    assert parse_override(argument) == expected


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("model", "-c model: expected KEY=VALUE"),
        ("=x", "-c =x: the key is empty"),
    ],
)
def test_an_override_that_is_none_is_refused(argument: str, message: str) -> None:
    with pytest.raises(OverrideError, match=message):
        parse_override(argument)


def test_dotted_keys_make_tables_and_later_ones_win() -> None:
    pairs = [("a.b", 1), ("a.c", 2), ("a.b", 3), ("d", 1), ("d.e", 2), ("n", None)]
    assert nested(pairs) == {"a": {"b": 3, "c": 2}, "d": {"e": 2}}
