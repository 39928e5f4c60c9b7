"""Start a stopped server."""

from __future__ import annotations

from hanok.engine.steps import Operation
from hanok.operations.power import FINISH, SWITCH_ON, settle

KIND = Operation("start_server", 1, (SWITCH_ON, FINISH), settle, deadline=300)
