"""Calls to hosts: each host's own daemon threads, every call with a deadline."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

from hanok.drivers.base import Drivers
from hanok.drivers.verbs import VERBS
from hanok.model.errors import HanokError, HostError, HostUnreachable


class _Call:
    def __init__(self, verb: str, args: Mapping[str, Any]) -> None:
        self.verb, self.args = verb, args
        self.done = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None


class Hosts:
    """The hosts of one region in this process."""

    def __init__(self) -> None:
        self._queues: dict[str, SimpleQueue[_Call]] = {}

    def add(self, host_id: str, drivers: Drivers, threads: int = 4) -> None:
        queue: SimpleQueue[_Call] = SimpleQueue()
        self._queues[host_id] = queue
        for _ in range(threads):
            threading.Thread(target=self._work, args=(queue, drivers), daemon=True).start()

    @staticmethod
    def _work(queue: SimpleQueue[_Call], drivers: Drivers) -> None:
        while True:
            call = queue.get()
            try:
                verb = VERBS[call.verb]; call.result = verb.encode_result(verb.call(drivers, verb.decode_args(call.args)))
            except HanokError as error:
                call.error = error
            except Exception as error:  # noqa: BLE001
                call.error = HostError("The host could not do it.", detail=repr(error))
            call.done.set()

    def perform(self, host_id: str, verb: str, args: Mapping[str, Any], timeout: float) -> Any:
        call = _Call(verb, args)
        self._queues[host_id].put(call)
        if not call.done.wait(timeout):
            raise HostUnreachable("The host does not answer.")
        if call.error is not None:
            raise call.error
        return call.result

    query = perform

    def hosts(self) -> list[str]:
        return list(self._queues)

    def close(self) -> None:
        self._queues.clear()
