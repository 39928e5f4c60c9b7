"""What the demo does with its running server, each effect seen inside the guest."""

from __future__ import annotations

import time
from dataclasses import dataclass

from scripts.demo_api import EXTRA_GB, Choice, Cloud, Server
from scripts.demo_guest import Guest
from scripts.demo_show import DemoError, Progress

STATUS_SECONDS = 120.0
BOOT_SECONDS = 180.0
SEEN_SECONDS = 30.0
UPTIME = "cut -d ' ' -f 1 /proc/uptime"
MEMORY = "free -m | awk '/^Mem:/ { print $2 }'"
CLOCK_SECONDS = 1.0
"""How much a guest's clock may be ahead, whose processor is emulated."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a guest has, as itself says: nproc, and the total of free in MiB."""

    processors: float
    mib: float

    def told(self) -> str:
        """Write it in words."""
        return f"{self.processors:.0f} CPU and {self.mib:.0f} MiB"


class Life:
    """Takes one server through a volume, a stop, a start and a resize."""

    def __init__(
        self,
        cloud: Cloud,
        server: Server,
        guest: Guest,
        progress: Progress,
    ) -> None:
        self._cloud = cloud
        self._server = server
        self._guest = guest
        self._progress = progress

    def attach(self, choice: Choice) -> tuple[str, str]:
        """Attach a new volume; return its id and what the guest says of it. Raises DemoError."""
        cloud, server = self._cloud, self._server
        with self._progress.step("make a volume") as step:
            volume_id = cloud.create_volume(choice.zone)
            cloud.wait_volume(volume_id, "available", STATUS_SECONDS)
            step.found = f"{volume_id}, {EXTRA_GB} GB"
        with self._progress.step("attach it to the running server") as step:
            device = cloud.attach(server.id, volume_id)
            cloud.wait_volume(volume_id, "in-use", STATUS_SECONDS)
            step.found = device
        with self._progress.step("the guest sees it") as step:
            self._guest.wait(f"test -b {device}", SEEN_SECONDS)
            step.found = seen = self._see_volume(device)
        return volume_id, seen

    def _see_volume(self, device: str) -> str:
        """Return what the guest's lsblk says of a disk; raises DemoError for a wrong size."""
        said = " ".join(self._guest.ask(f"lsblk -dno NAME,SIZE,TYPE {device}"))
        if said.split() != [device.removeprefix("/dev/"), f"{EXTRA_GB}G", "disk"]:
            raise DemoError(f"lsblk shows no {device} of {EXTRA_GB}G, but {said!r}.")
        return f"lsblk: {said}"

    def stop_and_start(self) -> str:
        """Stop the server and start it; return both uptimes. Raises DemoError."""
        before = self._guest.number(UPTIME)
        with self._progress.step("stop: the guest shuts down, the server is SHUTOFF"):
            self._act({"os-stop": None}, "SHUTOFF")
        began = time.monotonic()
        with self._progress.step("start: it is ACTIVE again"):
            self._act({"os-start": None}, "ACTIVE")
        with self._progress.step("SSH: its uptime begins anew") as step:
            self._guest.wait("true", BOOT_SECONDS)
            after = self._guest.number(UPTIME)
            if after > time.monotonic() - began + CLOCK_SECONDS:
                raise DemoError(f"The guest has been up for {after:.0f} s: it was not stopped.")
            step.found = f"{after:.1f} s, it was {before:.1f} s"
        return f"uptime {before:.1f} s before, {after:.1f} s after"

    def resize(self, choice: Choice) -> str:
        """Give the server the larger flavor; return both sizes. Raises DemoError."""
        old, new = choice.flavor, choice.larger
        before = self._size()
        with self._progress.step(f"resize from {old['name']} to {new['name']}: VERIFY_RESIZE"):
            self._act({"resize": {"flavorRef": new["id"]}}, "VERIFY_RESIZE")
        with self._progress.step("SSH: it has more processors and memory") as step:
            self._guest.wait("true", BOOT_SECONDS)
            after = self._size()
            step.found = told = f"{before.told()} before, {after.told()} after"
            # The kernel keeps a share of the memory for itself.
            memory = 0.9 * (new["ram"] - old["ram"])
            if after.processors != new["vcpus"] or after.mib - before.mib < memory:
                raise DemoError(f"The guest does not have what {new['name']} has: {told}.")
        with self._progress.step("confirm the resize: ACTIVE"):
            self._act({"confirmResize": None}, "ACTIVE")
        return told

    def _size(self) -> Size:
        return Size(self._guest.number("nproc"), self._guest.number(MEMORY))

    def _act(self, action: dict[str, object], status: str) -> None:
        """Have an action done and wait for the status it ends in; raises DemoError."""
        self._cloud.act(self._server.id, action)
        self._cloud.wait_status(self._server.id, status, STATUS_SECONDS)
