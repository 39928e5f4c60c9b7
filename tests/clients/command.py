"""The `openstack` command with one way to log in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.environment import clean

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Command:
    """The program and the settings in its environment."""

    path: Path
    environment: Mapping[str, str]

    def run(self, *words: str) -> str:
        """Run it; return what it prints. Fails the test where it fails."""
        done = self._run(words)
        assert done.returncode == 0, f"openstack {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def read(self, *words: str) -> Any:
        """Run it and return its JSON."""
        return json.loads(self.run(*words, "-f", "json"))

    def refused(self, *words: str) -> str:
        """Run what must fail; return what it says."""
        done = self._run(words)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def _run(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.path), *words],
            env={**clean(), **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
