"""Create Instance: every reference resolved, every rule checked, then one transaction.

The transaction takes the quota, stores the servers' rows and submits their operations, so that
either all of it is there or nothing is.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hanok.api._call import Answer, Call
from hanok.api.compute.links import links_of
from hanok.api.compute.server_intent import Further, Place, Resolved, intent_of, row_of
from hanok.api.compute.server_networks import interfaces
from hanok.api.dialects.dialect import Dialect
from hanok.model.create_rules import (
    check_active,
    check_counts,
    check_image,
    check_metadata,
    check_size,
    further_devices,
    root_device,
    root_disk,
)
from hanok.model.errors import Invalid, NotFound, QuotaExceeded
from hanok.model.flavor import Flavor
from hanok.model.image import Image
from hanok.model.quota import Quota, Usage
from hanok.model.server_create import ServerCreate
from hanok.operations import create_server
from hanok.store import (
    first_start,
    flavors,
    images,
    key_pairs,
    network_quotas,
    quotas,
    security_groups,
    servers,
    volumes,
    zones,
)
from hanok.store.database import Reader, Transaction

_SEED = 512
_LETTERS = string.ascii_letters + string.digits


def create(call: Call, dialect: Dialect) -> Answer:
    """Serve POST servers: 202 with the first server, or with the reservation's id."""
    request = dialect.read_create(call.body)
    check_counts(request, dialect.rules)
    region, credentials = call.region, call.credentials
    with region.store.write() as tx:
        first_start.ensure_project(tx, region.clock, credentials.project_id)
    with region.store.read() as reader:
        found = _resolve(call, dialect, request, reader)
    # One password for all servers of a request, since only one is answered (Nova).
    request = replace(request, admin_pass=request.admin_pass or made_password(call))
    reservation = "r-" + _letters(call, 8).lower()
    with region.store.write() as tx:
        count = _take_quota(tx, credentials.project_id, request, found.flavor)
        count = _take_ports(tx, credentials.project_id, found, count, request.min_count)
        made = [
            _one(call, tx, request, found, Place(reservation, index, count))
            for index in range(count)
        ]
    if request.return_reservation_id:
        return Answer(202, {"reservation_id": reservation})
    links = links_of(call, dialect.root).both("servers", made[0])
    names = request.security_groups or ("default",)
    body = {
        "server": {
            "id": made[0],
            "links": links,
            "security_groups": [{"name": name} for name in names],
            "OS-DCF:diskConfig": "MANUAL",
            "adminPass": request.admin_pass,
        }
    }
    return Answer(202, body, headers={"Location": links[0]["href"]})


# -- resolve -------------------------------------------------------------------------------------


def _resolve(call: Call, dialect: Dialect, request: ServerCreate, reader: Reader) -> Resolved:
    credentials = call.credentials
    flavor = flavors.get(reader, request.flavor_id, credentials.project_id)
    if flavor is None:
        raise Invalid(f"Flavor {request.flavor_id} could not be found.")
    device = root_device(request)
    root = root_disk(device, flavor)
    source_id = device.source_id if device else None
    image = _root_image(reader, credentials.project_id, source_id, request.image_id)
    check_image(request, dialect.rules, flavor, image, root)
    limits = quotas.limits_of(reader, credentials.project_id)
    check_metadata(request.metadata, len(request.metadata), limits.metadata_items)
    further = tuple(_further(reader, credentials.project_id, request))
    wanted = interfaces(reader, credentials.project_id, request.networks)
    if request.max_count > 1 and any(one.existing or one.address for one in wanted):
        raise Invalid("A port or a fixed IP can serve one instance only, not several.")
    return Resolved(
        flavor=flavor,
        image=image,
        root=replace(root, volume_type=_volume_type(reader, root.destination, root.volume_type)),
        further=further,
        zone=_zone(reader, request),
        public_key=public_key(reader, credentials.user_id, request.key_name),
        group_ids=_groups(reader, credentials.project_id, request.security_groups),
        interfaces=wanted,
    )


def _root_image(
    reader: Reader, project_id: str, source_id: str | None, image_id: str | None
) -> Image:
    """Return the root disk's image: its device's own, or else the request's.

    An imageRef beside a device that needs none must name an image all the same (Nova).
    """
    named = [one for one in dict.fromkeys((source_id, image_id)) if one is not None]
    if not named:
        raise Invalid("Missing imageRef attribute")
    found = [_image(reader, project_id, one) for one in named]
    return found[0]


def _image(reader: Reader, project_id: str, image_id: str) -> Image:
    """Return an image that disks can be made from now."""
    image = images.get(reader, image_id, project_id)
    if image is None:
        raise Invalid("Can not find requested image")
    check_active(image)
    return image


def _further(reader: Reader, project_id: str, request: ServerCreate) -> Iterator[Further]:
    """Resolve the block storage beside the root disk."""
    for device in further_devices(request):
        image = None
        if device.source == "image":
            image = _image(reader, project_id, device.source_id or "")
            check_size(image, device.size_gib or 0)
        volume_type = _volume_type(reader, "volume", device.volume_type)
        yield Further(device, image, volume_type or "")


def _volume_type(reader: Reader, destination: str, wanted: str | None) -> str | None:
    if destination == "local":
        return None
    known = volumes.types(reader)
    if wanted is None:
        return known[0].name
    for one in known:
        if wanted in (one.name, one.id):
            return one.name
    raise Invalid(f"Volume type {wanted} could not be found.")


def _zone(reader: Reader, request: ServerCreate) -> str | None:
    if request.availability_zone is None:
        return None
    available = {zone.name for zone in zones.all_zones(reader) if zone.available}
    if request.availability_zone not in available:
        raise Invalid("The requested availability zone is not available")
    return request.availability_zone


def public_key(reader: Reader, user_id: str, name: str | None) -> str | None:
    """Return the public half of a user's key pair; raises Invalid when there is none such."""
    if name is None:
        return None
    pair = key_pairs.get(reader, user_id, name)
    if pair is None:
        raise Invalid("Invalid key_name provided.")
    return pair.public_key.strip()


def _groups(reader: Reader, project_id: str, names: Sequence[str]) -> tuple[str, ...]:
    found = []
    for name in names or ("default",):
        try:
            found.append(security_groups.find(reader, project_id, name).id)
        except NotFound as error:
            raise Invalid(f"Security group {name} not found for project {project_id}.") from error
    return tuple(dict.fromkeys(found))


# -- store ---------------------------------------------------------------------------------------


def _take_quota(tx: Transaction, project_id: str, request: ServerCreate, flavor: Flavor) -> int:
    """Return how many servers the quota allows, at least min_count; raises QuotaExceeded.

    The project's row is locked, so two requests cannot both pass.
    """
    quotas.lock(tx, project_id)
    limits, used = quotas.limits_of(tx, project_id), quotas.usage_of(tx, project_id)
    for count in range(request.max_count, request.min_count - 1, -1):
        over = _over(limits, used, count, flavor)
        if over is None:
            return count
    raise QuotaExceeded(_over(limits, used, request.min_count, flavor) or "")


def _take_ports(tx: Transaction, project_id: str, found: Resolved, count: int, least: int) -> int:
    """Return for how many of `count` servers the quota of ports allows those to be made.

    Raises QuotaExceeded where that are less than `least`. From here on the ports count as taken,
    though they are made later.
    """
    new = sum(not one.existing for one in found.interfaces)
    room = network_quotas.room(tx, project_id, "port") if new else None
    if room is None:
        return count
    if room // new < least:
        raise QuotaExceeded("Maximum number of ports exceeded")
    return min(count, room // new)


def _over(limits: Quota, used: Usage, count: int, flavor: Flavor) -> str | None:
    """Say, in Nova's words, which quota `count` further servers would exceed."""
    for name, limit, taken, wanted in (
        ("instances", limits.instances, used.instances, count),
        ("cores", limits.cores, used.cores, count * flavor.vcpus),
        ("ram", limits.ram_mib, used.ram_mib, count * flavor.ram_mib),
    ):
        if limit >= 0 and taken + wanted > limit:
            return (
                f"Quota exceeded for {name}: Requested {wanted}, but already used {taken} of "
                f"{limit} {name}"
            )
    return None


def _one(call: Call, tx: Transaction, request: ServerCreate, found: Resolved, place: Place) -> str:
    """Store one server's row and submit its operation; return its id."""
    region = call.region
    intent = intent_of(call, request, found, place)
    servers.add(tx, row_of(intent, request, found, place, region.clock.now()))
    secrets = {
        "user_data": text(request.user_data),
        "admin_pass": request.admin_pass,
        "random_seed": random_seed(call),
    }
    create_server.submit(tx, region.engine, intent, secrets)
    return intent.server_id


def made_password(call: Call) -> str:
    """Make an administrator's password (12 letters and digits, as Nova's)."""
    return _letters(call, 12)


def random_seed(call: Call) -> str:
    """Draw a guest's first randomness, in base64."""
    return base64.b64encode(call.region.clock.random_bytes(_SEED)).decode()


def _letters(call: Call, count: int) -> str:
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in call.region.clock.random_bytes(count))


def text(value: bytes | None) -> str | None:
    """Write bytes as the journal keeps them, in base64."""
    return None if value is None else base64.b64encode(value).decode()
