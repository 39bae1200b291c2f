"""What administrators demand, through the protocol: from a file, and from the workspace."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app_server import clock
from app_server.client.events import Notification
from app_server.config import load
from app_server.config.demands_cache import FILE_NAME
from app_server.demo.provider import ScriptedModel
from app_server.protocol.account import ACCOUNT_LOGIN_START, ChatgptAuthTokensLoginAccountParams
from app_server.protocol.command_exec import COMMAND_EXEC, CommandExecParams
from app_server.protocol.config import (
    CONFIG_READ,
    CONFIG_VALUE_WRITE,
    ConfigReadParams,
    ConfigValueWriteParams,
)
from app_server.protocol.config_requirements import CONFIG_REQUIREMENTS_READ, ConfigRequirements
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.notices import CONFIG_WARNING, WARNING, ConfigWarningNotification
from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    DisabledPermissionProfile,
    FileSystemSandboxEntry,
    ManagedPermissionProfile,
    PathFileSystemPath,
    PermissionProfileNetworkPermissions,
    RestrictedPermissionProfileFileSystemPermissions,
)
from app_server.protocol.thread import THREAD_START, ThreadStartParams
from app_server.server import cloud_demands
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.issuer import Issuer, issuer, jwt
from tests.support.model_server import provider_toml

__all__ = ["issuer"]

WRITES_EVERYWHERE = ManagedPermissionProfile(
    file_system=RestrictedPermissionProfileFileSystemPermissions(
        entries=[FileSystemSandboxEntry(path=PathFileSystemPath(path="/"), access="write")]
    ),
    network=PermissionProfileNetworkPermissions(enabled=False),
)

PATH = "/backend-api/wham/config/requirements"


@pytest.fixture(autouse=True)
def system_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(load, "SYSTEM_FOLDER", folder)
    monkeypatch.setattr(cloud_demands, "PAUSES_SECONDS", (0.0, 0.0))
    return folder


@pytest.fixture
def sign_in(issuer: Issuer, codex_home: Path) -> Callable[..., None]:
    """Somebody with that plan and account is signed in; the backend is the issuer."""

    def store(plan: str, account: str = "acct-1") -> None:
        issuer.plan, issuer.account = plan, account
        tokens = {**issuer.tokens(), "account_id": account}
        stored = {"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "2100-01-01T00:00:00Z"}
        (codex_home / "auth.json").write_text(json.dumps(stored))
        (codex_home / "config.toml").write_text(f'chatgpt_base_url = "{issuer.url}/backend-api"\n')

    return store


async def test_without_demands_there_are_none(connect: Connector) -> None:
    answer = await (await connect()).request(CONFIG_REQUIREMENTS_READ, None)
    assert answer.requirements is None


async def test_a_file_of_demands_is_read_and_held_to(
    connect: Connector, system_folder: Path
) -> None:
    (system_folder / "requirements.toml").write_text(
        'allowed_approval_policies = ["on-request", "untrusted"]\n'
        'allowed_sandbox_modes = ["read-only"]\n[features]\ngoals = true\n'
    )
    client = await connect()
    assert (await client.request(CONFIG_REQUIREMENTS_READ, None)).requirements == (
        ConfigRequirements(
            allowed_approval_policies=["on-request", "untrusted"],
            allowed_sandbox_modes=["read-only"],
            feature_requirements={"goals": True},
        )
    )
    thread = await Conversation.begin(client, approval_policy="never", sandbox="danger-full-access")
    assert thread.started is not None
    assert thread.started.approval_policy == "on-request"
    told = [(await thread.until(WARNING)).message for _ in range(2)]
    assert [text.split("is not")[0] for text in told] == [
        '`approval_policy` = "never" ',
        '`sandbox_mode` = "danger-full-access" ',
    ]
    for method, params, refusal in (
        (
            COMMAND_EXEC,
            CommandExecParams(command=["true"], sandbox_policy=DangerFullAccessSandboxPolicy()),
            '`sandbox_mode` = "danger-full-access" is not allowed',
        ),
        (
            COMMAND_EXEC,
            CommandExecParams(command=["true"], permission_profile=DisabledPermissionProfile()),
            '`sandbox_mode` = "danger-full-access" is not allowed',
        ),
        (
            COMMAND_EXEC,
            CommandExecParams(command=["true"], permission_profile=WRITES_EVERYWHERE),
            '`sandbox_mode` = "danger-full-access" is not allowed',
        ),
        (
            CONFIG_VALUE_WRITE,
            ConfigValueWriteParams(
                key_path="features.goals", value=False, merge_strategy="replace"
            ),
            "Invalid configuration: `features.goals` = false is not allowed",
        ),
    ):
        with pytest.raises(InvalidRequest, match=refusal):
            await client.request(method, params)


async def test_where_answers_are_made_is_told_to_the_provider(
    connect: Connector, system_folder: Path, codex_home: Path, model: ScriptedModel
) -> None:
    (system_folder / "requirements.toml").write_text('enforce_residency = "us"\n')
    provider_toml(model, home=codex_home)
    thread = await Conversation.begin(await connect())
    await thread.say("Go.")
    assert (await thread.ended()).status == "completed"
    (request,) = model.requests
    assert request.headers["x-openai-internal-codex-residency"] == "us"


@pytest.mark.parametrize("plan", ["business", "enterprise", "hc"])
async def test_demands_of_the_workspace_are_fetched_once_with_the_account(
    connect: Connector,
    issuer: Issuer,
    sign_in: Callable[..., None],
    codex_home: Path,
    plan: str,
) -> None:
    sign_in(plan)
    issuer.requirements = 'allowed_approval_policies = ["never"]\n'
    client = await connect()
    answer = (await client.request(CONFIG_REQUIREMENTS_READ, None)).requirements
    assert answer == ConfigRequirements(allowed_approval_policies=["never"])
    started = await client.request(THREAD_START, ThreadStartParams(approval_policy="untrusted"))
    assert started.approval_policy == "never"
    assert issuer.paths(PATH) == [PATH]
    (asked,) = [each for each in issuer.asked if each.path == PATH]
    assert asked.headers["authorization"].startswith("Bearer ")
    assert asked.headers["chatgpt-account-id"] == "acct-1"
    assert (codex_home / FILE_NAME).stat().st_mode & 0o777 == 0o600


async def test_many_clients_at_once_wait_for_one_fetch(
    connect: Connector, issuer: Issuer, sign_in: Callable[..., None]
) -> None:
    sign_in("business")
    issuer.requirements = "[features]\ngoals = true\n"

    async def asked(name: str) -> ConfigRequirements | None:
        answer = await (await connect(name)).request(CONFIG_REQUIREMENTS_READ, None)
        return answer.requirements

    answers = await asyncio.gather(*(asked(f"client-{number}") for number in range(24)))
    assert answers == [ConfigRequirements(feature_requirements={"goals": True})] * 24
    assert issuer.paths(PATH) == [PATH]


async def test_who_signs_in_later_is_held_to_demands_of_that_workspace(
    connect: Connector, issuer: Issuer, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text(f'chatgpt_base_url = "{issuer.url}/backend-api"\n')
    issuer.requirements = 'allowed_approval_policies = ["never"]\n'
    client = await connect()
    assert (await client.request(CONFIG_REQUIREMENTS_READ, None)).requirements is None
    tokens = ChatgptAuthTokensLoginAccountParams(
        access_token=jwt("acct-9", "enterprise"), chatgpt_account_id="acct-9"
    )
    await client.request(ACCOUNT_LOGIN_START, tokens)
    started = await client.request(THREAD_START, ThreadStartParams())
    assert started.approval_policy == "never"


@pytest.mark.parametrize("plan", ["plus", "team", "edu"])
async def test_other_plans_have_none_and_are_not_asked_about(
    connect: Connector, issuer: Issuer, sign_in: Callable[..., None], plan: str
) -> None:
    sign_in(plan)
    issuer.requirements = 'allowed_approval_policies = ["never"]\n'
    answer = await (await connect()).request(CONFIG_REQUIREMENTS_READ, None)
    assert (answer.requirements, issuer.paths(PATH)) == (None, [])


async def test_demands_that_cannot_be_fetched_let_no_thread_start(
    connect: Connector, issuer: Issuer, sign_in: Callable[..., None]
) -> None:
    sign_in("business")
    for _ in range(3):
        issuer.refuse(PATH, 500, {"error": {"message": "busy"}})
    client = await connect()
    with pytest.raises(InvalidRequest, match=r"could not be fetched.*busy") as refused:
        await client.request(THREAD_START, ThreadStartParams())
    assert refused.value.data is not None
    assert {**refused.value.data, "detail": ""} == {
        "reason": "cloudRequirements",
        "errorCode": "RequestFailed",
        "detail": "",
        "statusCode": 500,
    }
    for method, params in ((CONFIG_READ, ConfigReadParams()), (CONFIG_REQUIREMENTS_READ, None)):
        with pytest.raises(InternalError, match="failed to read configuration layers: "):
            await client.request(method, params)
    with pytest.raises(InvalidRequest):
        await client.request(COMMAND_EXEC, CommandExecParams(command=["true"]))
    warnings = [
        event.params
        for event in client.drain()
        if isinstance(event, Notification) and event.method == CONFIG_WARNING.name
    ]
    assert [type(warning) for warning in warnings] == [ConfigWarningNotification]
    assert warnings[0].summary == "Invalid configuration; using defaults."
    assert len(issuer.paths(PATH)) == 3


async def test_a_failure_that_passes_is_overcome(
    connect: Connector, issuer: Issuer, sign_in: Callable[..., None]
) -> None:
    sign_in("business")
    issuer.requirements = "[features]\ngoals = true\n"
    issuer.refuse(PATH, 503)
    issuer.refuse(PATH, 401)
    answer = (await (await connect()).request(CONFIG_REQUIREMENTS_READ, None)).requirements
    assert answer == ConfigRequirements(feature_requirements={"goals": True})


async def test_the_next_server_asks_nobody_for_half_an_hour(
    issuer: Issuer,
    sign_in: Callable[..., None],
    codex_home: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def asked_so_far() -> int:
        """After a server has come and gone."""
        async with Server(ServerOptions(codex_home=codex_home, cwd=workspace)) as server:
            connect = Connector(server, through_json=False)
            answer = await (await connect()).request(CONFIG_REQUIREMENTS_READ, None)
            await connect.leave()
        assert answer.requirements == ConfigRequirements(feature_requirements={"goals": True})
        return len(issuer.paths(PATH))

    sign_in("business")
    issuer.requirements = "[features]\ngoals = true\n"
    assert await asked_so_far() == 1
    assert await asked_so_far() == 1
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 31 * 60)
    assert await asked_so_far() == 2
    sign_in("business", "acct-2")
    assert await asked_so_far() == 3
