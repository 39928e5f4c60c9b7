"""The programs that are measured, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.load import Address

ROOT = Path(__file__).resolve().parents[1]
_READY_SECONDS = 120.0
_STOP_SECONDS = 10.0
_PORT = re.compile(r"ready http://127\.0\.0\.1:(\d+)")


class ChildError(Exception):
    """A program ended, or was not ready in time; the text has what it said last."""


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, in all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Child:
    """A program of Python's that says `ready http://127.0.0.1:PORT`; ends with the block."""

    def __init__(self, *arguments: str, log: Path) -> None:
        self._arguments = [sys.executable, *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.ready_seconds = 0.0
        self.address: Address = ("127.0.0.1", 0)

    def __enter__(self) -> Self:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HANOK_", "OS_"))}
        began = time.perf_counter()
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=kept,
            )
        try:
            port = self.wait_for(_PORT, _READY_SECONDS)
        except BaseException:
            self._stop()
            raise
        self.ready_seconds = time.perf_counter() - began
        self.address = ("127.0.0.1", int(port.group(1)))
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def wait_for(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        """Wait until the program has said something; raises ChildError."""
        assert self._process is not None
        until = time.monotonic() + seconds
        while True:
            said = self._log.read_text(errors="replace")
            found = pattern.search(said)
            if found:
                return found
            ended = self._process.poll()
            if ended is not None or time.monotonic() > until:
                raise ChildError(f"{self._arguments} (status {ended}) said: {said[-2000:]}")
            time.sleep(0.002)

    def memory_mib(self) -> tuple[float, float]:
        """Return the resident and the proportional set size (RSS and PSS) in MiB."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        sizes = {name: int(kib) / 1024 for name, kib in re.findall(r"(\w+): +(\d+) kB", text)}
        return sizes["Rss"], sizes["Pss"]

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used."""
        return cpu_seconds(self.pid)

    def _stop(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)


def region(state: Path, driver: str = "simulated") -> Child:
    """Return a region's process, `hanok up` on `state`, with all its logs and metrics."""
    arguments = ["-m", "hanok", "up", "--driver", driver, "--state", str(state), "--port", "0"]
    return Child(*arguments, log=state.with_name(f"{state.name}.out"))


def empty_server(folder: Path, name: str, template: str, body: bytes, status: int = 200) -> Child:
    """Return a server whose one handler answers `template` with `body` and does nothing else."""
    file = folder / f"{name}.body"
    file.write_bytes(body)
    arguments = ["-m", "bench.empty_server", template, str(file), str(status)]
    return Child(*arguments, log=folder / f"{name}.out")
