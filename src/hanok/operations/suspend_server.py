"""Suspend a server: its memory goes to disk, its host's is free."""

from __future__ import annotations

from hanok.operations.power import one_call

KIND = one_call("suspend_server", "compute.suspend", timeout=120)
