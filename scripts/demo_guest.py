"""The guest as the demo meets it: over SSH, from inside its own network."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from scripts.demo_show import DemoError

COMMAND_SECONDS = 30
SSH_OPTIONS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "ConnectTimeout=3",
    "LogLevel=ERROR",
)


class Guest:
    """Runs commands in a guest. `check` raises when there is nothing left to wait for."""

    def __init__(self, namespace: str, key: Path, login: str, check: Callable[[], None]) -> None:
        options = [part for option in SSH_OPTIONS for part in ("-o", option)]
        inside = ["ip", "netns", "exec", namespace]
        self._command = [*inside, "ssh", "-F", "/dev/null", "-i", str(key), *options, login]
        self._check = check

    def wait(self, remote: str, seconds: float) -> None:
        """Repeat a command until it succeeds; raises DemoError."""
        deadline = time.monotonic() + seconds
        while True:
            done = self._run(remote)
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                said = done.stderr.strip() or f"status {done.returncode}"
                raise DemoError(f"The guest did not do `{remote}` in {seconds:.0f} s: {said}")
            self._check()
            time.sleep(0.1)

    def ask(self, remote: str) -> list[str]:
        """Return the lines that a command prints; raises DemoError where it fails."""
        done = self._run(remote)
        if done.returncode != 0:
            raise DemoError(f"`{remote}` in the guest failed: {done.stderr.strip()}")
        return done.stdout.rstrip().splitlines()

    def number(self, remote: str) -> float:
        """Return the number that a command prints; raises DemoError where it prints none."""
        said = " ".join(self.ask(remote))
        try:
            return float(said)
        except ValueError as error:
            raise DemoError(f"`{remote}` in the guest gave no number but {said!r}.") from error

    def _run(self, remote: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [*self._command, remote],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=COMMAND_SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            said = f"no answer within {COMMAND_SECONDS} s"
            return subprocess.CompletedProcess(self._command, 255, "", said)
