"""NHN Cloud's dialect, `/v2`: the guide's requests, rules and views.

Unknown keys are ignored. Numbers may be strings and booleans 1, "1", "True", "on", "yes": clients
send them all. Sources: the guide, "Create Instance", "Get Instance"; Nova's legacy v2 API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from hanok.api._body import decode, trimmed
from hanok.api._links import Links
from hanok.api.compute.fields import Flag, flag, read_user_data
from hanok.api.compute.server_view import view_server
from hanok.api.dialects.dialect import Dialect
from hanok.model.create_rules import CreateRules
from hanok.model.errors import Invalid
from hanok.model.server import ServerDetail
from hanok.model.server_create import BlockDevice, Nic, ServerCreate

_LARGEST = 2**31 - 1
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Short = Annotated[str, msgspec.Meta(max_length=255)]
_Number = int | str | None


class _Network(msgspec.Struct):
    uuid: _Short | None = None
    subnet: _Short | None = None
    port: _Short | None = None
    fixed_ip: _Short | None = None


class _Group(msgspec.Struct):
    name: _Name


class _Encryption(msgspec.Struct):
    skm_appkey: _Name
    skm_key_id: _Name


class _Device(msgspec.Struct):
    source_type: str
    destination_type: str
    uuid: _Short | None = None
    boot_index: _Number = None
    volume_size: _Number = None
    volume_type: _Short | None = None
    delete_on_termination: Flag = False
    nhn_encryption: _Encryption | None = None


class _Server(
    msgspec.Struct, rename={"flavor": "flavorRef", "image": "imageRef", "password": "adminPass"}
):
    name: _Short
    flavor: str | int
    image: _Short | None = None
    networks: list[_Network] | str | None = None
    block_device_mapping_v2: list[_Device] | None = None
    key_name: _Short | None = None
    security_groups: list[_Group] | None = None
    user_data: str | None = None
    availability_zone: _Short | None = None
    metadata: dict[str, str] | None = None
    config_drive: Flag = False
    password: _Short | None = None
    min_count: _Number = None
    max_count: _Number = None
    return_reservation_id: Flag = False


class _Create(msgspec.Struct):
    server: _Server


class _Change(msgspec.Struct):
    name: _Short | msgspec.UnsetType = msgspec.UNSET


class _Update(msgspec.Struct):
    server: _Change


def read_create(body: bytes) -> ServerCreate:
    """Decode Create Instance; raises Invalid with a sentence that names the field."""
    asked = decode(body, _Create).server
    minimum = _number("min_count", asked.min_count, least=1)
    maximum = _number("max_count", asked.max_count, least=1)
    at_least = minimum if minimum is not None else 1
    return ServerCreate(
        name=trimmed(asked.name),
        flavor_id=_flavor(asked.flavor),
        image_id=asked.image or None,
        networks=_nics(asked.networks),
        block_devices=tuple(_device(one) for one in asked.block_device_mapping_v2 or ()),
        key_name=asked.key_name or None,
        security_groups=tuple(dict.fromkeys(one.name for one in asked.security_groups or ())),
        user_data=read_user_data(asked.user_data),
        availability_zone=asked.availability_zone or None,
        metadata=asked.metadata or {},
        config_drive=flag("config_drive", asked.config_drive),
        admin_pass=asked.password or None,
        min_count=at_least,
        max_count=maximum if maximum is not None else at_least,
        return_reservation_id=flag("return_reservation_id", asked.return_reservation_id),
    )


def read_update(body: bytes) -> str | None:
    """Decode Modify Instance: the new name, or None when none is given."""
    name = decode(body, _Update).server.name
    return None if isinstance(name, msgspec.UnsetType) else trimmed(name)


def _number(field: str, value: _Number, *, least: int) -> int | None:
    """Read an integer or a numeric string within what every database holds."""
    if value is None:
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise Invalid(
            f"Invalid input for field/attribute {field}. Value: {value}. It is not an integer."
        )
    number = int(text)
    if not least <= number <= _LARGEST:
        raise Invalid(
            f"Invalid input for field/attribute {field}. Value: {value}. {value} is less than the "
            f"minimum of {least}, or too large."
        )
    return number


def _flavor(reference: str | int) -> str:
    """Read a flavor's id, which may be the last part of its address (Nova)."""
    return str(reference).rpartition("/")[2]


def _nics(networks: list[_Network] | str | None) -> tuple[Nic, ...] | None:
    if networks is None or networks in ("auto", []):
        return None
    if networks == "none":
        return ()
    if isinstance(networks, str):
        raise Invalid(
            f"Invalid input for field/attribute networks. Value: {networks}. It is a list, "
            "'auto' or 'none'."
        )
    nics = []
    for one in networks:
        if not (one.uuid or one.subnet or one.port or one.fixed_ip):
            raise Invalid("A network needs one of uuid, subnet, port or fixed_ip.")
        nics.append(
            Nic(one.uuid or None, one.subnet or None, one.port or None, one.fixed_ip or None)
        )
    return tuple(nics)


def _device(one: _Device) -> BlockDevice:
    if one.source_type not in ("image", "blank", "volume", "snapshot"):
        raise Invalid(
            f"Invalid input for field/attribute source_type. Value: {one.source_type}. It is one "
            "of image, blank, volume, snapshot."
        )
    if one.destination_type not in ("local", "volume"):
        raise Invalid(
            f"Invalid input for field/attribute destination_type. Value: {one.destination_type}. "
            "It is local or volume."
        )
    return BlockDevice(
        source=one.source_type,
        destination=one.destination_type,
        source_id=one.uuid or None,
        boot_index=_number("boot_index", one.boot_index, least=-1),
        size_gib=_number("volume_size", one.volume_size, least=0),
        volume_type=one.volume_type or None,
        delete_on_termination=flag("delete_on_termination", one.delete_on_termination),
        encrypted=one.nhn_encryption is not None,
    )


def _view(detail: ServerDetail, links: Links, *, admin: bool) -> Mapping[str, Any]:
    return view_server(detail, links, admin=admin)


NHN = Dialect(
    name="nhn",
    root="/v2",
    read_create=read_create,
    read_update=read_update,
    rules=CreateRules(
        max_count=10,
        linux_root_gib=10,
        windows_root_gib=50,
        windows_ram_mib=2048,
        windows_name=15,
    ),
    view_server=_view,
)
