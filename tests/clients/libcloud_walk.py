"""A server's whole life by apache-libcloud; run by the clients' own Python, it prints what it saw.

It logs in by v2.0 with openrc's settings. Its driver is that of 2.2: the older one looks for
networks and volumes behind compute, where neither NHN Cloud nor today's Nova has them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

SECONDS = 90
LOOK = 0.2
ZONE = "kr-pub-a"
"""A volume and its server share one."""
STATUS = {"active": "ACTIVE", "stopped": "SHUTOFF", "resized": "VERIFY_RESIZE"}
"""What Nova calls the states in which a server rests."""


def log_in() -> Any:
    """Make the driver from openrc's settings."""
    address = urlsplit(os.environ["OS_AUTH_URL"])
    return get_driver(Provider.OPENSTACK)(
        os.environ["OS_USERNAME"],
        os.environ["OS_PASSWORD"],
        ex_force_auth_url=f"{address.scheme}://{address.netloc}",
        ex_force_auth_version="2.0_password",
        api_version="2.2",
        ex_tenant_name=os.environ["OS_TENANT_NAME"],
        ex_force_service_region=os.environ["OS_REGION_NAME"],
    )


def poll(look: Callable[[], Any]) -> Any:
    """Call until it returns something true, and return that."""
    until = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < until, "it takes too long"
        time.sleep(LOOK)
    return found


def is_up(console: str) -> bool:
    """Tell whether the guest has come to its prompt since its latest boot."""
    latest = console.rpartition("Linux version")[2]
    return "login:" in latest and "Power down" not in latest


class Walk:
    """The walk with one prefix for the names of what it makes."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.cloud = log_in()
        self.seen: dict[str, Any] = {}
        self.sizes = {size.name: size for size in self.cloud.list_sizes()}
        (self.tiny,) = [one for one in self.cloud.list_images() if one.name == "hanok-tiny"]

    def make(self) -> tuple[Any, Any]:
        """Make a key pair, a server on a volume, and one on a local disk."""
        pair = self.cloud.create_key_pair(self.prefix)
        assert "PRIVATE KEY" in pair.private_key
        usual = {
            "networks": self.cloud.ex_list_networks(),
            "ex_keyname": self.prefix,
            "ex_availability_zone": ZONE,
        }
        disk = {
            "source_type": "image",
            "uuid": self.tiny.id,
            "boot_index": 0,
            "destination_type": "volume",
            "volume_size": 10,
            "delete_on_termination": True,
        }
        on_volume = self.cloud.create_node(
            name=f"{self.prefix}-volume",
            size=self.sizes["m2.c1m2"],
            ex_blockdevicemappings=[disk],
            **usual,
        )
        local = self.cloud.create_node(
            name=f"{self.prefix}-local", size=self.sizes["u2.c1m1"], image=self.tiny, **usual
        )
        running = self.cloud.wait_until_running(
            [on_volume, local], wait_period=LOOK, timeout=SECONDS, ssh_interface="private_ips"
        )
        assert {len(addresses) for _, addresses in running} == {1}
        self.seen["created"] = [self._status(on_volume), self._status(local)]
        return on_volume, local

    def power(self, node: Any) -> None:
        """Stop, start, and reboot both ways; the guest must be up to hear of a shutdown."""
        self._prompt(node)
        assert self.cloud.stop_node(node)
        self.seen["stopped"] = self._wait(node, "SHUTOFF")
        assert self.cloud.ex_get_node_details(node.id).state == NodeState.STOPPED
        assert self.cloud.start_node(node)
        self.seen["started"] = self._wait(node, "ACTIVE")
        assert self.cloud.ex_hard_reboot_node(node)
        self._wait(node, "ACTIVE")
        self._prompt(node)
        assert self.cloud.ex_soft_reboot_node(node)
        self._wait(node, "ACTIVE")
        self._prompt(node)

    def resize(self, node: Any) -> None:
        """Make it bigger and confirm."""
        assert self.cloud.ex_resize(node, self.sizes["m2.c2m4"])
        self.seen["resizing"] = self._wait(node, "VERIFY_RESIZE")
        assert self.cloud.ex_confirm_resize(node)
        self._wait(node, "ACTIVE")
        flavor = self.cloud.ex_get_node_details(node.id).extra["flavorId"]
        self.seen["resized"] = self.cloud.ex_get_size(flavor).name

    def attach(self, node: Any) -> None:
        """Attach a volume and detach it."""
        made = self.cloud.create_volume(1, f"{self.prefix}-data", location=ZONE)
        self._volume(made, "available")
        assert self.cloud.attach_volume(node, made)
        volume = self._volume(made, "in-use")
        listed = self.cloud.ex_get_node_details(node.id).extra["volumes_attached"]
        ours = {"id": made.id} in listed
        self.seen["attached"] = [volume.extra["state"], ours, len(listed)]
        assert self.cloud.detach_volume(volume)
        volume = self._volume(made, "available")
        self.seen["detached"] = volume.extra["state"]
        assert self.cloud.destroy_volume(volume)
        poll(lambda: all(one.id != made.id for one in self.cloud.list_volumes()))

    def image(self, node: Any) -> None:
        """Make an image of the server."""
        made = self.cloud.create_image(node, f"{self.prefix}-image")
        self.seen["image"] = poll(lambda: self._image_ready(made.id))
        self._wait(node, "ACTIVE")
        assert self.cloud.delete_image(made)

    def remove(self, *nodes: Any) -> None:
        """Delete all of it."""
        for node in nodes:
            assert self.cloud.destroy_node(node)
        poll(lambda: not self.cloud.list_nodes())
        assert self.cloud.delete_key_pair(self.cloud.get_key_pair(self.prefix))
        self.seen["left"] = len(self.cloud.list_nodes())

    def _status(self, node: Any) -> str:
        shown = self.cloud.ex_get_node_details(node.id).extra
        assert shown["vm_state"] != "error", shown["fault"]
        return "" if shown["task_state"] else STATUS.get(shown["vm_state"], "")

    def _wait(self, node: Any, status: str) -> str:
        poll(lambda: self._status(node) == status)
        return status

    def _volume(self, volume: Any, status: str) -> Any:
        poll(lambda: self.cloud.ex_get_volume(volume.id).extra["state"] == status)
        return self.cloud.ex_get_volume(volume.id)

    def _image_ready(self, image_id: str) -> str:
        status = str(self.cloud.get_image(image_id).extra["status"])
        return status if status not in {"queued", "saving"} else ""

    def _prompt(self, node: Any) -> None:
        """Wait for the prompt of the latest boot."""
        poll(lambda: is_up(self.cloud.ex_get_console_output(node)["output"]))
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
