"""A bounded set of daemon threads in which calls are made that may never come back.

The caller waits until its deadline and then leaves the thread to itself. Another takes its place,
up to a bound: so many threads may be lost at one time and no more.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from hanok.model.errors import HostUnreachable

UNREACHABLE = "The host did not answer in time."
"""What a tenant reads of a host that does not answer."""

_log = logging.getLogger(__name__)


class _Call:
    """One call: its work, and how it ended. Guarded by its lane."""

    def __init__(self, what: str, work: Callable[[], Any]) -> None:
        self.what = what
        self.work = work
        self.ended = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.ended.set()

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class Lane:
    """Makes calls for one host, `threads` at a time, in the order of asking.

    `spares` is how many threads may be lost: then every call fails at once, until one comes back.
    """

    def __init__(self, name: str, threads: int, spares: int) -> None:
        self._name = name
        self._threads = threads
        self._spares = spares
        self._changed = threading.Condition()
        self._queue: deque[_Call] = deque()
        self._running: set[_Call] = set()
        self._workers = 0
        self._lost = 0
        self._closed = False

    @property
    def exhausted(self) -> bool:
        """Whether as many threads are lost as may be."""
        return self._lost >= self._spares

    @property
    def lost(self) -> int:
        """How many threads are in calls that nobody waits for any more."""
        return self._lost

    def run(self, what: str, work: Callable[[], Any], timeout: float) -> Any:
        """Do the work in a thread of the lane and return its result, or raise its error.

        Raises HostUnreachable after `timeout` seconds, and at once where the lane is exhausted or
        closed. `what` names the work to the operator.
        """
        call = _Call(what, work)
        with self._changed:
            self._refuse_if_useless(what)
            self._queue.append(call)
            self._staff()
            self._changed.notify()
        if not call.ended.wait(max(0.0, timeout)):
            self._abandon(call, timeout)
        return call.outcome()

    def close(self) -> None:
        """Take no more calls and fail those that are waited for; waits for no thread."""
        with self._changed:
            self._closed = True
            for call in (*self._queue, *self._running):
                call.fail(self._unreachable(call.what, "the host is being let go"))
            self._queue.clear()
            self._changed.notify_all()

    def _refuse_if_useless(self, what: str) -> None:
        if self._closed:
            raise self._unreachable(what, "the host has been let go")
        if self.exhausted:
            raise self._unreachable(what, f"{self._lost} calls hang")

    def _staff(self) -> None:
        """Start a thread where one is wanted and allowed."""
        idle = self._workers - len(self._running)
        if idle < len(self._queue) and self._workers < self._threads and not self.exhausted:
            self._workers += 1
            threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            result, error = None, None
            try:
                result = call.work()
            except BaseException as raised:  # noqa: BLE001 - it belongs to the caller
                error = raised
            if not self._end(call, result, error):
                return

    def _next(self) -> _Call | None:
        with self._changed:
            while not self._queue and not self._closed:
                self._changed.wait()
            if self._closed:
                self._workers -= 1
                return None
            call = self._queue.popleft()
            self._running.add(call)
            return call

    def _end(self, call: _Call, result: Any, error: BaseException | None) -> bool:
        """Hand the outcome over; False where the thread was lost and now ends."""
        with self._changed:
            if call not in self._running:
                self._lost -= 1
                _log.warning("%s: %s ended after its deadline: %r", self._name, call.what, error)
                return False
            self._running.discard(call)
            if not call.ended.is_set():
                call.result, call.error = result, error
                call.ended.set()
            return True

    def _abandon(self, call: _Call, timeout: float) -> None:
        with self._changed:
            if call.ended.is_set():
                return
            if call in self._running:
                self._running.discard(call)
                self._workers -= 1
                self._lost += 1
                why = f"no answer within {timeout:g} s; what it did is not known"
                self._fail_the_queue_if_exhausted()
                self._staff()
            else:
                self._queue.remove(call)
                why = f"not begun within {timeout:g} s"
            call.fail(self._unreachable(call.what, why))

    def _fail_the_queue_if_exhausted(self) -> None:
        if self.exhausted:
            for call in self._queue:
                call.fail(self._unreachable(call.what, f"{self._lost} calls hang"))
            self._queue.clear()

    def _unreachable(self, what: str, why: str) -> HostUnreachable:
        return HostUnreachable(UNREACHABLE, detail=f"{self._name}: {what}: {why}")
