"""`{"os-getConsoleOutput": {"length": 50}}`: what the guest wrote to its serial console."""

from __future__ import annotations

import base64
import re
from typing import Any

from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerQuestion
from hanok.model.errors import Conflict, Invalid
from hanok.model.server import Server

LARGEST = 100 << 10
"""How many bytes of the console are read, at most (Nova's figure)."""
ALL = -1
"""The `length` that means every line that is kept."""
DEADLINE = 5.0
_INTEGER = re.compile(r"-?[0-9]{1,10}")


def _output(call: Call, server: Server, body: Any) -> Answer:
    """Answer 200 with the last `length` lines, all that is kept when it is not given."""
    length = _length(body)
    if server.host_id is None:
        raise Conflict(f"Instance {server.id} is not ready")
    arguments = {"server_id": server.id, "max_bytes": LARGEST}
    raw = call.region.hosts.query(server.host_id, "compute.console_log", arguments, DEADLINE)
    text = base64.b64decode(raw).decode(errors="replace")
    lines = text.splitlines()
    if length is not None and length >= 0:
        lines = lines[len(lines) - min(length, len(lines)) :]
    return Answer(200, {"output": "\n".join(lines)})


def _length(body: Any) -> int | None:
    """Read how many lines are wanted: an integer or its text; None or -1 means all."""
    length = body.get("length") if isinstance(body, dict) else None
    if length is None:
        return None
    text = str(length)
    if isinstance(length, bool) or not _INTEGER.fullmatch(text) or int(text) < ALL:
        raise Invalid(
            f"Invalid input for field/attribute length. Value: {text[:40]}. It is not an integer "
            f"from {ALL} on."
        )
    return int(text)


QUESTION = ServerQuestion("os-getConsoleOutput", _output)
