"""The config drive: what a guest is told at boot, as OpenStack's guests expect it.

Pure functions from facts to bytes. The files and their fields are those of Nova's config drive
(`nova.api.metadata.base`, `nova.virt.netutils`); their readers are cloud-init's ConfigDrive data
source, cloudbase-init and the tiny guest image.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LABEL = "config-2"
"""The volume label by which guests find the drive."""

VERSIONS = (
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "latest",
)
"""Nova's metadata versions: a guest opens the newest folder that it knows."""

_MAX_LABEL = 63  # RFC 1123, section 2.1, and DNS


@dataclass(frozen=True, slots=True)
class GuestNic:
    """One network interface as the guest is told of it.

    `device` names the link (the tap's name); `port_id` and `network_id` are the API's ids.
    `address`, `prefix` and `gateway` are IPv4; they are told only where `dhcp` is false, since a
    guest otherwise asks the subnet's DHCP service. `mtu` is in bytes.
    """

    mac: str
    port_id: str
    network_id: str
    device: str
    address: str | None = None
    prefix: int = 32
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    mtu: int = 1450
    dhcp: bool = True


@dataclass(frozen=True, slots=True)
class GuestConfig:
    """What a server's guest is told.

    `public_keys` maps key pair names to OpenSSH public keys. `random_seed` is fresh randomness
    from the caller (Nova gives 512 bytes); without it the guest is given none. The texts of
    `user_data`, `admin_pass` and `random_seed` are secrets and stay out of `repr`.
    """

    server_id: str
    name: str
    project_id: str
    hostname: str = ""
    availability_zone: str = ""
    public_keys: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    user_data: bytes | None = field(default=None, repr=False)
    admin_pass: str | None = field(default=None, repr=False)
    networks: tuple[GuestNic, ...] = ()
    launch_index: int = 0
    random_seed: bytes = field(default=b"", repr=False)


def hostname(name: str, server_id: str) -> str:
    """Derive a host name from a server's name (Nova's `sanitize_hostname`).

    White space, `_` and `.` become `-`; characters other than ASCII letters, digits and `-` are
    dropped; at most 63 characters are left, in lower case, without `-` at either end. A name of
    which nothing is left gives `Server-<id>`.
    """
    latin = name.encode("latin-1", "ignore").decode("latin-1")[:_MAX_LABEL]
    dashed = re.sub(r"[\s_.]", "-", latin)
    plain = re.sub(r"[^A-Za-z0-9-]", "", dashed).lower().strip("-")
    return plain or f"Server-{server_id}"[:_MAX_LABEL]


def files(config: GuestConfig) -> dict[str, bytes]:
    """Return the drive's files: path on the drive to content.

    `user_data` is there only if the server has some; whatever the version, the content is the
    newest one's, as readers skip fields that they do not know.
    """
    contents = {
        "meta_data.json": _json(_meta_data(config)),
        "network_data.json": _json(_network_data(config.networks)),
        "vendor_data.json": _json({}),
        "vendor_data2.json": _json({}),
    }
    if config.user_data is not None:
        contents["user_data"] = config.user_data
    drive = {
        f"openstack/{version}/{name}": content
        for version in VERSIONS
        for name, content in contents.items()
    }
    drive["ec2/latest/meta-data.json"] = _json(_ec2_meta_data(config))
    if config.user_data is not None:
        drive["ec2/latest/user-data"] = config.user_data
    return drive


def iso(contents: Mapping[str, bytes]) -> bytes:
    """Write files into an ISO 9660 image with Rock Ridge and Joliet, labelled `config-2`.

    The same files give the same bytes, at any time and in any time zone. Takes about 5 ms.
    """
    # Loading pycdlib takes 0.1 s, and only a host that makes drives needs it.
    from hanok.guest.iso9660 import write  # noqa: PLC0415

    return write(contents, LABEL)


def _host(config: GuestConfig) -> str:
    return config.hostname or hostname(config.name, config.server_id)


def _meta_data(config: GuestConfig) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "uuid": config.server_id,
        "name": config.name,
        "hostname": _host(config),
        "launch_index": config.launch_index,
        "availability_zone": config.availability_zone,
        "project_id": config.project_id,
        "devices": [],
        "dedicated_cpus": [],
    }
    if config.metadata:
        meta["meta"] = dict(config.metadata)
    if config.public_keys:
        meta["public_keys"] = dict(config.public_keys)
        meta["keys"] = [
            {"name": name, "type": "ssh", "data": key} for name, key in config.public_keys.items()
        ]
    if config.random_seed:
        meta["random_seed"] = base64.b64encode(config.random_seed).decode("ascii")
    if config.admin_pass is not None:
        meta["admin_pass"] = config.admin_pass
    return meta


def _network_data(nics: tuple[GuestNic, ...]) -> dict[str, Any]:
    links = []
    networks = []
    services: list[dict[str, str]] = []
    for index, nic in enumerate(nics):
        links.append(
            {
                "id": nic.device,
                "vif_id": nic.port_id,
                "type": "bridge",
                "mtu": nic.mtu,
                "ethernet_mac_address": nic.mac,
            }
        )
        networks.append(
            {"id": f"network{index}", "link": nic.device, "network_id": nic.network_id}
            | _addressing(nic)
        )
        for server in nic.dns:
            service = {"type": "dns", "address": server}
            if service not in services:
                services.append(service)
    return {"links": links, "networks": networks, "services": services}


def _addressing(nic: GuestNic) -> dict[str, Any]:
    if nic.dhcp or nic.address is None:
        return {"type": "ipv4_dhcp"}
    netmask = ipaddress.IPv4Network((0, nic.prefix)).netmask
    anywhere = "0.0.0.0"  # noqa: S104  # the default route, no socket
    default = {"network": anywhere, "netmask": anywhere, "gateway": nic.gateway}
    return {
        "type": "ipv4",
        "ip_address": nic.address,
        "netmask": str(netmask),
        "routes": [default] if nic.gateway else [],
        "services": [{"type": "dns", "address": server} for server in nic.dns],
    }


def _ec2_meta_data(config: GuestConfig) -> dict[str, Any]:
    host = _host(config)
    address = next((nic.address for nic in config.networks if nic.address), "")
    meta: dict[str, Any] = {
        "instance-id": config.server_id,
        "ami-launch-index": config.launch_index,
        "hostname": host,
        "local-hostname": host,
        "public-hostname": host,
        "local-ipv4": address,
        "placement": {"availability-zone": config.availability_zone},
        "instance-action": "none",
    }
    if config.public_keys:
        meta["public-keys"] = {
            str(index): {"_name": f"{index}={name}", "openssh-key": key}
            for index, (name, key) in enumerate(config.public_keys.items())
        }
    return meta


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode("utf-8")
