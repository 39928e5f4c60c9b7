"""A program of openstacksdk's users: run by the clients' own Python, it prints what it saw.

Its settings come from the environment (OS_CLOUD and OS_CLIENT_CONFIG_FILE, or openrc's).
"""

from __future__ import annotations

import json
from typing import Any

import openstack


def look(cloud: Any) -> dict[str, Any]:
    """Read what there is before any server."""
    return {
        "flavors": sorted(flavor.name for flavor in cloud.compute.flavors()),
        "images": [(image.name, image.status) for image in cloud.image.images()],
        "networks": [network.name for network in cloud.network.networks()],
        "zones": sorted(zone.name for zone in cloud.compute.availability_zones()),
        "limits": cloud.compute.get_limits().absolute.instances,
    }


def make(cloud: Any) -> dict[str, Any]:
    """Make a server on a volume by the cloud layer, and one on a local disk by the compute API."""
    pair = cloud.compute.create_keypair(name="sdk")
    rule = _make_rule(cloud)
    on_volume = cloud.create_server(
        "sdk-volume",
        image="hanok-tiny",
        flavor="m2.c1m2",
        network="Default-Network",
        key_name="sdk",
        boot_from_volume=True,
        volume_size=10,
        terminate_volume=True,
        auto_ip=False,
        wait=True,
        timeout=60,
    )
    local = cloud.compute.create_server(
        name="sdk-local",
        image_id=cloud.image.find_image("hanok-tiny").id,
        flavor_id=cloud.compute.find_flavor("u2.c1m1").id,
        networks=[{"uuid": cloud.network.find_network("Default-Network").id}],
        key_name="sdk",
        metadata={"made": "by the SDK"},
    )
    local = cloud.compute.wait_for_server(local, wait=60, interval=0.2)
    seen = {
        "private_key": pair.private_key.splitlines()[0],
        "rule": rule.port_range_min,
        "on_volume": (on_volume.status, len(on_volume.attached_volumes)),
        "local": (local.status, local.metadata["made"], len(local.attached_volumes)),
        "address": on_volume.private_v4,
        "listed": sorted(server.name for server in cloud.compute.servers()),
        "volumes": [(one.size, one.status) for one in cloud.block_storage.volumes()],
        "console": cloud.compute.get_server_console_output(local)["output"].split()[-1],
    }
    cloud.network.delete_security_group_rule(rule)
    return seen


def _make_rule(cloud: Any) -> Any:
    return cloud.network.create_security_group_rule(
        security_group_id=cloud.network.find_security_group("default").id,
        direction="ingress",
        ether_type="IPv4",
        protocol="tcp",
        port_range_min=443,
        port_range_max=443,
    )


def remove(cloud: Any) -> dict[str, Any]:
    """Delete both."""
    for server in list(cloud.compute.servers()):
        cloud.compute.delete_server(server)
        cloud.compute.wait_for_delete(server, interval=0.2, wait=60)
    cloud.compute.delete_keypair("sdk")
    return {
        "servers": len(list(cloud.compute.servers())),
        "volumes": len(list(cloud.block_storage.volumes())),
        "keys": len(list(cloud.compute.keypairs())),
    }


def main() -> None:
    """Go through all of it and print one JSON object."""
    cloud = openstack.connect()
    seen = {"look": look(cloud), "make": make(cloud), "remove": remove(cloud)}
    print(json.dumps(seen))  # noqa: T201 - it is the answer


if __name__ == "__main__":
    main()
