"""The demo as a client: the region's HTTP API and nothing else."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scripts.demo_show import DemoError

NAME = "hanok-demo"
VOLUME_GB = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """What the server is made from."""

    flavor: Mapping[str, Any]
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
    """Calls the API as the member whose openrc the region wrote."""

    def __init__(self, openrc: Path) -> None:
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
        """Pick the smallest m2 flavor, the tiny image, a zone, a subnet, the default group."""
        flavors = self.call("GET", "compute", "/flavors/detail")["flavors"]
        images = self.call("GET", "image", "/v2/images?name=hanok-tiny")["images"]
        zones = self.call("GET", "compute", "/os-availability-zone")["availabilityZoneInfo"]
        subnets = self.call("GET", "network", "/v2.0/subnets")["subnets"]
        groups = self.call("GET", "network", "/v2.0/security-groups?name=default")
        volumes = [flavor for flavor in flavors if flavor["name"].startswith("m2.")]
        open_zones = [zone for zone in zones if zone["zoneState"]["available"]]
        for what, found in (
            ("m2 flavor", volumes),
            ("image hanok-tiny", images),
            ("zone that is available", open_zones),
            ("subnet", subnets),
            ("security group default", groups["security_groups"]),
        ):
            if not found:
                raise DemoError(f"The region has no {what}.")
        return Choice(
            flavor=min(volumes, key=lambda flavor: (flavor["ram"], flavor["vcpus"])),
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

    def wait_active(self, server_id: str, seconds: float, check: Callable[[], None]) -> Server:
        """Poll until the server is ACTIVE; raises DemoError, with its fault."""
        deadline = time.monotonic() + seconds
        while True:
            shown = self.call("GET", "compute", f"/servers/{server_id}")["server"]
            if shown["status"] == "ACTIVE":
                return self._server(shown)
            if shown["status"] != "BUILD" or time.monotonic() > deadline:
                reason = shown.get("fault", {}).get("message", "no reason is given")
                raise DemoError(f"The server is {shown['status']} in place of ACTIVE: {reason}")
            check()
            time.sleep(0.1)

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

    def delete_servers(self) -> int:
        """Ask for the end of every server of the project; return how many there were."""
        servers = self.call("GET", "compute", "/servers")["servers"]
        for server in servers:
            path = f"/servers/{server['id']}"
            answer = self._request("DELETE", self._services["compute"] + path, None)
            if answer.status_code not in (204, 404):
                raise DemoError(_refused("DELETE", path, answer))
        return len(servers)

    def wait_no_servers(self, seconds: float, check: Callable[[], None]) -> None:
        """Poll until the project has no server; raises DemoError."""
        deadline = time.monotonic() + seconds
        while self.call("GET", "compute", "/servers")["servers"]:
            if time.monotonic() > deadline:
                raise DemoError(f"The server is not gone after {seconds:.0f} s.")
            check()
            time.sleep(0.1)


def _refused(method: str, path: str, answer: httpx.Response) -> str:
    return f"{method} {path} was answered {answer.status_code}: {answer.text.strip()[:300]}"
