"""Create and change volumes: `POST volumes`, `PUT volumes/{id}`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call
from hanok.api.volume.volumes import find, flag, view
from hanok.model.create_rules import GIB
from hanok.model.errors import Conflict, Invalid, NotFound, NotImplemented_
from hanok.model.image import Image
from hanok.model.volume import Volume
from hanok.operations import create_volume
from hanok.store import images, volumes, zones
from hanok.store.database import Reader

LARGEST_GIB = 65_536
_Short = Annotated[str, msgspec.Meta(max_length=255)]
_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Volume(msgspec.Struct):
    size: int | str | None = None
    name: _Short | None = None
    description: _Short | None = None
    volume_type: _Short | None = None
    availability_zone: _Short | None = None
    image: _Short | None = msgspec.field(default=None, name="imageRef")
    snapshot_id: _Short | None = None
    source_volid: _Short | None = None
    metadata: dict[_Key, _Short] | None = None
    nhn_encryption: dict[str, str] | None = None
    multiattach: bool | str | int | None = None


class _Create(msgspec.Struct):
    volume: _Volume


class _Change(msgspec.Struct):
    name: _Short | None = None
    description: _Short | None = None
    metadata: dict[_Key, _Short] | None = None


class _Update(msgspec.Struct):
    volume: _Change


def create(call: Call, *, version: str) -> Answer:
    """Serve POST volumes: 202 with the volume, still `creating`."""
    asked = decode(call.body, _Create).volume
    _check_offered(asked)
    size = _size(asked.size)
    region, credentials = call.region, call.credentials
    with region.store.read() as reader:
        image = _image(reader, credentials.project_id, asked.image, size)
        volume_type = _type(reader, asked.volume_type)
        zone = _zone(reader, asked.availability_zone)
    now = region.clock.now()
    volume = Volume(
        id=region.clock.new_id(),
        project_id=credentials.project_id,
        user_id=credentials.user_id,
        name=(asked.name or "").strip(),
        description=None if asked.description is None else asked.description.strip(),
        status="creating",
        size_gib=size,
        volume_type=volume_type,
        availability_zone=zone,
        host_id=None,
        bootable=image is not None,
        image_id=image.id if image else None,
        image_metadata={k: str(v) for k, v in image.properties.items()} if image else {},
        metadata=asked.metadata or {},
        created_at=now,
        updated_at=now,
    )
    with region.store.write() as tx:
        images.hold(tx, volume.image_id)
        volumes.add(tx, volume)
        create_volume.submit(tx, region.engine, volume, image.disk_format if image else None)
    return Answer(202, {"volume": view(call, version, volume, [])})


def _check_offered(asked: _Volume) -> None:
    """Refuse what is understood and not offered."""
    if asked.nhn_encryption is not None:
        if not {"skm_appkey", "skm_key_id"} <= set(asked.nhn_encryption):
            raise Invalid("nhn_encryption needs skm_appkey and skm_key_id.")
        raise NotImplemented_("Block storage encryption (nhn_encryption) is not offered.")
    if asked.snapshot_id or asked.source_volid:
        raise NotImplemented_("Volumes from snapshots and from volumes are not offered.")
    if flag("multiattach", asked.multiattach):
        raise Invalid("A volume is attached to one server at a time: multiattach is not offered.")


def update(call: Call, *, version: str) -> Answer:
    """Serve PUT volumes/{id}: name, description, metadata."""
    asked = decode(call.body, _Update).volume
    asked_for = msgspec.structs.asdict(asked).items()
    given = {k: v.strip() if isinstance(v, str) else v for k, v in asked_for if v is not None}
    with call.region.store.write() as tx:
        volume, _ = find(tx, call)
        volumes.change(tx, volume.id, given, call.region.clock.now())
        volume, attachments = find(tx, call)
    return Answer(200, {"volume": view(call, version, volume, attachments)})


def _size(value: int | str | None) -> int:
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= LARGEST_GIB):
        raise Invalid(
            f"Invalid input for field/attribute size. Value: {value}. It is a whole number of GB "
            f"from 1 to {LARGEST_GIB}."
        )
    return int(text)


def _image(reader: Reader, project_id: str, wanted: str | None, size: int) -> Image | None:
    if not wanted:
        return None
    image = _named(reader, project_id, wanted)
    if image.status != "active":
        raise Invalid(f"Invalid image: Image {image.id} is not active.")
    needed = max(image.min_disk_gib, -(-(image.virtual_bytes or 0) // GIB))
    if size < needed:
        raise Invalid(
            f"Invalid image: Volume size {size}GB cannot be smaller than the image's {needed}GB."
        )
    return image


def _named(reader: Reader, project_id: str, wanted: str) -> Image:
    """Return the image of an id, of an address that ends with one, or of a name, as Cinder does."""
    image = images.get(reader, wanted.rpartition("/")[2], project_id)
    if image is not None:
        return image
    named = images.Listing(project_id, limit=2, bounds=[images.Bound("name", "eq", wanted)])
    found = images.page(reader, named) or []
    if len(found) > 1:
        raise Conflict(f"Multiple matches found for '{wanted}', use an ID to be more specific.")
    if not found:
        raise Invalid("Invalid image identifier or unable to access requested image.")
    return found[0]


def _type(reader: Reader, wanted: str | None) -> str:
    known = volumes.types(reader)
    if not wanted:
        return known[0].name
    for one in known:
        if wanted in (one.id, one.name):
            return one.name
    raise NotFound(f"Volume type with name {wanted} could not be found.")


def _zone(reader: Reader, wanted: str | None) -> str:
    known = [zone.name for zone in zones.all_zones(reader) if zone.available]
    if not wanted:
        return known[0]
    if wanted not in known:
        raise Invalid(f"Availability zone '{wanted}' is invalid.")
    return wanted
