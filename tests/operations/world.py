"""One region with a simulated host, without HTTP: what the step harness works on.

It can be opened again on the same folder, as a process that was killed would.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from sqlalchemy import func, select

from hanok.api._addresses import Base
from hanok.api._call import Answer, Call
from hanok.api._query import Query
from hanok.api._region import Region
from hanok.api.compute import service as compute_service
from hanok.api.volume import service as volume_service
from hanok.drivers.base import DomainSpec, HostFacts
from hanok.drivers.hosts import Hosts
from hanok.drivers.simulated import host as simulated
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.drivers.simulated.records import WorldFiles
from hanok.engine.dispatch import Engine
from hanok.engine.failpoints import Failpoints
from hanok.engine.job import Context
from hanok.engine.sealing import Sealer
from hanok.media.image_store import ImageStore
from hanok.model.credentials import Credentials
from hanok.model.host import Host
from hanok.model.image import Image
from hanok.model.server import Server
from hanok.operations.kinds import KINDS
from hanok.operations.park import parked
from hanok.store import first_start, hosts, images, journal, servers
from hanok.store.database import Database
from hanok.store.region_tables import (
    claims,
    fixed_ips,
    flavors,
    local_disks,
    operation_subjects,
    operations,
    ports,
    subnets,
    volume_attachments,
    volumes,
)
from hanok.store.region_tables import hosts as hosts_table
from tests.engine.world import FastClock
from tests.prepared import open_region

if TYPE_CHECKING:
    from hanok.api.identity.service import Identity

PROJECT = "a" * 32
USER = "b" * 32
HOST = "11111111-1111-4111-8111-111111111111"
IMAGE = "22222222-2222-4222-8222-222222222222"
GIB = 1024**3
MEMBER = Credentials(USER, "member", PROJECT, "demo", frozenset({"member"}), 0, 2**62)
ADMIN = replace(MEMBER, user_id="c" * 32, user_name="admin", roles=frozenset({"admin"}))
ELSEWHERE = "d" * 32
"""A project that has nothing."""


@dataclass
class World:
    """A region in `folder`; `reached` hears every failpoint.

    `patience`: the longest that a step waits for the host, in seconds.
    """

    url: str
    folder: Path
    reached: Callable[[str], None] | None = None
    patience: float = 3600.0

    def open(self) -> World:
        """Open store, driver and engine; a first time, seed the region."""
        self.clock = FastClock()
        self.store = open_region(self.url, _fill)
        self.drivers = simulated.open_host("deadbeef", self.folder / "world", SimulatedConfig())
        self.hosts = Hosts()
        self.hosts.add(HOST, self.drivers)
        self.failpoints = Failpoints(self.reached)
        context = Context(
            self.store,
            self.clock,
            Sealer.from_file(self.folder / "key", self.clock.random_bytes),
            self._perform,
            self.failpoints,
        )
        self.engine = Engine(context, KINDS, parked)
        self.images = ImageStore(self.folder / "images")
        self.region = Region("KR1", self.store, self.engine, self.hosts, self.clock, self.images)
        return self

    def _perform(self, host_id: str, verb: str, args: Mapping[str, Any], timeout: float) -> Any:
        return self.hosts.perform(host_id, verb, args, min(timeout, self.patience))

    def start(self) -> World:
        """Let operations run."""
        self.engine.serve(HOST)
        self.engine.start()
        return self

    def close(self) -> None:
        """Stop and wait for the moves in hand."""
        self.engine.stop()
        until = time.monotonic() + 5
        while self.engine.in_flight and time.monotonic() < until:
            time.sleep(0.005)
        self.hosts.close()
        self.drivers.compute.close()
        self.store.close()

    def reopen(self) -> World:
        """End as a process does, and begin again on what is left."""
        self.close()
        return self.open().start()

    # -- as a client -----------------------------------------------------------------------------

    def call(self, body: object = None, query: str = "", **params: str) -> Call:
        """A request of the member's."""
        return Call(
            identity=cast("Identity", None),  # no handler of a region's asks identity
            base=Base("http://test", "http"),
            params={"tenant": PROJECT, **params},
            query=Query(query),
            headers={},
            body=b"" if body is None else msgspec.json.encode(body),
            request_id="req-test",
            _region=self.region,
            _credentials=MEMBER,
        )

    def flavor(self, *, local: bool, number: int = 0) -> str:
        """The smallest flavor with a local disk or without; the next one is number 1."""
        size = flavors.c.disk_gib > 0 if local else flavors.c.disk_gib == 0
        order = (flavors.c.ram_mib, flavors.c.vcpus, flavors.c.name)
        with self.store.read() as reader:
            rows = reader.rows(select(flavors.c.id).where(size).order_by(*order))
        return str(rows[number].id)

    def subnet(self) -> str:
        with self.store.read() as reader:
            return str(reader.scalar(select(subnets.c.id)))

    def create(self, *, local: bool = False, **more: Any) -> str:
        """Ask for a server and return its id."""
        server: dict[str, Any] = {
            "name": "web",
            "imageRef": IMAGE,
            "flavorRef": self.flavor(local=local),
            "networks": [{"subnet": self.subnet()}],
            "user_data": "IyEvYmluL3NoCg==",
            **more,
        }
        if not local:
            server.setdefault(
                "block_device_mapping_v2",
                [
                    {
                        "source_type": "image",
                        "uuid": IMAGE,
                        "boot_index": 0,
                        "volume_size": 10,
                        "destination_type": "volume",
                        "delete_on_termination": 1,
                    }
                ],
            )
        endpoint = endpoint_of("POST", "/v2/{tenant}/servers")
        answer = endpoint.handler(self.call({"server": server}))
        assert answer.status == 202
        return str(answer.body["server"]["id"])

    def delete(self, server_id: str) -> None:
        """Ask for a server's end."""
        endpoint = endpoint_of("DELETE", "/v2/{tenant}/servers/{server}")
        assert endpoint.handler(self.call(server=server_id)).status == 204

    def ask(
        self, server_id: str, name: str, body: object = None, caller: Credentials = MEMBER
    ) -> Answer:
        """Send an action on a server, whatever the answer."""
        endpoint = endpoint_of("POST", "/v2/{tenant}/servers/{server}/action")
        answer: Answer = endpoint.handler(by(caller, self.call({name: body}, server=server_id)))
        return answer

    def act(self, server_id: str, name: str, body: object = None, status: int = 202) -> None:
        """Ask for an action on a server; it must be accepted."""
        assert self.ask(server_id, name, body).status == status

    def block_storage(self, method: str, path: str, body: object = None, **params: str) -> Answer:
        """Ask the block storage service; it must accept."""
        endpoint = endpoint_of(method, f"/v3/{{tenant}}/{path}")
        answer: Answer = endpoint.handler(self.call(body, **params))
        assert answer.status == 202
        return answer

    @contextmanager
    def misbehaving(self, **plan: Any) -> Iterator[None]:
        """Let the host misbehave (`drivers.simulated.config.FaultPlan`) until the block ends."""
        faults = self.folder / "world" / "faults.json"
        faults.write_bytes(msgspec.json.encode(plan))
        try:
            yield
        finally:
            faults.unlink()

    # -- looking ---------------------------------------------------------------------------------

    def server(self, server_id: str) -> Server:
        with self.store.read() as reader:
            found = servers.find(reader, server_id)
        assert found is not None
        return found

    def settle(self, seconds: float = 20.0) -> None:
        """Wait until no operation is unfinished."""
        until = time.monotonic() + seconds
        pending = select(func.count()).where(operations.c.ended_at.is_(None))
        while time.monotonic() < until:
            with self.store.read() as reader:
                # Looked at again: the move that was in flight may have submitted another one.
                if (
                    not reader.scalar(pending)
                    and not self.engine.in_flight
                    and not reader.scalar(pending)
                ):
                    return
            time.sleep(0.004)
        with self.store.read() as reader:
            rows = [tuple(row) for row in reader.rows(select(operations))]
        raise AssertionError(f"operations did not end: {rows}")

    def last_of(self, kind: str) -> journal.OperationRow:
        """The last operation of a kind, whatever its version."""
        wanted = select(operations).where(operations.c.kind.like(f"{kind}@%"))
        with self.store.read() as reader:
            row = reader.rows(wanted.order_by(operations.c.seq))[-1]
        return journal.OperationRow(**row._mapping)

    def last_operation(self, server_id: str) -> journal.OperationRow:
        with self.store.read() as reader:
            return journal.of_server(reader, server_id)[-1]

    def rows(self) -> dict[str, int]:
        """How many rows hold something for servers."""
        tables = (
            claims,
            ports,
            fixed_ips,
            volumes,
            volume_attachments,
            local_disks,
            operation_subjects,
        )
        with self.store.read() as reader:
            counts = {
                t.name: int(reader.scalar(select(func.count()).select_from(t))) for t in tables
            }
            used = reader.first(
                select(
                    hosts_table.c.used_vcpus,
                    hosts_table.c.used_ram_mib,
                    hosts_table.c.used_disk_gib,
                )
            )
        counts["used"] = 0 if used is None else sum(used)
        return counts

    def domain(self, server_id: str) -> DomainSpec:
        """What a server's domain is made of, as the simulated host has it."""
        record = WorldFiles(self.folder / "world").domains.get(server_id)
        assert record is not None
        return record.spec

    def own_images(self) -> list[Image]:
        """The project's own images, as it sees them."""
        with self.store.read() as reader:
            found = images.page(reader, images.Listing(PROJECT, 100, visibility="private"))
        assert found is not None
        return found

    def doomed_images(self) -> list[str]:
        """The images whose end is promised."""
        with self.store.read() as reader:
            return images.doomed(reader)

    def reality(self) -> dict[str, int]:
        """How many things there are on the host."""
        return {
            "domains": len(self.drivers.compute.list_domains()),
            "disks": len(self.drivers.storage.list_disks()),
            "ports": len(self.drivers.network.list_ports()),
            "networks": len(self.drivers.network.list_networks()),
        }

    def assert_nothing_is_left(self) -> None:
        assert {k: v for k, v in self.rows().items() if v} == {}
        assert {k: v for k, v in self.reality().items() if v} == {}

    def assert_exactly_one(self, *, local: bool = False) -> None:
        """One server, and one of everything that it needs."""
        rows = self.rows()
        assert rows.pop("used") > 0
        one = {"claims": 1, "ports": 1, "fixed_ips": 1, "operation_subjects": 0}
        disk = {"volumes": 1, "volume_attachments": 1, "local_disks": 0}
        if local:
            disk = {"volumes": 0, "volume_attachments": 0, "local_disks": 1}
        assert rows == {**one, **disk}
        assert self.reality() == {"domains": 1, "disks": 1, "ports": 1, "networks": 1}


def by(caller: Credentials, call: Call) -> Call:
    """The same request, sent by another caller."""
    tenant = {"tenant": caller.project_id}
    return replace(call, _credentials=caller, params={**call.params, **tenant})


def _fill(store: Database) -> None:
    """Put in what a first start makes, the tiny image and the host."""
    clock = FastClock()
    with tempfile.TemporaryDirectory() as folder:
        drivers = simulated.open_host("deadbeef", Path(folder), SimulatedConfig())
        facts = drivers.compute.facts()
        drivers.compute.close()
    with store.write() as tx:
        first_start.seed(
            tx,
            clock=clock,
            region="KR1",
            projects=(PROJECT,),
            network_cidr="192.168.0.0/24",
        )
        images.add(tx, tiny_image(clock.now()))
        hosts.register(tx, simulated_host(facts, clock.now()))


def endpoint_of(method: str, path: str) -> Any:
    """The endpoint of a method and a path: compute's, or block storage's (/v3 alone is its own)."""
    for endpoint in (*compute_service.service().endpoints, *volume_service.service().endpoints):
        if (endpoint.method, endpoint.path) == (method, path):
            return endpoint
    raise KeyError(path)


def tiny_image(now: int) -> Image:
    return Image(
        id=IMAGE,
        name="tiny",
        project_id=None,
        status="active",
        visibility="public",
        protected=False,
        disk_format="raw",
        container_format="bare",
        size_bytes=1,
        virtual_bytes=1,
        checksum=None,
        min_disk_gib=0,
        min_ram_mib=0,
        properties={"os_type": "linux"},
        tags=[],
        created_at=now,
        updated_at=now,
    )


def simulated_host(facts: HostFacts, now: int) -> Host:
    return Host(
        id=HOST,
        name="here",
        driver="simulated",
        accel=facts.accel,
        state="up",
        vcpus=facts.vcpus,
        ram_mib=facts.ram_mib,
        disk_gib=facts.disk_gib,
        used_vcpus=0,
        used_ram_mib=0,
        used_disk_gib=0,
        seen_at=now,
        zones=("kr-pub-a", "kr-pub-b"),
    )
