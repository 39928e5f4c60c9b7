"""A program: log in by SSH as soon as that can be done, then end.

ip netns exec NAMESPACE python -m bench.ssh_probe ADDRESS KEY SECONDS
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time

_PORT = 22
_ANSWER_SECONDS = 0.25
_PAUSE = 0.02
_OPTIONS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "ConnectTimeout=2",
    "LogLevel=ERROR",
)


def is_open(address: str) -> bool:
    """Tell whether the guest takes connections."""
    try:
        socket.create_connection((address, _PORT), _ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


def log_in(address: str, key: str) -> bool:
    """Run a command in the guest; tell whether it could be."""
    options = [word for option in _OPTIONS for word in ("-o", option)]
    command = ["ssh", "-F", "/dev/null", "-i", key, *options, f"root@{address}", "true"]
    return subprocess.run(command, timeout=30, check=False).returncode == 0


def main(address: str, key: str, seconds: float) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_open(address) and log_in(address, key):
            return 0
        time.sleep(_PAUSE)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
