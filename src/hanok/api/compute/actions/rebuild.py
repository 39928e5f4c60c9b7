"""`{"rebuild": {"imageRef": "…", "name": "…", …}}`: the root disk anew from an image."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import msgspec

from hanok.api._body import convert, trimmed
from hanok.api._call import Answer, Call
from hanok.api.compute.actions.action import ServerAction, begin
from hanok.api.compute.fields import flag, read_user_data
from hanok.api.compute.links import links_of
from hanok.api.compute.server_create import made_password, public_key, random_seed, text
from hanok.api.compute.server_intent import shown
from hanok.api.dialects.dialect import Dialect
from hanok.model import lifecycle
from hanok.model.create_rules import Root, check_image, check_metadata
from hanok.model.devices import ROOT
from hanok.model.errors import Invalid, NotFound
from hanok.model.image import Image
from hanok.model.server import Server
from hanok.model.server_create import ServerCreate
from hanok.operations import rebuild_server
from hanok.operations.intent import DiskIntent
from hanok.operations.rebuild_server import Rebuild
from hanok.operations.standing import disks_of
from hanok.store import flavors, images, quotas, servers
from hanok.store.database import Transaction

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Short = Annotated[str, msgspec.Meta(max_length=255)]


class _Body(msgspec.Struct, rename={"image": "imageRef", "password": "adminPass"}):
    """What is unset stays as it is; a key pair or user data that are null are taken away."""

    image: _Name
    name: _Short | None = None
    password: _Name | None = None
    metadata: dict[str, str] | None = None
    key_name: _Short | msgspec.UnsetType | None = msgspec.UNSET
    user_data: str | msgspec.UnsetType | None = msgspec.UNSET
    preserve_ephemeral: bool | int | str | None = None


def _act(dialect: Dialect, call: Call, tx: Transaction, server: Server, body: Any) -> Answer:
    """Answer 202 with the server as it is to be, and the password of its new system.

    Nova before 2.93 refuses another image for a server that boots from a volume, since it would
    have to write over the volume. Every flavor of NHN Cloud's but U2 boots from one, so here the
    volume gets the image's bytes, and says so.
    """
    asked = _read(body)
    lifecycle.check(lifecycle.ACTIONS["rebuild"], server)
    lifecycle.check_made(lifecycle.ACTIONS["rebuild"], server)
    named = _renamed(call, tx, server, asked)
    root = disks_of(tx, server.id)[0][0]
    image = _image(tx, dialect, named, asked.image, root)
    wanted = Rebuild(
        root=root,
        by=DiskIntent(
            disk_id=call.region.clock.new_id(),
            destination="local",
            size_gib=root.size_gib,
            device=ROOT,
            boot_index=0,
            image_id=image.id,
            image_format=image.disk_format or "raw",
        ),
        intent={
            "image_id": image.id,
            "image_metadata": {key: str(value) for key, value in image.properties.items()},
            **_key(call, tx, asked),
        },
        shown=shown(image, root.size_gib),
    )
    password = asked.password or made_password(call)
    secrets: dict[str, str | None] = {"admin_pass": password, "random_seed": random_seed(call)}
    if asked.user_data is not msgspec.UNSET:
        secrets["user_data"] = text(read_user_data(asked.user_data))
    begin(call, tx, server, "rebuild")
    rebuild_server.submit(tx, call.region.engine, server, wanted, secrets)
    return _answer(dialect, call, tx, server, wanted, password)


def _read(body: Any) -> _Body:
    asked = convert(body, _Body, "rebuild")
    # There is nothing more to it: no disk but the root is ever touched.
    flag("preserve_ephemeral", asked.preserve_ephemeral)
    return asked


def _renamed(call: Call, tx: Transaction, server: Server, asked: _Body) -> Server:
    """Give the server the name and the metadata that are asked for, at once, as a PUT does."""
    values: dict[str, Any] = {}
    if asked.name is not None:
        values["name"] = trimmed(asked.name)
    if asked.metadata is not None:
        limits = quotas.limits_of(tx, server.project_id)
        check_metadata(asked.metadata, len(asked.metadata), limits.metadata_items)
        values["metadata"] = asked.metadata
    if values:
        servers.change(tx, server.id, call.region.clock.now(), values)
    return replace(server, **values)


def _image(
    tx: Transaction, dialect: Dialect, server: Server, image_id: str, disk: DiskIntent
) -> Image:
    """Return the image, if a server of this flavor, name and root disk could be made from it."""
    image = images.get(tx, image_id, server.project_id)
    if image is None:
        raise Invalid("Can not find requested image")
    flavor = flavors.get(tx, server.flavor_id, None)
    if flavor is None:
        raise NotFound(f"Flavor {server.flavor_id} could not be found.")
    request = ServerCreate(name=server.name, flavor_id=flavor.id, image_id=image.id)
    root = Root(disk.destination, disk.size_gib, None, delete_on_termination=False)
    check_image(request, dialect.rules, flavor, image, root)
    return image


def _key(call: Call, tx: Transaction, asked: _Body) -> dict[str, str | None]:
    """Return what of the intent another key pair changes; raises Invalid for an unknown one."""
    if asked.key_name is msgspec.UNSET:
        return {}
    name = asked.key_name or None
    return {"key_name": name, "public_key": public_key(tx, call.credentials.user_id, name)}


def _answer(
    dialect: Dialect, call: Call, tx: Transaction, server: Server, wanted: Rebuild, password: str
) -> Answer:
    """Show the server with the image and the key pair that it is to have, as Nova does."""
    detail = servers.detail(tx, server.project_id, server.id)
    if detail is None:
        raise NotFound(f"Instance {server.id} could not be found.")
    to_be = replace(
        detail.server,
        image_id=wanted.by.image_id,
        image_metadata=wanted.shown,
        key_name=wanted.intent.get("key_name", server.key_name),
    )
    links = links_of(call, dialect.root)
    shown_so, admin = replace(detail, server=to_be), call.credentials.is_admin
    view = dialect.view_server(shown_so, links, admin=admin)
    location = links.both("servers", server.id)[0]["href"]
    body = {"server": {**view, "adminPass": password}}
    return Answer(202, body, headers={"Location": location})


def action(dialect: Dialect) -> ServerAction:
    """Return the action as a dialect has it: its rules, and how it shows the server."""
    return ServerAction("rebuild", partial(_act, dialect))
