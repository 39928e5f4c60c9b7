"""Stop a server: ask its guest, give it time, then cut the power."""

from __future__ import annotations

from hanok.engine.steps import Operation
from hanok.operations.power import ASK, CUT, FINISH, WAIT_UNTIL_OFF, settle

KIND = Operation("stop_server", 1, (ASK, WAIT_UNTIL_OFF, CUT, FINISH), settle, deadline=300)
