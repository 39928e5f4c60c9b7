"""The region's first member as a client: logs in as its openrc says, and calls the API."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Any

from bench import load
from bench.load import Address, Answer, Connection, UnexpectedAnswerError

_IDLE_SECONDS = 2.0
"""After that a new connection is made; the server closes one that is idle for 5 s."""


class Member:
    """A logged-in client; `compute` and the other roots are paths below the region's address."""

    def __init__(self, address: Address, state: Path) -> None:
        words = shlex.split((state / "openrc").read_text(), comments=True)
        openrc = dict(word.split("=", 1) for word in words if "=" in word)
        self.address = address
        self.project_id = openrc["OS_TENANT_ID"]
        self.token = ""
        region = openrc["OS_REGION_NAME"].lower()
        self.compute = f"/{region}/compute/v2/{self.project_id}"
        self.image = f"/{region}/image/v2"
        self.network = f"/{region}/network/v2.0"
        auth = {
            "tenantId": self.project_id,
            "passwordCredentials": {
                "username": openrc["OS_USERNAME"],
                "password": openrc["OS_PASSWORD"],
            },
        }
        self._connection = Connection(address)
        self._used_at = time.monotonic()
        answer = self.call("POST", "/v2.0/tokens", {"auth": auth})
        self.token = answer.json()["access"]["token"]["id"]

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """Return a prepared request with this member's token."""
        return load.request(method, path, token=self.token, body=body)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request; raises UnexpectedAnswerError where the answer is an error."""
        answer = self._exchange(method, path, body)
        if answer.status >= 400:
            raise UnexpectedAnswerError(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        return answer

    def _exchange(self, method: str, path: str, body: Any = None) -> Answer:
        now = time.monotonic()
        if now - self._used_at > _IDLE_SECONDS:
            self._connection.socket.close()
            self._connection = Connection(self.address)
        self._used_at = now
        return self._connection.exchange(self.request(method, path, body))

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return self.call("GET", path).json()

    def exists(self, path: str) -> bool:
        """Tell 404 from 200; raises UnexpectedAnswerError for all else."""
        answer = self._exchange("GET", path)
        if answer.status not in (200, 404):
            raise UnexpectedAnswerError(f"GET {path}: {answer.status} {answer.body[:500]!r}")
        return answer.status == 200

    def create_body(self, name: str, key_name: str | None = None) -> dict[str, Any]:
        """Return the guide's request for a server: the smallest m2 flavor, a 10 GB root volume."""
        flavors = self.get(f"{self.compute}/flavors/detail")["flavors"]
        small = [flavor for flavor in flavors if flavor["name"].startswith("m2.")]
        flavor = min(small, key=lambda one: (one["ram"], one["vcpus"]))
        [image] = self.get(f"{self.image}/images?name=hanok-tiny")["images"]
        subnet = self.get(f"{self.network}/subnets")["subnets"][0]
        root = {
            "source_type": "image",
            "uuid": image["id"],
            "boot_index": 0,
            "volume_size": 10,
            "destination_type": "volume",
            "delete_on_termination": 1,
        }
        server: dict[str, Any] = {
            "name": name,
            "imageRef": image["id"],
            "flavorRef": flavor["id"],
            "networks": [{"subnet": subnet["id"]}],
            "max_count": 1,
            "min_count": 1,
            "block_device_mapping_v2": [root],
            "security_groups": [{"name": "default"}],
        }
        if key_name is not None:
            server["key_name"] = key_name
        return {"server": server}

    def await_active(self, server_id: str, seconds: float, pause: float = 0.005) -> dict[str, Any]:
        """Poll until the server is ACTIVE and return it; raises UnexpectedAnswerError."""
        until = time.monotonic() + seconds
        while True:
            server: dict[str, Any] = self.get(f"{self.compute}/servers/{server_id}")["server"]
            if server["status"] == "ACTIVE":
                return server
            if server["status"] != "BUILD" or time.monotonic() > until:
                raise UnexpectedAnswerError(f"the server did not get ACTIVE: {server}")
            time.sleep(pause)

    def delete(self, server_id: str, seconds: float, pause: float = 0.005) -> None:
        """Delete a server and wait until it is gone; raises UnexpectedAnswerError."""
        path = f"{self.compute}/servers/{server_id}"
        self.call("DELETE", path)
        until = time.monotonic() + seconds
        while self.exists(path):
            if time.monotonic() > until:
                raise UnexpectedAnswerError(f"the server {server_id} is still there")
            time.sleep(pause)
