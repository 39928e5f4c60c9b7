"""The demo's own region: `hanok up` as a child process, with its defaults, in a directory apart."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from scripts.demo_show import DemoError

HANOK = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "hanok"
READY_SECONDS = 300
"""A start builds the tiny image where it is not cached."""
JOIN_SECONDS = 90
STOP_SECONDS = 5.0


class RegionProcess:
    """Runs `hanok up` on a state directory and reads what it says."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._lines: list[str] = []
        self._heard = threading.Condition()
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and running else None

    def start(self) -> None:
        """Start the process; it stays when the terminal sends Ctrl-C, so the demo can ask it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HANOK_")}
        self._process = subprocess.Popen(
            [str(HANOK), "up", "--state", str(self.state), "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ours,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            with self._heard:
                self._lines.append(line.rstrip())
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()

    def wait_ready(self) -> None:
        """Wait until it serves; raises DemoError."""
        self._wait(r"hanok: ready http", READY_SECONDS, "`hanok up` is not ready")
        for line in self._lines:
            if line.startswith("hanok: driver simulated"):
                raise DemoError(f"The demo needs a real guest, but {line.removeprefix('hanok: ')}.")

    def wait_host(self) -> str:
        """Wait until its host joined; return what it says of it. Raises DemoError."""
        line = self._wait(
            r"host \S+ joined: |cannot join: ", JOIN_SECONDS, "this machine has not joined"
        )
        if "cannot join" in line:
            raise DemoError(line.removeprefix("hanok: "))
        return line.split(" joined: ", 1)[1]

    def _wait(self, pattern: str, seconds: float, otherwise: str) -> str:
        """Return the first line that has the pattern; raises DemoError, which says `otherwise`."""
        deadline = time.monotonic() + seconds
        with self._heard:
            while True:
                for line in self._lines:
                    if re.search(pattern, line):
                        return line
                self.check()
                left = deadline - time.monotonic()
                if left <= 0:
                    raise DemoError(f"After {seconds} s {otherwise}: {self.last()}")
                self._heard.wait(min(left, 0.5))

    def check(self) -> None:
        """Raise DemoError when the process has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise DemoError(f"`hanok up` ended with {self._process.returncode}: {self.last()}")

    def last(self) -> str:
        """What it said last."""
        return " / ".join(self._lines[-5:]) or "it said nothing"

    def stop(self) -> float:
        """Send SIGTERM and return the seconds until it ended; raises DemoError after 5 s."""
        process = self._process
        if process is None:
            return 0.0
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise DemoError(f"`hanok up` did not end within {STOP_SECONDS} s.") from error
        if code != 0:
            raise DemoError(f"`hanok up` ended with {code} after SIGTERM: {self.last()}")
        return time.monotonic() - began

    def kill(self) -> None:
        """End the process at once, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
