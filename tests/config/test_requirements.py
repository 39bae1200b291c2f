"""What an administrator demands, and who is held to it."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from app_server.config.demands import CloudFailure, Demands
from app_server.config.errors import ConfigInvalid
from app_server.config.load import LoadedConfig
from app_server.config.required_rules import RequiredRule
from app_server.config.requirements import KEPT_BY_RUNNING_NONE, check_choice
from app_server.protocol.permissions import ReadOnlySandboxPolicy, WorkspaceWriteSandboxPolicy

Loader = Callable[..., LoadedConfig]


@pytest.fixture
def demand(system_folder: Path) -> Callable[[str], None]:
    return lambda text: (system_folder / "requirements.toml").write_text(text) and None


def test_without_a_file_nothing_is_demanded(loaded: Loader) -> None:
    assert loaded().requirements is None
    assert loaded().config.requirements is None


def test_a_value_that_is_not_allowed_is_replaced_and_the_user_is_told(
    loaded: Loader, demand: Callable[[str], None]
) -> None:
    demand(
        'allowed_sandbox_modes = ["workspace-write", "read-only"]\n'
        'allowed_approval_policies = ["untrusted", "on-request"]\n'
        'allowed_web_search_modes = ["cached"]\n'
    )
    result = loaded('sandbox_mode = "danger-full-access"\napproval_policy = "never"')
    assert result.config.sandbox_mode == "workspace-write"
    assert isinstance(result.config.sandbox_policy, WorkspaceWriteSandboxPolicy)
    assert result.config.approval_policy == "untrusted"
    assert result.config.web_search == "cached"
    assert [warning.summary for warning in result.warnings] == [
        '`approval_policy` = "never" is not allowed by your administrator; using "untrusted".',
        '`sandbox_mode` = "danger-full-access" is not allowed by your administrator; '
        'using "workspace-write".',
        '`web_search` = "live" is not allowed by your administrator; using "cached".',
    ]


def test_allowed_values_pass_without_a_word(loaded: Loader, demand: Callable[[str], None]) -> None:
    demand('allowed_sandbox_modes = ["read-only"]')
    result = loaded('web_search = "disabled"')
    assert result.config.sandbox_policy == ReadOnlySandboxPolicy()
    assert result.warnings == ()


def test_pinned_features_cannot_be_changed(loaded: Loader, demand: Callable[[str], None]) -> None:
    demand("[features]\ngoals = false\nplugins = true\n")
    config = loaded("[features]\ngoals = true\nplugins = false\n").config
    assert not config.enabled("goals")
    assert config.enabled("plugins")


@pytest.mark.parametrize(
    "text",
    [
        "allowed_sandbox_modes = 5",
        'allowed_sandbox_modes = ["everything"]',
        'allowed_sandbox_modes = ["workspace-write"]',
        "allowed_approval_policies = []",
        "not toml",
        "[features]\ngoals = 1",
        '[[hooks.PreToolUse]]\nhooks = [{type = "command", command = "x"}]',
        '[permissions.filesystem]\ndeny_read = ["/x"]',
        "[experimental_network]\nenabled = true",
        "guardian_policy_config = 5",
        '[rules]\nprefix_rules = [{pattern = [{token = "rm"}], decision = "allow"}]',
        '[rules]\nprefix_rules = [{pattern = [{token = "rm"}]}]',
        '[rules]\nprefix_rules = [{pattern = [], decision = "prompt"}]',
        '[rules]\nprefix_rules = [{pattern = [{}], decision = "prompt"}]',
        '[rules]\nprefix_rules = [{pattern = [{any_of = []}], decision = "prompt"}]',
        '[rules]\nprefix_rules = [{pattern = [{token = "a", any_of = []}], decision = "prompt"}]',
        "[rules]\nother = 1",
    ],
)
def test_demands_that_are_not_understood_let_no_thread_start(
    loaded: Loader, demand: Callable[[str], None], text: str
) -> None:
    demand(text)
    with pytest.raises(ConfigInvalid, match=r"requirements\.toml"):
        loaded('sandbox_mode = "danger-full-access"').checked()


def test_rules_of_all_sources_are_demanded(loaded: Loader, demand: Callable[[str], None]) -> None:
    demand(
        '[rules]\nprefix_rules = [{pattern = [{token = "git"}, {any_of = ["push", "fetch"]}], '
        'decision = "prompt", justification = "it leaves"}]\n'
    )
    cloud = '[rules]\nprefix_rules = [{pattern = [{token = "rm"}], decision = "forbidden"}]\n'
    assert loaded(demands=Demands(cloud)).required_rules == (
        RequiredRule((("rm",),), "forbidden"),
        RequiredRule((("git",), ("push", "fetch")), "prompt", "it leaves"),
    )


def test_a_change_at_run_time_is_refused(loaded: Loader, demand: Callable[[str], None]) -> None:
    demand('allowed_approval_policies = ["on-request"]')
    requirements = loaded().config.requirements
    check_choice(requirements, "approval_policy", "on-request")
    check_choice(requirements, "sandbox_mode", "danger-full-access")
    check_choice(None, "approval_policy", "never")
    with pytest.raises(ConfigInvalid, match=r'"never" is not allowed.*allowed: "on-request"'):
        check_choice(requirements, "approval_policy", "never")


def test_the_strongest_source_decides_each_subject(
    loaded: Loader, demand: Callable[[str], None], system_folder: Path
) -> None:
    (system_folder / "managed_config.toml").write_text(
        'approval_policy = "on-request"\nsandbox_mode = "workspace-write"\n'
        'approvals_reviewer = "auto_review"\n'
    )
    demand('allowed_approval_policies = ["untrusted"]\n[features]\ngoals = true\n')
    cloud = 'allowed_web_search_modes = ["cached"]\n[features]\ngoals = false\nplugins = false\n'
    found = loaded(demands=Demands(cloud)).requirements
    assert found is not None
    assert found.allowed_web_search_modes == ["cached", "disabled"]
    assert found.feature_requirements == {"goals": False, "plugins": False}
    assert found.allowed_approval_policies == ["untrusted"]
    assert found.allowed_sandbox_modes == ["workspace-write", "read-only"]
    assert found.allowed_approvals_reviewers == ["auto_review", "user"]


def test_what_the_older_managed_file_chooses_cannot_be_changed_by_a_client(
    loaded: Loader, system_folder: Path
) -> None:
    (system_folder / "managed_config.toml").write_text('approval_policy = "on-request"\n')
    result = loaded(flags={"approval_policy": "never"})
    assert result.checked().approval_policy == "on-request"
    assert result.warnings[0].summary.startswith('`approval_policy` = "never" is not allowed')


def test_demands_on_features_are_read_under_their_present_names(
    loaded: Loader, demand: Callable[[str], None], system_folder: Path
) -> None:
    demand("[features]\nconnectors = false\nnonsense = true\n")
    result = loaded("[features]\napps = true\n")
    assert not result.config.enabled("apps")
    assert [warning.summary for warning in result.warnings] == [
        "Nothing is known of the feature `nonsense` that "
        f"{system_folder}/requirements.toml demands."
    ]


def test_a_demand_that_nobody_knows_is_told(
    loaded: Loader, demand: Callable[[str], None], system_folder: Path
) -> None:
    demand("allowed_moon_phases = ['full']\n")
    result = loaded()
    assert [warning.summary for warning in result.warnings] == [
        f"Nothing is known of the demand `allowed_moon_phases` in {system_folder}/"
        "requirements.toml; it is not held to."
    ]


@pytest.mark.parametrize(
    ("demands", "code"),
    [
        (Demands(failure=CloudFailure("RequestFailed", "no answer", 500)), "RequestFailed"),
        (Demands("allowed_sandbox_modes = 5"), "Parse"),
        (Demands("no toml"), "Parse"),
    ],
)
def test_demands_of_a_workspace_that_are_not_known_let_no_thread_start(
    loaded: Loader, demands: Demands, code: str
) -> None:
    result = loaded('model = "mine"', demands=demands)
    with pytest.raises(ConfigInvalid) as refusal:
        result.checked()
    assert refusal.value.rpc_data is not None
    assert refusal.value.rpc_data["reason"] == "cloudRequirements"
    assert refusal.value.rpc_data["errorCode"] == code
    assert result.config.model == "mine"
    assert result.warnings[0].summary == "Invalid configuration; using defaults."


def test_demands_on_what_this_release_does_not_run_are_kept_and_told(
    loaded: Loader, demand: Callable[[str], None], system_folder: Path
) -> None:
    demand(
        '[mcp_servers.a.identity]\ncommand = "x"\n[apps.b]\nenabled = false\n'
        '[hooks]\nmanaged_dir = "/etc/hooks"\n'
    )
    result = loaded()
    result.checked()
    assert [warning.summary for warning in result.warnings] == [
        f"What {system_folder}/requirements.toml demands of `mcp_servers` and `apps` is kept: "
        "this release runs none of them."
    ]


def test_whoever_makes_mcp_servers_or_apps_run_holds_them_to_the_demands() -> None:
    rooms = {room for key in KEPT_BY_RUNNING_NONE for room in (key, key.removesuffix("_servers"))}
    built = [room for room in rooms if find_spec(f"app_server.{room}") is not None]
    assert built == [], "take it out of KEPT_BY_RUNNING_NONE once it goes by the demands"


def test_the_reviewers_policy_is_the_administrators(
    loaded: Loader, demand: Callable[[str], None]
) -> None:
    mine = '[auto_review]\npolicy = "Allow all."\n'
    assert loaded(mine).config.auto_review_policy == "Allow all."
    demand('guardian_policy_config = "Deny network."\n')
    assert loaded(mine).config.auto_review_policy == "Deny network."
    cloud = Demands('guardian_policy_config = "Deny all."\n')
    assert loaded(mine, demands=cloud).config.auto_review_policy == "Deny all."


@pytest.mark.parametrize("place", [":root", "/"])
def test_a_profile_that_opens_everything_needs_the_mode_that_does(
    loaded: Loader, demand: Callable[[str], None], place: str
) -> None:
    mine = f'default_permissions = "mine"\n[permissions.mine.filesystem]\n"{place}" = "write"\n'
    assert loaded(mine).config.permission_profile is not None
    demand('allowed_sandbox_modes = ["workspace-write", "read-only"]\n')
    result = loaded(mine)
    assert result.config.permission_profile is None
    assert isinstance(result.config.sandbox_policy, WorkspaceWriteSandboxPolicy)
    assert [warning.summary for warning in result.warnings] == [
        "The permission profile `mine`, which opens no less than `sandbox_mode` = "
        '"danger-full-access", is not allowed by your administrator; using "workspace-write".'
    ]


def test_a_profile_for_the_project_needs_no_more_than_that(
    loaded: Loader, demand: Callable[[str], None]
) -> None:
    mine = (
        'default_permissions = "mine"\n[permissions.mine.filesystem]\n":project_roots" = "write"\n'
    )
    demand('allowed_sandbox_modes = ["read-only", "workspace-write"]\n')
    assert loaded(mine).config.permission_profile is not None
    demand('allowed_sandbox_modes = ["read-only"]\n')
    assert loaded(mine).config.permission_profile is None
