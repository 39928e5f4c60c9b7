"""A region as its operators run it: `hanok up` in a process that can be killed and started anew.

    with region("libvirt") as running:
        cloud = running.cloud()
        cloud.create("one", "m2.c1m2")
        running.kill()
        running.start()

Whatever happens in the block, nothing of the region is left on the machine after it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.demo_host import Deployment
from tests.e2e.cloud import Account, Cloud

HANOK = Path(sys.executable).with_name("hanok")
READY_SECONDS = 60
JOIN_SECONDS = 60
STOP_SECONDS = 5.0
"""How long the end may take after SIGTERM, whatever hangs."""


class Region:
    """A state directory and the process on it, when one runs.

    `said` is what the present process printed. The address changes with each start.
    """

    def __init__(self, state: Path, driver: str, options: tuple[str, ...]) -> None:
        self.state = state
        self.driver = driver
        self.options = options
        self.said: list[str] = []
        self._heard = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._clouds: list[Cloud] = []

    # -- the process -----------------------------------------------------------------------------

    def launch(self) -> None:
        """Start the process and do not wait; it dies with this one, however that ends."""
        assert self.pid is None, "it runs already"
        self.said = []
        self._forget_clouds()
        command = [
            *("setpriv", "--pdeathsig", "KILL", str(HANOK), "up", "--driver", self.driver),
            *("--state", str(self.state), "--port", "0", *self.options),
        ]
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OS_", "HANOK_")) or name == "HANOK_CACHE"
        }
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def start(self) -> None:
        """Start the process; return when it serves and its hosts have joined."""
        self.launch()
        regions = max(1, self.options.count("--region"))
        self.wait_for(r"^hanok: ready ", READY_SECONDS)
        self.wait_for(r" host \S+ joined: ", JOIN_SECONDS, times=regions)

    def kill(self) -> None:
        """End it by SIGKILL, in whatever it does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._gone()

    def terminate(self) -> tuple[int, float]:
        """End it by SIGTERM; return its exit code and the seconds that it took.

        Raises subprocess.TimeoutExpired after STOP_SECONDS.
        """
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        code = self._process.wait(STOP_SECONDS)
        seconds = time.monotonic() - began
        self._gone()
        return code, seconds

    def send(self, number: signal.Signals) -> None:
        """Send it a signal and do not wait."""
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and running else None

    def wait_for(self, pattern: str, seconds: float, *, times: int = 1) -> str:
        """Wait until it has said the pattern so many times; return the last of these lines."""
        deadline = time.monotonic() + seconds
        with self._heard:
            while True:
                found = [line for line in self.said if re.search(pattern, line)]
                if len(found) >= times:
                    return found[-1]
                left = deadline - time.monotonic()
                assert self.pid is not None, f"hanok up ended: {self.said}"
                lost = [line for line in self.said if "cannot join" in line or "Error:" in line]
                assert not lost, self.said
                assert left > 0, f"no {pattern!r} within {seconds} s: {self.said}"
                self._heard.wait(min(left, 0.2))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._heard:
                self.said.append(line.rstrip())
                self._heard.notify_all()

    def _gone(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        if self._reader is not None:
            self._reader.join(STOP_SECONDS)
        self._process.stdout.close()

    def _forget_clouds(self) -> None:
        while self._clouds:
            self._clouds.pop().close()

    # -- ways in ---------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it serves."""
        return self.wait_for(r"^hanok: ready ", 0.01).split()[-1]

    def account(self, name: str = "member") -> Account:
        """The first start's `member` or `admin`, as the state directory has it."""
        known = json.loads((self.state / "credentials.json").read_text())[name]
        return Account(
            self.url, known["username"], known["password"], known["project_id"], self.regions[0]
        )

    def cloud(self, account: Account | None = None) -> Cloud:
        """Log an account (the member) in at the running process; closed before the next starts."""
        cloud = Cloud(account or self.account())
        self._clouds.append(cloud)
        cloud.log_in()
        return cloud

    # -- what it has on the machine --------------------------------------------------------------

    @property
    def regions(self) -> tuple[str, ...]:
        """The names of its regions, as clients write them."""
        named = [
            value
            for option, value in zip(self.options, self.options[1:], strict=False)
            if option == "--region"
        ]
        return tuple(named) or ("KR1",)

    def folder(self, region: str | None = None) -> Path:
        """The folder of one of its regions."""
        return self.state / "regions" / (region or self.regions[0]).lower()

    @property
    def log(self) -> str:
        """What all its processes logged."""
        path = self.state / "hanok.log"
        return path.read_text() if path.exists() else ""

    def deployment(self) -> Deployment:
        """Its things on the machine, seen without Hanok (driver libvirt, SQLite)."""
        found = Deployment.of(self.state)
        assert found is not None, "the region has not chosen its id yet"
        return found

    def remove(self) -> None:
        """End the process and take away all that it has, without Hanok."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._forget_clouds()
        found = Deployment.of(self.state) if self.driver == "libvirt" else None
        if found is not None:
            found.remove(libvirt=True)
            for log in found.logs():
                Path(log).unlink(missing_ok=True)


@contextmanager
def region(driver: str, *options: str, start: bool = True) -> Iterator[Region]:
    """Run a region on a state directory of its own, which QEMU's user can pass, for the block."""
    folder = Path(tempfile.mkdtemp(prefix="hanok-e2e-", dir="/var/tmp"))
    folder.chmod(0o711)
    running = Region(folder / "state", driver, options)
    try:
        if start:
            running.start()
        yield running
    finally:
        running.remove()
        shutil.rmtree(folder)
