"""What leaves, in which order, and what happens while a reader is behind."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from app_server.protocol.errors import Overloaded
from app_server.protocol.item_deltas import (
    AgentMessageDeltaNotification,
    ReasoningSummaryTextDeltaNotification,
)
from app_server.rpc.channel import LocalChannel, local_pair
from app_server.rpc.frames import ErrorFrame, Frame, NotificationFrame, RequestFrame, ResultFrame
from app_server.server.outbox import Outbox

CAPACITY = 2


def delta(text: str, item: str = "i", thread: str = "t") -> NotificationFrame:
    params = AgentMessageDeltaNotification(thread_id=thread, turn_id="u", item_id=item, delta=text)
    return NotificationFrame("item/agentMessage/delta", params)


def summary(text: str, index: int) -> NotificationFrame:
    params = ReasoningSummaryTextDeltaNotification(
        thread_id="t", turn_id="u", item_id="i", delta=text, summary_index=index
    )
    return NotificationFrame("item/reasoning/summaryTextDelta", params)


def completed(number: int) -> NotificationFrame:
    return NotificationFrame("item/completed", number)


class Reader:
    """An outbox, and the end that reads it when told to."""

    def __init__(self, *, joining_from: int = 0) -> None:
        ours, theirs = local_pair(CAPACITY)
        self._end: LocalChannel = theirs
        self.was_cut_off = False
        self.outbox = Outbox(
            ours,
            self._cut_off,
            capacity=100,
            joining_from=joining_from,
            capacity_bytes=20_000,
            capacity_answer_bytes=50_000,
        )
        self.writing = asyncio.create_task(self.outbox.write())

    def _cut_off(self) -> None:
        self.was_cut_off = True

    def fall_behind(self) -> list[Frame]:
        """Fill the channel, so that what follows waits in the outbox."""
        filling: list[Frame] = [completed(-1 - number) for number in range(CAPACITY)]
        for frame in filling:
            self.outbox.put(frame)
        return filling

    async def read_all(self) -> list[Frame]:
        frames: list[Frame] = []
        while len(self.outbox) or not frames:
            frames.append(await self._receive())
        await self.outbox.flushed()
        return frames + self._end.receive_waiting()

    async def _receive(self) -> Frame:
        async with asyncio.timeout(30):
            frame = await self._end.receive()
        assert frame is not None
        return frame


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    made = Reader()
    yield made
    made.writing.cancel()


async def test_a_reader_that_keeps_up_gets_every_delta_by_itself(reader: Reader) -> None:
    for text in ("a", "b", "c"):
        reader.outbox.put(delta(text))
        assert await reader.read_all() == [delta(text)]


async def test_a_reader_that_is_only_a_little_behind_gets_every_delta_by_itself() -> None:
    reader = Reader(joining_from=3)
    before = reader.fall_behind()
    for text in ("a", "b", "c", "d", "e"):
        reader.outbox.put(delta(text))
    assert await reader.read_all() == [*before, delta("a"), delta("b"), delta("c"), delta("de")]
    reader.writing.cancel()


async def test_a_joined_delta_is_never_overtaken_when_the_reader_has_caught_up_in_between() -> None:
    reader = Reader(joining_from=2)
    before = reader.fall_behind()
    for text in ("a", "b", "c", "d"):
        reader.outbox.put(delta(text))
    await asyncio.sleep(0)
    read = [await reader._receive()]
    while len(reader.outbox) > 1:  # noqa: ASYNC110 - the writer runs on this loop
        await asyncio.sleep(0)
    for text in ("e", "f", "g"):
        reader.outbox.put(delta(text))
    read += await reader.read_all()
    texts = [frame.params.delta for frame in read[len(before) :]]  # type: ignore[union-attr]
    assert "".join(texts) == "abcdefg"
    reader.writing.cancel()


async def test_adjacent_deltas_of_one_item_merge_while_the_reader_is_behind(
    reader: Reader,
) -> None:
    before = reader.fall_behind()
    for text in ("one ", "two ", "three"):
        reader.outbox.put(delta(text))
    assert await reader.read_all() == [*before, delta("one two three")]


async def test_nothing_is_merged_across_another_message(reader: Reader) -> None:
    before = reader.fall_behind()
    sent = [delta("a"), completed(1), delta("b")]
    for frame in sent:
        reader.outbox.put(frame)
    assert await reader.read_all() == [*before, *sent]


async def test_deltas_of_different_items_threads_and_parts_stay_apart(reader: Reader) -> None:
    before = reader.fall_behind()
    for _ in range(3):
        reader.outbox.put(delta("x", item="1"))
        reader.outbox.put(delta("x", item="2"))
        reader.outbox.put(delta("x", item="1", thread="other"))
        reader.outbox.put(summary("x", 0))
        reader.outbox.put(summary("x", 1))
    assert await reader.read_all() == [
        *before,
        delta("xxx", item="1"),
        delta("xxx", item="2"),
        delta("xxx", item="1", thread="other"),
        summary("xxx", 0),
        summary("xxx", 1),
    ]


async def test_answers_questions_and_completions_always_get_through_in_order(
    reader: Reader,
) -> None:
    before = reader.fall_behind()
    sent: list[Frame] = []
    for number in range(20):
        sent += [ResultFrame(number, {}), RequestFrame(number, "item/tool/call"), completed(number)]
    for frame in sent:
        reader.outbox.put(frame)
    assert await reader.read_all() == [*before, *sent]


async def test_ten_thousand_deltas_to_a_reader_that_is_behind_take_one_place(
    reader: Reader,
) -> None:
    before = reader.fall_behind()
    for _ in range(10_000):
        reader.outbox.put(delta("x"))
    assert len(reader.outbox) <= 1
    assert not reader.was_cut_off
    assert await reader.read_all() == [*before, delta("x" * 10_000)]


async def test_a_reader_that_lets_too_much_pile_up_is_cut_off(reader: Reader) -> None:
    reader.fall_behind()
    for number in range(101):
        reader.outbox.put(completed(number))
    assert reader.was_cut_off
    assert len(reader.outbox) == 0


async def test_a_reader_that_lets_too_much_text_pile_up_in_one_place_is_cut_off(
    reader: Reader,
) -> None:
    reader.fall_behind()
    for _ in range(3):
        reader.outbox.put(delta("x" * 10_000))
    assert reader.was_cut_off


async def test_text_that_was_read_no_longer_counts(reader: Reader) -> None:
    for _ in range(5):
        reader.fall_behind()
        reader.outbox.put(delta("x" * 10_000))
        reader.outbox.put(delta("x" * 5_000))
        await reader.read_all()
    assert not reader.was_cut_off


async def test_it_tells_how_many_answers_wait_for_their_reader(reader: Reader) -> None:
    reader.fall_behind()
    for number in range(3):
        reader.outbox.put(ResultFrame(number))
        reader.outbox.put(completed(number))
    reader.outbox.put(ErrorFrame(4, Overloaded()))
    assert reader.outbox.waiting_answers == 4
    await reader.read_all()
    assert reader.outbox.waiting_answers == 0


async def test_a_reader_that_lets_many_bytes_of_other_messages_pile_up_is_cut_off(
    reader: Reader,
) -> None:
    reader.fall_behind()
    for _ in range(3):
        reader.outbox.put(NotificationFrame("item/completed", "x" * 10_000))
    assert reader.was_cut_off


async def test_beside_many_unread_bytes_a_large_answer_is_refused_and_a_small_one_is_not(
    reader: Reader,
) -> None:
    large = {"text": "x" * 40_000}
    small = {"text": "done"}
    for _ in range(2):
        reader.fall_behind()
        for number, result in enumerate([small, large, large, large, small]):
            reader.outbox.put(ResultFrame(number, result))
        answers = [frame for frame in await reader.read_all() if hasattr(frame, "id")]
        assert [answer.id for answer in answers] == [0, 1, 2, 3, 4]
        assert [type(answer) for answer in answers] == [ResultFrame] * 3 + [ErrorFrame, ResultFrame]
        assert isinstance(answers[3], ErrorFrame)
        assert isinstance(answers[3].error, Overloaded)
        assert isinstance(answers[2], ResultFrame)
        assert msgspec.json.decode(answers[2].result) == large
    assert not reader.was_cut_off


async def test_what_is_put_after_the_reader_left_is_dropped(reader: Reader) -> None:
    await reader._end.close()
    reader.outbox.put(completed(1))
    reader.outbox.put(completed(2))
    assert len(reader.outbox) == 0
    async with asyncio.timeout(30):
        await reader.outbox.flushed()
        await reader.writing
