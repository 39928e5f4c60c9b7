"""A server's whole life by openstacksdk; run by the clients' own Python, it prints what it saw."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import openstack

SECONDS = 90
LOOK = 0.2
ZONE = "kr-pub-a"
"""A volume and its server share one."""


def is_up(console: str) -> bool:
    """Tell whether the guest has come to its prompt since its latest boot."""
    latest = console.rpartition("Linux version")[2]
    return "login:" in latest and "Power down" not in latest


class Walk:
    """The walk with one prefix for the names of what it makes."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.cloud: Any = openstack.connect()
        self.compute = self.cloud.compute
        self.seen: dict[str, Any] = {}

    def make(self) -> tuple[Any, Any]:
        """Make a key pair, a server on a volume, and one on a local disk."""
        self.compute.create_keypair(name=self.prefix)
        on_volume = self.cloud.create_server(
            f"{self.prefix}-volume",
            image="hanok-tiny",
            flavor="m2.c1m2",
            network="Default-Network",
            key_name=self.prefix,
            availability_zone=ZONE,
            boot_from_volume=True,
            volume_size=10,
            terminate_volume=True,
            auto_ip=False,
            wait=True,
            timeout=SECONDS,
        )
        local = self.cloud.create_server(
            f"{self.prefix}-local",
            image="hanok-tiny",
            flavor="u2.c1m1",
            network="Default-Network",
            key_name=self.prefix,
            availability_zone=ZONE,
            auto_ip=False,
            wait=True,
            timeout=SECONDS,
        )
        self.seen["created"] = [on_volume.status, local.status]
        return on_volume, local

    def power(self, server: Any) -> None:
        """Stop, start, and reboot both ways; the guest must be up to hear of a shutdown."""
        self._prompt(server)
        self.compute.stop_server(server)
        self.seen["stopped"] = self._wait(server, "SHUTOFF")
        self.compute.start_server(server)
        self.seen["started"] = self._wait(server, "ACTIVE")
        self.compute.reboot_server(server, "HARD")
        self._wait(server, "ACTIVE")
        self._prompt(server)
        self.compute.reboot_server(server, "SOFT")
        self._wait(server, "ACTIVE")
        self._prompt(server)

    def resize(self, server: Any) -> None:
        """Make it bigger and confirm."""
        self.compute.resize_server(server, self.compute.find_flavor("m2.c2m4").id)
        self.seen["resizing"] = self._wait(server, "VERIFY_RESIZE")
        self.compute.confirm_server_resize(server)
        self._wait(server, "ACTIVE")
        flavor = self.compute.get_server(server.id).flavor
        self.seen["resized"] = self.compute.get_flavor(flavor["id"]).name

    def attach(self, server: Any) -> None:
        """Attach a volume and detach it."""
        storage = self.cloud.block_storage
        volume = storage.create_volume(name=f"{self.prefix}-data", size=1, availability_zone=ZONE)
        volume = storage.wait_for_status(volume, "available", interval=LOOK, wait=SECONDS)
        self.compute.create_volume_attachment(server, volume_id=volume.id)
        volume = storage.wait_for_status(volume, "in-use", interval=LOOK, wait=SECONDS)
        listed = [one.id for one in self.compute.volume_attachments(server)]
        self.seen["attached"] = [volume.status, volume.id in listed, len(listed)]
        self.compute.delete_volume_attachment(server, volume)
        volume = storage.wait_for_status(volume, "available", interval=LOOK, wait=SECONDS)
        self.seen["detached"] = volume.status
        storage.delete_volume(volume)
        storage.wait_for_delete(volume, interval=LOOK, wait=SECONDS)

    def image(self, server: Any) -> None:
        """Make an image of the server."""
        image = self.compute.create_server_image(
            server, f"{self.prefix}-image", wait=True, timeout=SECONDS
        )
        self.seen["image"] = image.status
        self._wait(server, "ACTIVE")
        self.cloud.image.delete_image(image)

    def remove(self, *found: Any) -> None:
        """Delete all of it."""
        for server in found:
            self.compute.delete_server(server)
        for server in found:
            self.compute.wait_for_delete(server, interval=LOOK, wait=SECONDS)
        self.compute.delete_keypair(self.prefix)
        self.seen["left"] = len(list(self.compute.servers()))

    def _wait(self, server: Any, status: str) -> str:
        # It takes the status of what it is given for the present one.
        now = self.compute.get_server(server.id)
        found = self.compute.wait_for_server(
            now, status, failures=["ERROR"], interval=LOOK, wait=SECONDS
        )
        return str(found.status)

    def _prompt(self, server: Any) -> None:
        """Wait for the prompt of the latest boot."""
        until = time.monotonic() + SECONDS
        while not is_up(self.compute.get_server_console_output(server)["output"]):
            assert time.monotonic() < until, "there is no prompt"
            time.sleep(LOOK)
        self.seen["prompts"] = self.seen.get("prompts", 0) + 1


def main() -> None:
    """Go all the way and print one JSON object."""
    walk = Walk(sys.argv[1])
    on_volume, local = walk.make()
    walk.power(on_volume)
    walk.resize(on_volume)
    walk.attach(on_volume)
    walk.image(local)
    walk.remove(on_volume, local)
    print(json.dumps(walk.seen))  # noqa: T201 - it is the answer


if __name__ == "__main__":
    main()
