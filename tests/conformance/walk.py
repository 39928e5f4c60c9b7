"""All operations of the guide, sent to a region in an order in which each has what it needs.

A request is the guide's own: its method, path, headers and example. Only what names things of this
region is put in their place. What else must be there (a group, a volume, an image with the
properties that the guide's server shows) is made through the API before.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.boots import count_guest_boot
from tests.conformance.guide import Operation, operations
from tests.e2e.cloud import Cloud, poll
from tests.e2e.region import Region

HOST = "kr1-api-instance-infrastructure.nhncloudservice.com"
"""The guide's host in Korea (Pangyo); whoever points its name at a region sends it."""
SETTLE_SECONDS = 120.0
SHOWN = operations()["GET /servers/{serverId}"].answer.example["server"]["metadata"]
"""The metadata of the guide's server: its image's properties, name and size."""
CREATE, ONE = "POST /servers", "/servers/{serverId}"
DISKS = f"{ONE}/os-volume_attachments"
FLAVOR, LARGER, LOCAL = "m2.c1m2", "t2.c2m2", "u2.c1m1"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of the guide's, as it was sent, and its answer."""

    operation: Operation
    body: Any
    answer: httpx.Response

    @property
    def json(self) -> Any:
        """What the answer's JSON holds."""
        return self.answer.json()


@dataclass
class Walk:
    """The way through the guide in one region; `sent` holds the exchanges of each operation."""

    region: Region
    real: bool
    ids: dict[str, str] = field(default_factory=dict)
    sent: dict[str, list[Exchange]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud: Cloud = self.region.cloud()
        self.ids["tenantId"] = self.cloud.account.project_id
        self.ids["tokenId"] = self.cloud.http.headers["X-Auth-Token"]

    def send(
        self, key: str, changes: Mapping[str, Any] | None = None, *, query: str = ""
    ) -> Exchange:
        """Send an operation's example; `changes` are values by the names of body parameters."""
        operation = operations()[key]
        body = copy.deepcopy(operation.request.example)
        for name, value in (changes or {}).items():
            _put(body, tuple(name.split(".")), value)
        headers = {name: value.format(**self.ids) for name, value in operation.headers.items()}
        answer = self.cloud.http.request(
            operation.method,
            f"{self.region.url}{operation.path.format(**self.ids)}{query}",
            headers={**headers, "Host": HOST},
            json=body,
        )
        assert answer.status_code < 300, f"{key}: {answer.status_code} {answer.text}"
        exchange = Exchange(operation, body, answer)
        self.sent.setdefault(key, []).append(exchange)
        return exchange

    def act(self, name: str, status: str, changes: Mapping[str, Any] | None = None) -> None:
        """Send an action's example and wait until the server rests in a status."""
        self.send(f"action {name}", changes)
        self.rests(status)

    def rests(self, status: str) -> dict[str, Any]:
        """Wait until the server rests in a status."""
        return self.cloud.wait_status(self.ids["serverId"], status, SETTLE_SECONDS)

    # -- what the guide takes for granted --------------------------------------------------------

    def image(self) -> str:
        """Upload the tiny guest as an image with the name and properties of the guide's image."""
        known = self.cloud.address("image", f"/v2/images/{self.cloud.image_id()}/file")
        properties = {name: value for name, value in SHOWN.items() if name not in _OF_THE_SERVER}
        kind = {"disk_format": "raw", "container_format": "bare"}
        wanted = {"name": SHOWN["image_name"], **kind, **properties}
        made = self.cloud.call("POST", "image", "/v2/images", wanted, status=201)
        data = self.cloud.http.get(known).content
        put = self.cloud.http.put(
            self.cloud.address("image", f"/v2/images/{made['id']}/file"),
            content=data,
            headers={"Content-Type": "application/octet-stream"},
        )
        assert put.status_code == 204, put.text
        return str(made["id"])

    def volume(self) -> str:
        """Make block storage in the zone of the guide's server."""
        wanted = {"volume": {"size": 1, "availability_zone": "kr-pub-a"}}
        made = self.cloud.call("POST", "volumev2", "/volumes", wanted, status=202)["volume"]
        self.volume_is(made["id"], "available")
        return str(made["id"])

    def volume_is(self, volume_id: str, status: str) -> None:
        """Wait until block storage has a status."""

        def look() -> bool:
            shown = self.cloud.get("volumev2", f"/volumes/{volume_id}")["volume"]
            return bool(shown["status"] == status)

        poll(look, f"volume {volume_id} is not {status}", SETTLE_SECONDS)

    def boots(self, what: str) -> None:
        """Count a guest that boots."""
        if self.real:
            count_guest_boot(f"the guide's examples: {what}")

    def wakes(self) -> None:
        """Wait until the guest's latest boot has come to its prompt: only then it hears a stop.

        The kernel may have more to say after it (disks that come and go), and a guest that has
        just gone down says so.
        """
        path = f"/servers/{self.ids['serverId']}/action"
        wanted: dict[str, Any] = {"os-getConsoleOutput": {}}

        def look() -> bool:
            output = self.cloud.call("POST", "compute", path, wanted)["output"]
            _, prompt, later = output.rpartition("Linux version")[2].rpartition(" login:")
            return bool(prompt) and "reboot: " not in later

        poll(look, "no login prompt", SETTLE_SECONDS)

    # -- the way ---------------------------------------------------------------------------------

    def go(self) -> None:
        """Send every operation of the guide, in sections as the guide has them."""
        self.choose()
        self.make()
        self.disks()
        self.groups()
        self.actions()
        self.image_of_a_server()
        self.end()

    def choose(self) -> None:
        """Flavors, zones, key pairs."""
        for key in ("GET /flavors", "GET /flavors/detail"):
            self.send(key)
            self.send(key, query="?minDisk=1&minRam=1024")
        self.send("GET /os-availability-zone")
        public_key = {"keypair.public_key": _public_key()}
        made = self.send("POST /os-keypairs", public_key)
        self.ids["keypairName"] = made.json["keypair"]["name"]
        self.send("POST /os-keypairs", {"keypair.name": "access-key", "keypair.public_key": ""})
        self.send("GET /os-keypairs")
        self.send("GET /os-keypairs/{keypairName}")

    def make(self) -> None:
        """Create Instance, as the guide does: 1,000 GB; then every way to see it."""
        image, flavors = self.image(), self.cloud.flavors()
        self.boots("DB-Master")
        named = {
            "server.imageRef": image,
            "server.flavorRef": flavors[FLAVOR]["id"],
            "server.networks.subnet": self.cloud.subnet_id(),
            "server.block_device_mapping_v2.uuid": image,
        }
        self.ids["serverId"] = self.send(CREATE, named).json["server"]["id"]
        self.rests("ACTIVE")
        everything = (
            f"?image={image}&flavor={flavors[FLAVOR]['id']}&name=^DB-&status=ACTIVE&limit=5"
            "&changes-since=2020-01-01T00:00:00"
        )
        for key in ("GET /servers", "GET /servers/detail"):
            self.send(key)
            self.send(key, query=everything)
        self.send(f"GET {ONE}")
        assert self.send(f"PUT {ONE}").json["server"]["name"] == "new-server-test"

    def disks(self) -> None:
        """Attach, list, show, detach."""
        volume = self.ids["volumeId"] = self.volume()
        self.send(f"POST {DISKS}", {"volumeAttachment.volumeId": volume})
        self.volume_is(volume, "in-use")
        assert len(self.send(f"GET {DISKS}").json["volumeAttachments"]) == 2
        [second] = self.send(f"GET {DISKS}", query="?limit=1&offset=1").json["volumeAttachments"]
        assert second["volumeId"] == volume
        self.send(f"GET {DISKS}/{{volumeId}}")
        self.send(f"DELETE {DISKS}/{{volumeId}}")
        self.volume_is(volume, "available")
        self.cloud.call("DELETE", "volumev2", f"/volumes/{volume}", status=202)

    def groups(self) -> None:
        """Add Security Group, Delete Security Group."""
        wanted = {"security_group": {"name": "test"}}
        self.cloud.call("POST", "network", "/v2.0/security-groups", wanted, status=201)
        for name, held in (("add", ["default", "test"]), ("remove", ["default"])):
            self.send(f"action {name}SecurityGroup")
            shown = self.cloud.server(self.ids["serverId"])["security_groups"]
            assert sorted(group["name"] for group in shown) == held

    def actions(self) -> None:
        """Restart, stop, change the flavor, start, terminate, start again."""
        self.wakes()
        self.boots("restarted")
        self.act("reboot", "ACTIVE")
        self.wakes()
        self.act("os-stop", "SHUTOFF")
        self.resize(self.cloud.flavors()[LARGER]["id"])
        self.boots("started")
        self.act("os-start", "ACTIVE")
        self.wakes()
        self.act("shelve", "SHELVED_OFFLOADED")
        self.boots("started after it was terminated")
        self.act("unshelve", "ACTIVE")

    def resize(self, flavor_id: str) -> None:
        """Change Instance Flavor; it would confirm itself, but not at once."""
        self.act("resize", "VERIFY_RESIZE", {"resize.flavorRef": flavor_id})
        path = f"/servers/{self.ids['serverId']}/action"
        self.cloud.call("POST", "compute", path, {"confirmResize": None}, status=204)
        assert self.rests("SHUTOFF")["flavor"]["id"] == flavor_id

    def image_of_a_server(self) -> None:
        """Create Instance Image, of a U2 instance."""
        self.boots("a U2 instance")
        first, u2 = self.ids["serverId"], self.cloud.create("u2", LOCAL)
        self.ids["serverId"] = u2
        self.rests("ACTIVE")
        made = self.send("action createImage")
        address = made.answer.headers["Location"].partition("nhncloudservice.com")[2]
        poll(lambda: self._image_is(address, "active"), "no image", SETTLE_SECONDS)
        self.cloud.call("DELETE", "image", address, status=204)
        self.cloud.delete(u2)
        self.cloud.wait_gone(u2, SETTLE_SECONDS)
        self.ids["serverId"] = first

    def _image_is(self, address: str, status: str) -> bool:
        return bool(self.cloud.get("image", address)["status"] == status)

    def end(self) -> None:
        """Delete Instance, Delete Key Pair."""
        self.send(f"DELETE {ONE}")
        self.cloud.wait_gone(self.ids["serverId"], SETTLE_SECONDS)
        self.send("DELETE /os-keypairs/{keypairName}")


_OF_THE_SERVER = frozenset({"image_name", "volume_size"})


def _put(body: Any, path: tuple[str, ...], value: Any) -> None:
    """Put a value at a path, into every item of a list on the way; what is there is replaced."""
    if isinstance(body, list):
        for item in body:
            _put(item, path, value)
    elif path[1:]:
        _put(body[path[0]], path[1:], value)
    else:
        assert path[0] in body, f"the guide's example has no {path[0]}"
        body[path[0]] = value


def _public_key() -> str:
    """Make a public key as the guide shows one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} Generated-by-Nova"
