"""Runs a case in a forked child that kills itself: a real SIGKILL, without an interpreter's start.

Reads one JSON line for each run from standard input: {case, folder, subject, fail, kill};
fail and kill are patterns of points. Answers one line,
{server, signal, reached}, when the child is dead or has ended. The zygote itself opens nothing and
has one thread, so that forking it is safe.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from hanok.model.errors import HostError
from hanok.telemetry import logs
from tests.operations.cases import BY_NAME
from tests.operations.world import World


def child(order: dict[str, str], out: int) -> None:
    """Open the world, start the operation, and die at the point `kill`."""
    reached = os.open(Path(order["folder"]) / "reached", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def at(point: str) -> None:
        os.write(reached, f"{point}\n".encode())
        if fnmatchcase(point, order["kill"]):
            os.kill(os.getpid(), signal.SIGKILL)
        if fnmatchcase(point, order["fail"]):
            raise HostError("told to fail", permanent=True)

    case = BY_NAME[order["case"]]
    folder = Path(order["folder"])
    world = World(f"sqlite:///{folder / 'region.db'}", folder).open()
    subject = order["subject"]
    # The engine starts only when the submission is there, so that every point is reached in order.
    subject = case.submit(world, subject)
    os.write(out, f"{subject}\n".encode())
    world.failpoints.listen(at)
    world.start()
    world.settle()
    os._exit(0)


def main() -> None:
    logs.configure(None)  # standard output is for answers
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                child(order, writer)
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            server = pipe.readline().strip()
        _, status = os.waitpid(pid, 0)
        died = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        points = (Path(order["folder"]) / "reached").read_text().split()
        answer = {"server": server, "signal": died, "reached": points}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
