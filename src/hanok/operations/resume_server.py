"""Resume a suspended server: its memory comes back from disk."""

from __future__ import annotations

from hanok.operations.power import one_call

KIND = one_call("resume_server", "compute.start", timeout=120)
