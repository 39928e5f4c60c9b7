"""Pause a server: its memory stays, its CPUs stop."""

from __future__ import annotations

from hanok.operations.power import one_call

KIND = one_call("pause_server", "compute.pause", timeout=30)
