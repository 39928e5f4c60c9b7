"""A client that polls a server as fast as it can, and remembers every status that it saw."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from tests.e2e.cloud import Cloud

_LOOK = 0.01


class Watcher:
    """What was shown, in order: (status, vm_state, task_state, power_state)."""

    def __init__(self, cloud: Cloud, server_id: str) -> None:
        self._cloud = cloud
        self._path = f"/servers/{server_id}"
        self._seen: list[tuple[str, str, str | None, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def statuses(self) -> list[str]:
        """The statuses in the order in which they were seen, each once in a row."""
        return [status for status, _ in groupby(one[0] for one in list(self._seen))]

    def states(self, status: str) -> set[tuple[str, str | None, int]]:
        """What stood beside a status: vm_state, task_state, power_state."""
        return {one[1:] for one in list(self._seen) if one[0] == status}

    def forget(self) -> None:
        """Begin anew."""
        self._seen = []

    def stop(self) -> None:
        """Poll no more."""
        self._stop.set()
        self._thread.join(30)

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK):
            answer = self._cloud.request("GET", "compute", self._path)
            if answer.status_code != 200:
                continue
            shown = answer.json()["server"]
            names = ("vm_state", "task_state", "power_state")
            states = [shown[f"OS-EXT-STS:{name}"] for name in names]
            self._seen.append((shown["status"], states[0], states[1], states[2]))


@contextmanager
def watching(cloud: Cloud, server_id: str) -> Iterator[Watcher]:
    """Poll a server for the block."""
    one = Watcher(cloud, server_id)
    try:
        yield one
    finally:
        one.stop()
