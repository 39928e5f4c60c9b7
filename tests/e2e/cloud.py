"""One account's way through a region's API, as a program without any SDK goes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx

ANSWER_SECONDS = 15.0
SETTLE_SECONDS = 30.0
_LOOK = 0.02  # seconds between two polls
_PASSING = frozenset({"BUILD", "REBOOT", "HARD_REBOOT"})
_PASSING_VOLUME = frozenset({"creating", "deleting", "attaching", "detaching"})


@dataclass(frozen=True, slots=True)
class Account:
    """A user with a password, the project to work in, and the region."""

    url: str
    username: str
    password: str
    project_id: str
    region: str


class Cloud:
    """Calls the services of the catalog with a token; what is not asked for fails the test."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.http = httpx.Client(timeout=ANSWER_SECONDS, trust_env=False)
        self.catalog: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def log_in(self) -> None:
        """Get a token as the guide says, and the catalog with it."""
        auth = {
            "tenantId": self.account.project_id,
            "passwordCredentials": {
                "username": self.account.username,
                "password": self.account.password,
            },
        }
        answer = self.http.post(f"{self.account.url}/v2.0/tokens", json={"auth": auth})
        assert answer.status_code == 200, answer.text
        access = answer.json()["access"]
        self.http.headers["X-Auth-Token"] = access["token"]["id"]
        for service in access["serviceCatalog"]:
            for endpoint in service["endpoints"]:
                urls = self.catalog.setdefault(endpoint["region"], {})
                urls[service["type"]] = endpoint["publicURL"]

    def address(self, service: str, path: str) -> str:
        """Return the URL of a path below a service of the account's region."""
        return self.catalog[self.account.region][service] + path

    def request(self, method: str, service: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request, whatever the answer; raises httpx.TransportError where there is none."""
        return self.http.request(method, self.address(service, path), json=body)

    def call(
        self, method: str, service: str, path: str, body: Any = None, *, status: int = 200
    ) -> Any:
        """Send a request that must be answered with `status`; return what the JSON holds."""
        answer = self.request(method, service, path, body)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def get(self, service: str, path: str) -> Any:
        """Read what must be there."""
        return self.call("GET", service, path)

    # -- lists -----------------------------------------------------------------------------------

    def servers(self) -> list[dict[str, Any]]:
        """Every server of the project, with its details."""
        found: list[dict[str, Any]] = self.get("compute", "/servers/detail?limit=1000")["servers"]
        return found

    def server(self, server_id: str) -> dict[str, Any]:
        """One server, which must be there."""
        found: dict[str, Any] = self.get("compute", f"/servers/{server_id}")["server"]
        return found

    def ports(self) -> list[dict[str, Any]]:
        """Every port of the project."""
        found: list[dict[str, Any]] = self.get("network", "/v2.0/ports")["ports"]
        return found

    def volumes(self) -> list[dict[str, Any]]:
        """Every volume of the project, with its details."""
        found: list[dict[str, Any]] = self.get("volumev2", "/volumes/detail?limit=1000")["volumes"]
        return found

    def flavors(self) -> dict[str, dict[str, Any]]:
        """The flavors by their names."""
        known = self.get("compute", "/flavors/detail?limit=1000")["flavors"]
        return {flavor["name"]: flavor for flavor in known}

    def image_id(self, name: str = "hanok-tiny") -> str:
        """The id of the one image of that name."""
        (found,) = self.get("image", f"/v2/images?name={name}")["images"]
        return str(found["id"])

    def subnet_id(self) -> str:
        """The id of the project's one subnet."""
        (found,) = self.get("network", "/v2.0/subnets")["subnets"]
        return str(found["id"])

    # -- servers ---------------------------------------------------------------------------------

    def server_body(self, name: str, flavor: str, **more: Any) -> dict[str, Any]:
        """What to POST for a server of the tiny image: from a volume of 10 GB, or for u2 its own.

        `more` are further keys of the server.
        """
        image = self.image_id()
        local = flavor.startswith("u2")
        device = {
            "source_type": "image",
            "uuid": image,
            "boot_index": 0,
            "destination_type": "local" if local else "volume",
            "delete_on_termination": 1,
            **({} if local else {"volume_size": 10}),
        }
        server = {
            "name": name,
            "imageRef": image,
            "flavorRef": self.flavors()[flavor]["id"],
            "block_device_mapping_v2": [device],
            **more,
        }
        if "networks" not in server:
            server["networks"] = [{"subnet": self.subnet_id()}]
        return {"server": server}

    def create(self, name: str, flavor: str, **more: Any) -> str:
        """Ask for a server and return its id at once."""
        body = self.server_body(name, flavor, **more)
        made = self.call("POST", "compute", "/servers", body, status=202)
        return str(made["server"]["id"])

    def wait_status(
        self, server_id: str, status: str, seconds: float = SETTLE_SECONDS
    ) -> dict[str, Any]:
        """Poll until a server has the status and no task; return it."""

        def look() -> dict[str, Any] | None:
            shown = self.server(server_id)
            unexpected = shown["status"] == "ERROR" and status != "ERROR"
            assert not unexpected, shown.get("fault")
            rests = shown["status"] == status and shown["OS-EXT-STS:task_state"] is None
            return shown if rests else None

        found: dict[str, Any] = poll(look, f"{server_id} is not {status}", seconds)
        return found

    def delete(self, server_id: str) -> None:
        """Ask for a server's end."""
        self.call("DELETE", "compute", f"/servers/{server_id}", status=204)

    def wait_gone(self, server_id: str, seconds: float = SETTLE_SECONDS) -> None:
        """Poll until a server is not found."""

        def look() -> bool | None:
            return self.request("GET", "compute", f"/servers/{server_id}").status_code == 404

        poll(look, f"{server_id} is not gone", seconds)

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Poll until no server and no volume of the project is on its way to another state."""

        def look() -> bool:
            servers_rest = not any(
                server["status"] in _PASSING or server["OS-EXT-STS:task_state"]
                for server in self.servers()
            )
            return servers_rest and not any(
                volume["status"] in _PASSING_VOLUME for volume in self.volumes()
            )

        poll(look, "operations have not ended", seconds)


def poll(look: Callable[[], Any], otherwise: str, seconds: float = SETTLE_SECONDS) -> Any:
    """Call `look` until it returns something true, and return that; fails with `otherwise`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"after {seconds} s {otherwise}"
        time.sleep(_LOOK)


def ids(items: Iterable[dict[str, Any]]) -> set[str]:
    """The ids of what a list shows."""
    return {str(item["id"]) for item in items}
