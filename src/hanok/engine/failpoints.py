"""Named places where a test makes the engine fail, die or pause; silent unless armed.

A point is `operation/step-key/direction/moment`: direction do or undo; moment `start` (nothing
happened yet), `effect` (the effect is there, its commit is not), `commit` (it is committed).
`HANOK_FAILPOINT=kill:create_server/plug/do/effect` kills the process, uncatchably, when it gets
there; an engine that tests drive in their own process is handed a `Failpoints` of their own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

VARIABLE = "HANOK_FAILPOINT"


class Failpoints:
    """Calls `reached` at every point; the default looks at the environment once."""

    def __init__(self, reached: Callable[[str], None] | None = None) -> None:
        self._reached = reached
        self._kill_at: str | None = None
        armed = os.environ.get(VARIABLE, "")
        if armed.startswith("kill:"):
            self._kill_at = armed.removeprefix("kill:")

    def listen(self, reached: Callable[[str], None] | None) -> None:
        """Call another function from now on."""
        self._reached = reached

    def reach(self, point: str) -> None:
        """Note that the engine is at `point`."""
        if self._kill_at == point:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._reached is not None:
            self._reached(point)
