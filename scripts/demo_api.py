"""The demo as a client: the region's HTTP API and nothing else."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from scripts.demo_show import DemoError

Found = TypeVar("Found")
NAME = "hanok-demo"
VOLUME_GB = 10
EXTRA_GB = 20
"""The volume that is attached: not of the root disk's size, so that lsblk tells them apart."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Choice:
    """What the server is made from; `larger` is the flavor that it is resized to."""

    flavor: Mapping[str, Any]
    larger: Mapping[str, Any]
    image: Mapping[str, Any]
    zone: str
    subnet: Mapping[str, Any]
    group_id: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ACTIVE: where it answers, and what it consists of."""

    id: str
    address: str
    network_id: str
    port_id: str
    volume_ids: tuple[str, ...]


class Cloud:
    """Calls the API as the member whose openrc the region wrote.

    `check` raises when there is nothing left to wait for.
    """

    def __init__(self, openrc: Path, check: Callable[[], None]) -> None:
        self._check = check
        words = shlex.split(openrc.read_text(), comments=True)
        self._login = dict(word.split("=", 1) for word in words if "=" in word)
        self._http = httpx.Client(timeout=30, trust_env=False)
        self._services: dict[str, str] = {}

    def call(self, method: str, service: str, path: str, body: Any = None) -> Any:
        """Send a request to a service of the region; return its JSON. Raises DemoError."""
        answer = self._request(method, self._services[service] + path, body)
        if not answer.is_success:
            raise DemoError(_refused(method, path, answer))
        return answer.json() if answer.content else None

    def exists(self, service: str, path: str) -> bool:
        """Tell 200 from 404; raises DemoError for all else."""
        answer = self._request("GET", self._services[service] + path, None)
        if answer.status_code not in (200, 404):
            raise DemoError(_refused("GET", path, answer))
        return answer.status_code == 200

    def _request(self, method: str, url: str, body: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, json=body)
        except httpx.HTTPError as error:
            raise DemoError(f"{method} {url} got no answer: {error!r}.") from error

    def log_in(self) -> str:
        """Get a token as the guide says; return what it is for."""
        login = self._login
        auth = {
            "tenantId": login["OS_TENANT_ID"],
            "passwordCredentials": {
                "username": login["OS_USERNAME"],
                "password": login["OS_PASSWORD"],
            },
        }
        answer = self._request("POST", f"{login['OS_AUTH_URL']}/tokens", {"auth": auth})
        if answer.status_code != 200:
            raise DemoError(_refused("POST", "/tokens", answer))
        access = answer.json()["access"]
        self._http.headers["X-Auth-Token"] = access["token"]["id"]
        for service in access["serviceCatalog"]:
            for endpoint in service["endpoints"]:
                if endpoint["region"] == login["OS_REGION_NAME"]:
                    self._services[service["type"]] = endpoint["publicURL"]
        return f"{login['OS_USERNAME']} in {login['OS_REGION_NAME']}"

    def choose(self) -> Choice:
        """Pick the two smallest m2 flavors, the tiny image, a zone, a subnet, the default group."""
        flavors = self.call("GET", "compute", "/flavors/detail")["flavors"]
        images = self.call("GET", "image", "/v2/images?name=hanok-tiny")["images"]
        zones = self.call("GET", "compute", "/os-availability-zone")["availabilityZoneInfo"]
        subnets = self.call("GET", "network", "/v2.0/subnets")["subnets"]
        groups = self.call("GET", "network", "/v2.0/security-groups?name=default")
        volumes = [flavor for flavor in flavors if flavor["name"].startswith("m2.")]
        volumes.sort(key=lambda flavor: (flavor["ram"], flavor["vcpus"]))
        open_zones = [zone for zone in zones if zone["zoneState"]["available"]]
        for what, found in (
            ("two m2 flavors", volumes[1:]),
            ("the image hanok-tiny", images),
            ("a zone that is available", open_zones),
            ("a subnet", subnets),
            ("the security group default", groups["security_groups"]),
        ):
            if not found:
                raise DemoError(f"The region does not have {what}.")
        return Choice(
            flavor=volumes[0],
            larger=volumes[1],
            image=images[0],
            zone=open_zones[0]["zoneName"],
            subnet=subnets[0],
            group_id=groups["security_groups"][0]["id"],
        )

    def add_key_pair(self, file: Path) -> str:
        """Have a key pair made, keep the private key that was answered; return the fingerprint."""
        made = self.call("POST", "compute", "/os-keypairs", {"keypair": {"name": NAME}})["keypair"]
        file.touch(mode=0o600)
        file.write_text(made["private_key"])
        return str(made["fingerprint"])

    def delete_key_pair(self) -> None:
        """Delete it."""
        self.call("DELETE", "compute", f"/os-keypairs/{NAME}")

    def add_ssh_rule(self, choice: Choice) -> str:
        """Let SSH in from the subnet; return the rule's id."""
        rule = {
            "security_group_id": choice.group_id,
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "port_range_min": 22,
            "port_range_max": 22,
            "remote_ip_prefix": choice.subnet["cidr"],
            "description": "SSH into the demo's server",
        }
        body = {"security_group_rule": rule}
        made = self.call("POST", "network", "/v2.0/security-group-rules", body)
        return str(made["security_group_rule"]["id"])

    def delete_rule(self, rule_id: str) -> None:
        """Delete it."""
        self.call("DELETE", "network", f"/v2.0/security-group-rules/{rule_id}")

    def create_server(self, choice: Choice) -> str:
        """Ask for a server as the guide's example does; return its id."""
        server = {
            "name": NAME,
            "imageRef": choice.image["id"],
            "flavorRef": choice.flavor["id"],
            "networks": [{"subnet": choice.subnet["id"]}],
            "availability_zone": choice.zone,
            "key_name": NAME,
            "max_count": 1,
            "min_count": 1,
            "block_device_mapping_v2": [
                {
                    "source_type": "image",
                    "uuid": choice.image["id"],
                    "boot_index": 0,
                    "volume_size": VOLUME_GB,
                    "destination_type": "volume",
                    "delete_on_termination": 1,
                }
            ],
            "security_groups": [{"name": "default"}],
        }
        made = self.call("POST", "compute", "/servers", {"server": server})
        return str(made["server"]["id"])

    def act(self, server_id: str, action: Mapping[str, Any]) -> None:
        """Have an action of the guide done on a server: `{"os-stop": None}`."""
        self.call("POST", "compute", f"/servers/{server_id}/action", action)

    def wait_status(self, server_id: str, status: str, seconds: float) -> Server:
        """Poll until the server has a status; raises DemoError, with its fault."""

        def look() -> Server | None:
            shown = self.call("GET", "compute", f"/servers/{server_id}")["server"]
            if shown["status"] == "ERROR" != status:
                reason = shown.get("fault", {}).get("message", "no reason is given")
                raise DemoError(f"The server is ERROR in place of {status}: {reason}")
            return self._server(shown) if shown["status"] == status else None

        return self._poll(look, seconds, f"The server is not {status}")

    def _poll(self, look: Callable[[], Found | None], seconds: float, otherwise: str) -> Found:
        """Look until something is found; raises DemoError, which says `otherwise`."""
        deadline = time.monotonic() + seconds
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise DemoError(f"{otherwise} after {seconds:.0f} s.")
            self._check()
            time.sleep(POLL_SECONDS)
        return found

    def _server(self, shown: Mapping[str, Any]) -> Server:
        path = f"/v2.0/ports?device_id={shown['id']}"
        port = self.call("GET", "network", path)["ports"][0]
        attached = shown["os-extended-volumes:volumes_attached"]
        return Server(
            id=shown["id"],
            address=port["fixed_ips"][0]["ip_address"],
            network_id=port["network_id"],
            port_id=port["id"],
            volume_ids=tuple(volume["id"] for volume in attached),
        )

    def create_volume(self, zone: str) -> str:
        """Ask for an empty volume where the server is; return its id."""
        volume = {"name": NAME, "size": EXTRA_GB, "availability_zone": zone}
        made = self.call("POST", "volumev2", "/volumes", {"volume": volume})
        return str(made["volume"]["id"])

    def attach(self, server_id: str, volume_id: str) -> str:
        """Attach a volume to a server; return the device that it is to be: `/dev/vdb`."""
        path = f"/servers/{server_id}/os-volume_attachments"
        made = self.call("POST", "compute", path, {"volumeAttachment": {"volumeId": volume_id}})
        return str(made["volumeAttachment"]["device"])

    def wait_volume(self, volume_id: str, status: str, seconds: float) -> None:
        """Poll until a volume has a status; raises DemoError."""

        def look() -> str | None:
            shown = self.call("GET", "volumev2", f"/volumes/{volume_id}")["volume"]["status"]
            if shown.startswith("error"):
                raise DemoError(f"The volume {volume_id} is {shown} in place of {status}.")
            return status if shown == status else None

        self._poll(look, seconds, f"The volume {volume_id} is not {status}")

    def delete_volume(self, volume_id: str, seconds: float) -> None:
        """Delete a volume and poll until it is gone; raises DemoError."""
        path = f"/volumes/{volume_id}"
        self.call("DELETE", "volumev2", path)

        def look() -> bool | None:
            return None if self.exists("volumev2", path) else True

        self._poll(look, seconds, f"The volume {volume_id} is not gone")

    def delete_servers(self) -> int:
        """Ask for the end of every server of the project; return how many there were."""
        servers = self.call("GET", "compute", "/servers")["servers"]
        for server in servers:
            path = f"/servers/{server['id']}"
            answer = self._request("DELETE", self._services["compute"] + path, None)
            if answer.status_code not in (204, 404):
                raise DemoError(_refused("DELETE", path, answer))
        return len(servers)

    def wait_no_servers(self, seconds: float) -> None:
        """Poll until the project has no server; raises DemoError."""

        def look() -> bool | None:
            return None if self.call("GET", "compute", "/servers")["servers"] else True

        self._poll(look, seconds, "The server is not gone")


def _refused(method: str, path: str, answer: httpx.Response) -> str:
    return f"{method} {path} was answered {answer.status_code}: {answer.text.strip()[:300]}"
