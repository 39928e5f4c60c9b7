"""Stop, start, reboot and attach on a real guest, beside the same calls on bare libvirt.

Two guests run, of one image and one definition: a server, asked through the API and polled to the
status that it ends in, and a domain of the bench's own, changed by libvirt's calls alone. In each
round both go through the same life, and another one begins each time.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import libvirt

from bench.bare_libvirt import PAUSE, URI, BareDomain, bare_domain, wait_until
from bench.figures import Findings, interleave
from bench.member import Member
from bench.real_region import VIRSH, Place, real_region
from bench.scene import Scene

_ACTIVE_SECONDS = 60.0
_GONE_SECONDS = 60.0
_PING = '{"execute": "guest-ping"}'


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that one life's parts took."""

    stop: float
    start: float
    reboot: float
    attach: float


class Peer(Protocol):
    """A guest that is changed; `name` is its domain's. Each method returns when it is done."""

    @property
    def name(self) -> str: ...
    def stop(self) -> None: ...
    def start(self) -> None: ...
    def reboot(self) -> None: ...
    def prepare(self) -> None: ...
    def attach(self) -> None: ...
    def put_back(self) -> None: ...


class HanokServer:
    """A server, changed through the API."""

    def __init__(self, member: Member, name: str, server: dict[str, Any]) -> None:
        self.name = name
        self._member = member
        self._path = f"{member.compute}/servers/{server['id']}"
        self._volumes = f"/kr1/volume/v2/{member.project_id}/volumes"
        self._zone = server["OS-EXT-AZ:availability_zone"]
        self._volume = ""

    def stop(self) -> None:
        """Stop it: its guest shuts down."""
        self._act({"os-stop": None}, "SHUTOFF")

    def start(self) -> None:
        """Start it."""
        self._act({"os-start": None}, "ACTIVE")

    def reboot(self) -> None:
        """Reboot it SOFT."""
        self._act({"reboot": {"type": "SOFT"}}, "ACTIVE")

    def prepare(self) -> None:
        """Make a volume to attach."""
        body = {"volume": {"size": 1, "availability_zone": self._zone}}
        self._volume = self._member.call("POST", self._volumes, body).json()["volume"]["id"]
        self._await_volume("available")

    def attach(self) -> None:
        """Attach the volume."""
        body = {"volumeAttachment": {"volumeId": self._volume}}
        self._member.call("POST", f"{self._path}/os-volume_attachments", body)
        self._await_volume("in-use")

    def put_back(self) -> None:
        """Take the volume away again, and delete it."""
        self._member.call("DELETE", f"{self._path}/os-volume_attachments/{self._volume}")
        self._await_volume("available")
        self._member.call("DELETE", f"{self._volumes}/{self._volume}")

    def _act(self, action: dict[str, Any], status: str) -> None:
        self._member.call("POST", f"{self._path}/action", action)

        def done() -> bool:
            shown = self._member.get(self._path)["server"]
            assert shown["status"] != "ERROR", shown
            return bool(shown["status"] == status)

        wait_until(done, f"the server is not {status}")

    def _await_volume(self, status: str) -> None:
        def done() -> bool:
            shown = self._member.get(f"{self._volumes}/{self._volume}")["volume"]
            return bool(shown["status"] == status)

        wait_until(done, f"the volume is not {status}")


def run(scene: Scene) -> Findings:
    """Take both guests through their lives, in turn."""
    with real_region(scene, "actions") as (member, place), _two_servers(member) as servers:
        names = [place.names.domain(server["id"]) for server in servers]
        hanok = HanokServer(member, names[0], servers[0])
        with _bare(place, servers[1], names[1]) as bare:
            peers: dict[str, Peer] = {"hanok": hanok, "bare": bare}
            scene.say(f"{scene.sizes.pairs} rounds of stop, start, reboot, attach")
            rounds = interleave(scene.sizes.pairs, peers, _live)
    return _findings(rounds["hanok"], rounds["bare"])


def _findings(hanok: list[Times], bare: list[Times]) -> Findings:
    found = Findings("actions")
    for number, field in enumerate(fields(Times)):
        mine = [astuple(one)[number] for one in hanok]
        theirs = [astuple(one)[number] for one in bare]
        found.add(field.name, "s", mine)
        found.add(f"{field.name}, bare libvirt", "s", theirs)
        found.add_ratio(f"{field.name} / bare libvirt", mine, theirs)
    found.notes.append(f"from the request to the status, polled every {PAUSE * 1000:.0f} ms")
    return found


@contextmanager
def _two_servers(member: Member) -> Iterator[list[dict[str, Any]]]:
    """Have two servers made; they go at the end."""
    body, ids = member.create_body("bench", "bench"), []
    try:
        for _ in range(2):
            made = member.call("POST", f"{member.compute}/servers", body).json()
            ids.append(made["server"]["id"])
        yield [member.await_active(one, _ACTIVE_SECONDS) for one in ids]
    finally:
        for one in ids:
            member.delete(one, _GONE_SECONDS)


@contextmanager
def _bare(place: Place, server: dict[str, Any], domain: str) -> Iterator[BareDomain]:
    """Stop the domain of a server and run the same guest in one that Hanok knows nothing of."""
    connection = libvirt.open(URI)
    try:
        with tempfile.TemporaryDirectory(dir=place.own) as name:
            own = Path(name)
            own.chmod(0o711)
            subprocess.run([*VIRSH, "destroy", domain], timeout=60, check=True)
            with bare_domain(connection, domain, place.copy_files(server, own), own) as bare:
                yield bare
    finally:
        connection.close()


def _live(peer: Peer) -> Times:
    """Take a guest through its life; its agent tells when it has booted and will obey."""
    _await_agent(peer)
    stop, start = _seconds(peer.stop), _seconds(peer.start)
    _await_agent(peer)
    reboot = _seconds(peer.reboot)
    _await_agent(peer)
    peer.prepare()
    attach = _seconds(peer.attach)
    peer.put_back()
    return Times(stop, start, reboot, attach)


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _await_agent(peer: Peer) -> None:
    ping = [*VIRSH, "qemu-agent-command", peer.name, _PING]

    def answers() -> bool:
        done = subprocess.run(ping, capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    wait_until(answers, f"the guest of {peer.name} has no agent")
