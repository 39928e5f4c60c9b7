"""Reboot a server: SOFT as a guest does it, HARD as a power switch does."""

from __future__ import annotations

from hanok.engine.steps import Operation
from hanok.operations.power import CUT, FINISH, SHUT_DOWN, SWITCH_ON, settle

SOFT = Operation("reboot_server", 1, (*SHUT_DOWN, SWITCH_ON, FINISH), settle, deadline=300)
HARD = Operation("hard_reboot_server", 1, (CUT, SWITCH_ON, FINISH), settle, deadline=300)
