"""A region's store in an empty database, with rows to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hanok.engine.clock import SystemClock
from hanok.model.flavor import Flavor
from hanok.model.image import Image
from hanok.model.server import Server
from hanok.store import first_start
from hanok.store.database import Database
from tests.prepared import open_region

MINE, OTHER = "a" * 32, "b" * 32
NOW = 1_700_000_000_000_000


@contextmanager
def region_store(url: str, fill: Callable[[Database], None] | None = None) -> Iterator[Database]:
    """A store with a region's tables, and what `fill` puts there; it is closed at the end."""
    database = open_region(url, fill)
    try:
        yield database
    finally:
        database.close()


def first_start_of_kr1(store: Database) -> None:
    """Put in what a region's first start makes, for two projects."""
    with store.write() as tx:
        first_start.seed(
            tx,
            clock=SystemClock(),
            region="KR1",
            projects=(MINE, OTHER),
            network_cidr="192.168.0.0/24",
        )


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def a_flavor(number: int, **changes: Any) -> Flavor:
    made = Flavor(
        id=uuid(number),
        name=f"m2.c{number}",
        vcpus=number,
        ram_mib=1024 * number,
        disk_gib=0,
        ephemeral_gib=0,
        swap_mib=0,
        rxtx_factor=1.0,
        is_public=True,
        disabled=False,
        extra_specs={"flavor_type": "standard"},
        created_at=NOW,
    )
    return replace(made, **changes)


def an_image(number: int, **changes: Any) -> Image:
    made = Image(
        id=uuid(number),
        name=f"image-{number}",
        project_id=MINE,
        status="active",
        visibility="public",
        protected=False,
        disk_format="qcow2",
        container_format="bare",
        size_bytes=number * 2**31,
        virtual_bytes=None,
        checksum="0" * 32,
        min_disk_gib=0,
        min_ram_mib=0,
        properties={"os_type": "linux"},
        tags=[],
        created_at=NOW + number * 1_000_000,
        updated_at=NOW + number * 1_000_000,
    )
    return replace(made, **changes)


def a_server(number: int, **changes: Any) -> Server:
    made = Server(
        id=uuid(number),
        project_id=MINE,
        user_id=MINE,
        name=f"server-{number}",
        flavor_id=uuid(1),
        image_id=None,
        key_name=None,
        host_id=None,
        availability_zone="",
        vm_state="active",
        task_state=None,
        power_state=1,
        generation=0,
        vcpus=2,
        ram_mib=4096,
        root_gib=10,
        ephemeral_gib=0,
        config_drive="",
        metadata={},
        image_metadata={},
        reservation_id="r-1",
        fault=None,
        resized=None,
        shelved=None,
        rescued=None,
        locked_by=None,
        created_at=NOW,
        updated_at=NOW,
        launched_at=NOW,
        terminated_at=None,
    )
    return replace(made, **changes)
