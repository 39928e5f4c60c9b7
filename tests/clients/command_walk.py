"""A server's whole life by the `openstack` command; returns what it saw."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.clients.command import Command

SECONDS = 90
ZONE = "kr-pub-a"
"""A volume and its server share one."""


def is_up(console: str) -> bool:
    """Tell whether the guest has come to its prompt since its latest boot."""
    latest = console.rpartition("Linux version")[2]
    return "login:" in latest and "Power down" not in latest


class Walk:
    """The walk with one prefix for the names of what it makes."""

    def __init__(self, openstack: Command, prefix: str, folder: Path) -> None:
        self.openstack = openstack
        self.prefix = prefix
        self.folder = folder
        self.seen: dict[str, Any] = {}
        self.on_volume, self.local = f"{prefix}-volume", f"{prefix}-local"

    def make(self) -> None:
        """Make a key pair, a server on a volume, and one on a local disk."""
        key = str(self.folder / "key")
        self.openstack.run("keypair", "create", self.prefix, "--private-key", key)
        usual = (
            *("--image", "hanok-tiny", "--network", "Default-Network", "--wait"),
            *("--key-name", self.prefix, "--availability-zone", ZONE),
        )
        create = ("server", "create", *usual)
        volume = ("--flavor", "m2.c1m2", "--boot-from-volume", "10", self.on_volume)
        made = [
            self.openstack.read(*create, *volume),
            self.openstack.read(*create, "--flavor", "u2.c1m1", self.local),
        ]
        self.seen["created"] = [server["status"] for server in made]

    def power(self) -> None:
        """Stop, start, and reboot both ways; the guest must be up to hear of a shutdown."""
        self._prompt()
        self.openstack.run("server", "stop", self.on_volume)
        self.seen["stopped"] = self._wait("server", self.on_volume, "SHUTOFF")
        self.openstack.run("server", "start", self.on_volume)
        self.seen["started"] = self._wait("server", self.on_volume, "ACTIVE")
        self.openstack.run("server", "reboot", "--hard", "--wait", self.on_volume)
        self._prompt()
        self.openstack.run("server", "reboot", "--soft", "--wait", self.on_volume)
        self._prompt()

    def resize(self) -> None:
        """Make it bigger and confirm."""
        resize = ("server", "resize")
        self.openstack.run(*resize, "--flavor", "m2.c2m4", "--wait", self.on_volume)
        shown = self.openstack.read("server", "show", self.on_volume)
        self.seen["resizing"] = shown["status"]
        self.openstack.run(*resize, "confirm", self.on_volume)
        self._wait("server", self.on_volume, "ACTIVE")
        shown = self.openstack.read("server", "list", "--name", self.on_volume)
        self.seen["resized"] = shown[0]["Flavor"]

    def attach(self) -> None:
        """Attach a volume and detach it."""
        name = f"{self.prefix}-data"
        create = ("volume", "create", "--size", "1", "--availability-zone", ZONE)
        volume_id = self.openstack.read(*create, name)["id"]
        self._wait("volume", name, "available")
        self.openstack.run("server", "add", "volume", self.on_volume, name)
        status = self._wait("volume", name, "in-use")
        listed = self.openstack.read("server", "volume", "list", self.on_volume)
        ours = volume_id in {one["Volume ID"] for one in listed}
        self.seen["attached"] = [status, ours, len(listed)]
        self.openstack.run("server", "remove", "volume", self.on_volume, name)
        self.seen["detached"] = self._wait("volume", name, "available")
        self.openstack.run("volume", "delete", name)

    def image(self) -> None:
        """Make an image of the server."""
        name = f"{self.prefix}-image"
        self.openstack.run("server", "image", "create", "--name", name, "--wait", self.local)
        self.seen["image"] = self._wait("image", name, "active")
        self._wait("server", self.local, "ACTIVE")
        self.openstack.run("image", "delete", name)

    def remove(self) -> None:
        """Delete all of it; the command asks for a root volume that stays."""
        (root,) = self.openstack.read("server", "volume", "list", self.on_volume)
        self.openstack.run("server", "delete", "--wait", self.on_volume, self.local)
        self.openstack.run("volume", "delete", root["Volume ID"])
        self.openstack.run("keypair", "delete", self.prefix)
        self.seen["left"] = len(self.openstack.read("server", "list"))

    def _wait(self, kind: str, name: str, status: str) -> str:
        """Poll until a thing has the status; a server without a task, as scripts look at it."""
        until = time.monotonic() + SECONDS
        while True:
            shown = self.openstack.read(kind, "show", name)
            rests = shown.get("OS-EXT-STS:task_state") is None
            if shown["status"] == status and rests:
                return status
            assert shown["status"] != "ERROR", shown
            assert time.monotonic() < until, shown

    def _prompt(self) -> None:
        """Wait for the prompt of the latest boot."""
        until = time.monotonic() + SECONDS
        while not is_up(self.openstack.run("console", "log", "show", self.on_volume)):
            assert time.monotonic() < until, "there is no prompt"
        self.seen["prompts"] = self.seen.get("prompts", 0) + 1


def walk(openstack: Command, prefix: str, folder: Path) -> dict[str, Any]:
    """Go all the way."""
    one = Walk(openstack, prefix, folder)
    one.make()
    one.power()
    one.resize()
    one.attach()
    one.image()
    one.remove()
    return one.seen
