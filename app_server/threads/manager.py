"""All threads of the server: starts, resumes, forks, finds and unloads them.

The only owner of loaded threads and of the tasks their turns run in. Reading files happens off the
event loop; whatever decides between "loaded" and "not loaded" happens in one step on it, so two
callers never load the same thread twice. Stored threads are read by the modules beside this one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any

from app_server import clock
from app_server.protocol.method import ServerNotification
from app_server.protocol.thread import (
    THREAD_CLOSED,
    ThreadClosedNotification,
    ThreadForkParams,
    ThreadMetadataGitInfoUpdateParams,
    ThreadResumeParams,
    ThreadStartParams,
    ThreadUnsubscribeStatus,
)
from app_server.protocol.thread_data import NotLoadedThreadStatus, Thread, ThreadStatus
from app_server.protocol.thread_history import (
    ThreadListParams,
    ThreadListResponse,
    ThreadLoadedListParams,
    ThreadLoadedListResponse,
    ThreadTurnsListParams,
    ThreadTurnsListResponse,
)
from app_server.threads.errors import ThreadClosing, ThreadNotFound
from app_server.threads.loaded import Broadcast, LoadedThread, QuestionDesk
from app_server.threads.subscriptions import Subscriber
from app_server.threads.thread_ids import check_id

if TYPE_CHECKING:
    from app_server.agent.services import AgentServices
    from app_server.storage.listing import ThreadLists

log = logging.getLogger(__name__)

UNLOAD_AFTER_SECONDS = 30 * 60
"""How long a thread nobody hears and nothing happens in stays loaded."""

UNLOAD_CHECK_SECONDS = 60

CLOSE_SECONDS = 5.0
"""How long one thread may take to end its commands when it is unloaded."""


class ThreadManager:
    """Every thread, loaded or stored."""

    def __init__(
        self, services: AgentServices, *, questions: QuestionDesk, broadcast: Broadcast
    ) -> None:
        self.services = services
        self.questions = questions
        self._broadcast = broadcast
        self._threads: dict[str, LoadedThread] = {}
        self._loading: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unloading: asyncio.Task[None] | None = None

    @cached_property
    def stored_lists(self) -> ThreadLists:
        from app_server.storage.listing import ThreadLists

        return ThreadLists(self.services.codex_home)

    @property
    def running_turns(self) -> int:
        """How many turns run at this moment; a draining server waits for none."""
        return sum(thread.actor.running for thread in self._threads.values())

    async def start(self, params: ThreadStartParams, subscriber: Subscriber) -> LoadedThread:
        """A new thread that `subscriber` hears."""
        from app_server.threads.start import start

        return await start(self, params, subscriber)

    async def resume(self, params: ThreadResumeParams, subscriber: Subscriber) -> LoadedThread:
        """Load a stored thread or join a loaded one; `subscriber` hears it from then on."""
        from app_server.threads.resume import resume

        return await resume(self, params, subscriber)

    async def fork(self, params: ThreadForkParams, subscriber: Subscriber) -> LoadedThread:
        """A new thread that begins with a copy of another one's history."""
        from app_server.threads.fork import fork

        return await fork(self, params, subscriber)

    async def read(self, thread_id: str, *, include_turns: bool) -> Thread:
        from app_server.threads.read import read

        return await read(self, thread_id, include_turns=include_turns)

    async def list(self, params: ThreadListParams) -> ThreadListResponse:
        from app_server.threads.list import list_threads

        return await list_threads(self, params)

    def list_loaded(self, params: ThreadLoadedListParams) -> ThreadLoadedListResponse:
        from app_server.threads.list import list_loaded

        return list_loaded(sorted(self._threads), params)

    async def list_turns(self, params: ThreadTurnsListParams) -> ThreadTurnsListResponse:
        from app_server.threads.list import list_turns

        return await list_turns(self, params)

    async def set_name(self, thread_id: str, name: str) -> str:
        """Name a thread, loaded or stored; returns the name as kept."""
        from app_server.threads.edit import set_name

        return await set_name(self, thread_id, name)

    async def update_metadata(
        self, thread_id: str, git_info: ThreadMetadataGitInfoUpdateParams | None
    ) -> Thread:
        from app_server.threads.edit import update_metadata

        return await update_metadata(self, thread_id, git_info)

    async def archive(self, thread_id: str) -> None:
        from app_server.threads.archive import archive

        await archive(self, thread_id)

    async def unarchive(self, thread_id: str) -> Thread:
        from app_server.threads.archive import unarchive

        return await unarchive(self, thread_id)

    def roll_back(self, thread_id: str, num_turns: int) -> Thread:
        from app_server.threads.rollback import roll_back

        return roll_back(self.loaded(thread_id), num_turns)

    def loaded(self, thread_id: str) -> LoadedThread:
        """The loaded thread of this id; raises `ThreadError`."""
        thread = self._threads.get(check_id(thread_id))
        if thread is None:
            raise ThreadNotFound(thread_id)
        if thread.closing:
            raise ThreadClosing(thread_id)
        return thread

    def find_loaded(self, thread_id: str) -> LoadedThread | None:
        """The thread if it is loaded; raises `InvalidThreadId`."""
        return self._threads.get(check_id(thread_id))

    def status_of(self, thread_id: str) -> ThreadStatus:
        """What the thread is doing; not loaded for unknown ones as well."""
        thread = self._threads.get(thread_id.lower())
        return NotLoadedThreadStatus() if thread is None else thread.status.status

    def loading(self, thread_id: str) -> asyncio.Lock:
        """Held while the thread is being loaded, so that it is loaded once."""
        return self._loading.setdefault(check_id(thread_id), asyncio.Lock())

    def add(self, thread: LoadedThread) -> None:
        """Own a thread that is whole now."""
        self._threads[thread.thread_id] = thread
        self._loading.pop(thread.thread_id, None)
        if self._unloading is None:
            self._unloading = self.start_task(self._unload_idle_threads())

    def unsubscribe(self, thread_id: str, subscriber: Subscriber) -> ThreadUnsubscribeStatus:
        thread = self.find_loaded(thread_id)
        if thread is None:
            return "notLoaded"
        was_subscribed = thread.subscriptions.remove(subscriber)
        thread.idle_since = clock.monotonic()
        return "unsubscribed" if was_subscribed else "notSubscribed"

    async def use_changed_settings(self) -> None:
        """Loaded threads go by the settings as they stand now, from their next turn on.

        What a thread was started with by name (model, permissions) stays. One whose settings
        cannot be used any more keeps the old ones and says so.
        """
        for thread in list(self._threads.values()):
            folder = thread.actor.session.settings.cwd
            loaded = await asyncio.to_thread(thread.load_settings, folder)
            if loaded.error is None:
                thread.actor.use_config(loaded.config)
            else:
                thread.warn(f"The changed settings cannot be used here: {loaded.error}")

    def connection_closed(self, subscriber: Subscriber) -> None:
        """A client has left. Its threads go on; questions it was asked wait for somebody else."""
        for thread in self._threads.values():
            if thread.subscriptions.remove(subscriber):
                thread.idle_since = clock.monotonic()

    def broadcast(self, row: ServerNotification[Any], params: Any) -> None:
        """Tell every initialized client."""
        self._broadcast(row, params)

    def start_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that belongs to the threads; it ends with them at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    async def unload(self, thread_id: str) -> None:
        """End a thread's turn and commands and forget it; everyone is told its new status."""
        thread = self.find_loaded(thread_id)
        if thread is None or thread.closing:
            return
        thread.closing = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await thread.actor.close()
        except TimeoutError:
            log.warning("thread %s did not end within %.0f s", thread_id, CLOSE_SECONDS)
        except Exception:
            log.exception("thread %s did not end well and is forgotten all the same", thread_id)
        self._threads.pop(thread.thread_id, None)
        self.questions.drop_thread(thread.thread_id)
        thread.status.unloaded()

    async def close(self) -> None:
        """End all threads, side by side."""
        async with asyncio.TaskGroup() as group:
            for thread in list(self._threads.values()):
                group.create_task(thread.actor.close())
        self._threads.clear()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=CLOSE_SECONDS)

    async def _unload_idle_threads(self) -> None:
        while True:
            await asyncio.sleep(UNLOAD_CHECK_SECONDS)
            for thread in list(self._threads.values()):
                since = max(thread.idle_since, thread.actor.last_active)
                if thread.is_idle and clock.monotonic() - since >= UNLOAD_AFTER_SECONDS:
                    await self.unload(thread.thread_id)
                    closed = ThreadClosedNotification(thread_id=thread.thread_id)
                    self.broadcast(THREAD_CLOSED, closed)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the threads failed", exc_info=error)
