"""A shell in a guest: SSH from inside the server's own network."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cloud import poll

LOGIN_SECONDS = 60.0
COMMAND_SECONDS = 15.0
OPTIONS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "ConnectTimeout=2",
    "LogLevel=ERROR",
)


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands as root in the guest at an address; `key` is the private key's file."""

    namespace: str
    address: str
    key: Path

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command once, whatever becomes of it."""
        options = [part for option in OPTIONS for part in ("-o", option)]
        try:
            return subprocess.run(
                [
                    *("ip", "netns", "exec", self.namespace, "ssh", "-F", "/dev/null"),
                    *("-i", str(self.key), *options, f"root@{self.address}", command),
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            return subprocess.CompletedProcess(error.cmd, 255, "", f"no answer: {error}")

    def say(self, command: str) -> str:
        """Return what a command that must succeed prints."""
        done = self.run(command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def await_(self, command: str, seconds: float = LOGIN_SECONDS) -> str:
        """Repeat a command until it succeeds (the guest may still boot); return its output."""
        last = ""

        def look() -> list[str] | None:
            nonlocal last
            done = self.run(command)
            last = done.stderr or done.stdout
            return [done.stdout.strip()] if done.returncode == 0 else None

        try:
            found: list[str] = poll(look, f"`{command}` has not succeeded", seconds)
        except AssertionError as error:
            error.add_note(f"it said last: {last}")
            raise
        return found[0]
