"""Reports about trouble: kept where their author finds them, with what they allowed."""

import json
from pathlib import Path

import pytest

from app_server.client.client import Client
from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import InvalidRequest, RpcError
from app_server.protocol.feedback import FEEDBACK_UPLOAD, FeedbackUploadParams
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml, says


def reports(home: Path) -> list[Path]:
    return sorted((home / "feedback").iterdir())


async def test_a_report_is_a_folder_only_its_author_can_read(
    connect: Connector, codex_home: Path
) -> None:
    client = await connect()
    params = FeedbackUploadParams(
        classification="bug", reason="It broke", include_logs=False, tags={"a": "b"}
    )
    answer = await client.request(FEEDBACK_UPLOAD, params)
    assert answer.thread_id.startswith("no-active-thread-")
    (folder,) = reports(codex_home)
    (report,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, report.stat().st_mode & 0o777) == (0o700, 0o600)
    written = json.loads(report.read_text())["report"]
    assert (written["classification"], written["reason"]) == ("bug", "It broke")
    assert (written["tracking_id"], written["tags"]) == (answer.thread_id, {"a": "b"})


@pytest.mark.parametrize("include_logs", [True, False])
async def test_the_conversation_goes_along_only_when_its_author_says_so(
    connect: Connector, codex_home: Path, model: ScriptedModel, include_logs: bool
) -> None:
    provider_toml(model, home=codex_home)
    model.script(says("an answer"))
    client: Client = await connect()
    thread = await Conversation.begin(client)
    await thread.say("what I asked")
    await thread.ended()
    params = FeedbackUploadParams(
        classification="bad_result", include_logs=include_logs, thread_id=thread.thread_id
    )
    assert (await client.request(FEEDBACK_UPLOAD, params)).thread_id == thread.thread_id
    (folder,) = reports(codex_home)
    kept = "".join(file.read_text() for file in folder.iterdir())
    assert ("what I asked" in kept) == include_logs


async def test_files_are_copied_from_their_end_and_missing_ones_named(
    connect: Connector, codex_home: Path, workspace: Path
) -> None:
    from app_server.telemetry.feedback import MAX_FILE_BYTES

    long = workspace / "long.log"
    long.write_bytes(b"a" * MAX_FILE_BYTES + b"the end")
    params = FeedbackUploadParams(
        classification="bug",
        include_logs=False,
        extra_log_files=[str(long), str(workspace / "gone.log"), str(workspace)],
    )
    client = await connect()
    await client.request(FEEDBACK_UPLOAD, params)
    (folder,) = reports(codex_home)
    written = json.loads((folder / "report.json").read_text())
    assert written["files"] == ["01-long.log"]
    assert [Path(missing["path"]).name for missing in written["not_included"]] == [
        "gone.log",
        "workspace",
    ]
    copied = (folder / "01-long.log").read_bytes()
    assert (len(copied), copied[-7:]) == (MAX_FILE_BYTES, b"the end")


async def test_reports_can_be_switched_off(connect: Connector, codex_home: Path) -> None:
    (codex_home / "config.toml").write_text("[feedback]\nenabled = false\n")
    client = await connect()
    with pytest.raises(InvalidRequest, match="sending feedback is disabled by configuration"):
        await client.request(
            FEEDBACK_UPLOAD, FeedbackUploadParams(classification="bug", include_logs=True)
        )
    assert not (codex_home / "feedback").exists()


async def test_a_report_about_what_is_no_thread_is_refused(
    connect: Connector, codex_home: Path
) -> None:
    client = await connect()
    params = FeedbackUploadParams(classification="bug", include_logs=True, thread_id="../x")
    with pytest.raises(InvalidRequest, match="invalid thread id"):
        await client.request(FEEDBACK_UPLOAD, params)
    assert not (codex_home / "feedback").exists()


async def test_where_nothing_can_be_written_the_error_says_so(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "feedback").write_text("in the way")
    client = await connect()
    with pytest.raises(RpcError, match=r"cannot be written below .*feedback: ") as failed:
        await client.request(
            FEEDBACK_UPLOAD, FeedbackUploadParams(classification="bug", include_logs=False)
        )
    assert failed.value.code == -32603
