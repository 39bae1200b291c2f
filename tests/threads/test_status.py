"""What a thread is said to be doing, and when that is said."""

from app_server.protocol.thread_data import (
    ActiveThreadStatus,
    IdleThreadStatus,
    NotLoadedThreadStatus,
    SystemErrorThreadStatus,
    ThreadStatus,
)
from app_server.threads.status import StatusFacts

RUNNING = ActiveThreadStatus(active_flags=[])
ASKING = ActiveThreadStatus(active_flags=["waitingOnApproval"])
IDLE = IdleThreadStatus()
ERROR = SystemErrorThreadStatus()


def facts() -> tuple[StatusFacts, list[ThreadStatus]]:
    said: list[ThreadStatus] = []
    return StatusFacts(said.append), said


def test_a_turn_with_an_approval_is_active_then_waiting_then_active_then_idle() -> None:
    status, said = facts()
    status.turn_began()
    status.approval_asked()
    status.approval_settled()
    status.turn_ended()
    assert said == [RUNNING, ASKING, RUNNING, IDLE]


def test_the_end_of_a_turn_clears_the_questions_it_leaves_open() -> None:
    status, said = facts()
    status.turn_began()
    status.approval_asked()
    status.input_asked()
    status.turn_ended()
    status.approval_settled()
    assert said[-1] == IDLE
    assert said[-2] == ActiveThreadStatus(active_flags=["waitingOnApproval", "waitingOnUserInput"])


def test_an_error_is_kept_past_the_end_of_its_turn_until_the_next_one_begins() -> None:
    status, said = facts()
    status.turn_began()
    status.failed()
    status.turn_ended()
    status.turn_began()
    assert said == [RUNNING, ERROR, RUNNING]


def test_nothing_is_said_when_nothing_changed() -> None:
    status, said = facts()
    status.turn_ended()
    status.approval_settled()
    assert said == []


def test_an_unloaded_thread_is_not_loaded_whatever_it_was_doing() -> None:
    status, said = facts()
    status.turn_began()
    status.unloaded()
    assert said == [RUNNING, NotLoadedThreadStatus()]
