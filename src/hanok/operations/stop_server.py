"""Stop a server: ask its guest, give it time, then cut the power."""

from __future__ import annotations

from hanok.engine.steps import Operation
from hanok.operations.power import FINISH, SHUT_DOWN, settle

KIND = Operation("stop_server", 1, (*SHUT_DOWN, FINISH), settle, deadline=300)
