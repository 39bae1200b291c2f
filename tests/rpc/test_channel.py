"""Local channels: order, pressure, closing, on one loop and across two."""

import asyncio
import threading
from typing import Any

import pytest

from app_server.protocol.thread_history import ThreadReadParams
from app_server.rpc.channel import ChannelClosed, LocalChannel, local_pair
from app_server.rpc.frames import NotificationFrame, RequestFrame

BOUND_SECONDS = 30


def note(number: int) -> NotificationFrame:
    return NotificationFrame("initialized", number)


async def test_a_typed_frame_arrives_as_the_same_object() -> None:
    client, server = local_pair()
    frame = RequestFrame(1, "thread/read", ThreadReadParams(thread_id="t"))
    await client.send(frame)
    assert await server.receive() is frame


async def test_through_json_a_frame_arrives_equal_but_made_from_bytes() -> None:
    client, server = local_pair(through_json=True)
    frame = RequestFrame(1, "thread/read", ThreadReadParams(thread_id="t"))
    await client.send(frame)
    arrived = await server.receive()
    assert arrived == frame
    assert arrived is not frame


async def test_a_full_channel_says_so_and_takes_nothing() -> None:
    client, server = local_pair(capacity=2)
    assert client.send_now(note(1))
    assert client.send_now(note(2))
    assert not client.send_now(note(3))
    assert server.receive_waiting() == [note(1), note(2)]
    assert client.send_now(note(3))


async def test_sending_to_a_full_channel_waits_for_the_reader() -> None:
    client, server = local_pair(capacity=1)
    await client.send(note(1))
    sending = asyncio.create_task(client.send(note(2)))
    await asyncio.sleep(0)
    assert not sending.done()
    assert await server.receive() == note(1)
    async with asyncio.timeout(BOUND_SECONDS):
        await sending
    assert await server.receive() == note(2)


async def test_what_was_sent_before_closing_still_arrives() -> None:
    client, server = local_pair()
    await client.send(note(1))
    await client.close()
    assert await server.receive() == note(1)
    assert await server.receive() is None
    assert not server.can_send
    with pytest.raises(ChannelClosed):
        server.send_now(note(2))


async def test_closing_wakes_a_waiting_reader_and_a_waiting_writer() -> None:
    client, server = local_pair(capacity=1)
    await client.send(note(1))
    writing = asyncio.create_task(client.send(note(2)))
    reading = asyncio.create_task(client.receive())
    await asyncio.sleep(0)
    await server.close()
    async with asyncio.timeout(BOUND_SECONDS):
        assert await reading is None
        with pytest.raises(ChannelClosed):
            await writing


async def test_a_cancelled_reader_loses_nothing() -> None:
    client, server = local_pair()
    reading = asyncio.create_task(server.receive())
    await asyncio.sleep(0)
    reading.cancel()
    await client.send(note(1))
    await asyncio.gather(reading, return_exceptions=True)
    assert await server.receive() == note(1)


@pytest.mark.parametrize("capacity", [1, 3, 128])
async def test_frames_cross_between_two_loops_in_order(capacity: int) -> None:
    client, server = local_pair(capacity=capacity)
    count = 100 * min(capacity, 10)  # a narrow channel changes threads at every frame

    async def echo(end: LocalChannel) -> None:
        while (frame := await end.receive()) is not None:
            await end.send(frame)
        await end.close()

    thread = threading.Thread(target=lambda: asyncio.run(echo(server)))
    thread.start()

    async def feed() -> None:
        for number in range(count):
            await client.send(note(number))

    feeding = asyncio.create_task(feed())
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            echoed = [await client.receive() for _ in range(count)]
            await feeding
    finally:
        await client.close()
        await asyncio.to_thread(thread.join, BOUND_SECONDS)
    assert echoed == [note(number) for number in range(count)]


async def test_a_burst_to_another_loop_costs_one_wake_up() -> None:
    client, server = local_pair()
    loop = asyncio.new_event_loop()
    asleep, go_on = threading.Event(), threading.Event()
    wake_ups = 0
    wake = loop.call_soon_threadsafe

    def counted(*args: Any, **kwargs: Any) -> asyncio.Handle:
        nonlocal wake_ups
        wake_ups += 1
        return wake(*args, **kwargs)

    def hold_the_loop() -> None:
        asleep.set()
        go_on.wait(BOUND_SECONDS)

    async def read_all() -> list[object]:
        loop.call_soon(hold_the_loop)
        return [await server.receive() for _ in range(100)]

    results: list[object] = []
    thread = threading.Thread(target=lambda: results.extend(loop.run_until_complete(read_all())))
    thread.start()
    await asyncio.to_thread(asleep.wait, BOUND_SECONDS)
    loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
    for number in range(100):
        client.send_now(note(number))
    go_on.set()
    await asyncio.to_thread(thread.join, BOUND_SECONDS)
    loop.close()
    assert results == [note(number) for number in range(100)]
    assert wake_ups == 1


async def test_a_reader_whose_loop_has_ended_does_not_break_the_sender() -> None:
    client, server = local_pair()

    async def start_reading() -> None:
        reading = asyncio.ensure_future(server.receive())
        await asyncio.sleep(0)
        reading.cancel()

    await asyncio.to_thread(lambda: asyncio.run(start_reading()))
    assert client.send_now(note(1))
