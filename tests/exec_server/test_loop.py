"""The service's own loop."""

import os
import socket

from app_server.exec_server.loop import SelectorLoop


def test_what_is_taken_away_in_a_round_is_not_called_in_it() -> None:
    loop = SelectorLoop()
    called: list[str] = []
    ends = [os.pipe(), os.pipe()]
    for read_end, write_end in ends:
        os.write(write_end, b"x")

        def ready() -> None:
            called.append("ready")
            for fd, _ in ends:
                loop.remove_reader(fd)
            loop.call_soon(loop.stop)

        loop.add_reader(read_end, ready)
    loop.run()
    assert called == ["ready"]
    loop.close()
    for pair in ends:
        for fd in pair:
            os.close(fd)


def test_timers_run_in_order_and_can_be_cancelled() -> None:
    loop = SelectorLoop()
    called: list[str] = []
    loop.call_later(0.02, lambda: called.append("later"))
    loop.call_later(0.01, lambda: called.append("sooner"))
    loop.call_later(0.015, lambda: called.append("never")).cancel()
    loop.call_later(0.03, loop.stop)
    loop.call_soon(lambda: called.append("now"))
    loop.run()
    assert called == ["now", "sooner", "later"]
    loop.close()


def test_a_descriptor_is_read_and_written_at_once() -> None:
    loop = SelectorLoop()
    one, other = socket.socketpair()
    called: set[str] = set()

    def note(word: str) -> None:
        called.add(word)
        if len(called) == 2:
            loop.stop()

    other.send(b"x")
    loop.add_reader(one.fileno(), lambda: note("read"))
    loop.add_writer(one.fileno(), lambda: note("write"))
    loop.run()
    loop.remove_reader(one.fileno())
    loop.remove_writer(one.fileno())
    loop.close()
    one.close()
    other.close()
