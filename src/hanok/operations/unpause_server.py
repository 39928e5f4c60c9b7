"""Let a paused server go on."""

from __future__ import annotations

from hanok.operations.power import one_call

KIND = one_call("unpause_server", "compute.unpause", timeout=30)
