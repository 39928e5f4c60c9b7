"""Images, as a project sees them: public ones, its own, and what an administrator sees: all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    bindparam,
    cast,
    column,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from hanok.model.errors import NotFound
from hanok.model.image import Image
from hanok.model.moments import SECOND
from hanok.store.database import Reader, Transaction
from hanok.store.insert_missing import insert_missing
from hanok.store.json_pairs import has_pair
from hanok.store.keyset import SortKey, after, order
from hanok.store.region_tables import (
    images,
    local_disks,
    operation_subjects,
    servers,
    volumes,
)

LARGEST = 2**63 - 1
"""The largest size that the databases hold, in bytes."""

_columns = [images.c[f.name] for f in fields(Image)]
_UPLOADED, _DOOMED = "deleted", "pending_delete"
"""Statuses of images that are gone for clients: with an upload still under way, and without."""
_there = images.c.status.not_in((_UPLOADED, _DOOMED))
_by_id = select(*_columns).where(images.c.id == bindparam("id"), _there)
_open = images.c.visibility.in_(("public", "community"))
_one = _by_id.where(or_(_open, images.c.project_id == bindparam("project")))
_held = select(images.c.id).where(images.c.id == bindparam("id"), _there).with_for_update(read=True)


def get(reader: Reader, image_id: str, project_id: str | None) -> Image | None:
    """Return an image that a project may use; of all images where the project is None.

    A project may use public and community images and its own, whatever their visibility.
    """
    return _get(reader, image_id, project_id, lock=False)


def get_locked(tx: Transaction, image_id: str, project_id: str | None) -> Image | None:
    """Return an image as `get` does; until the transaction ends nobody else changes it."""
    return _get(tx, image_id, project_id, lock=True)


def hold(tx: Transaction, image_id: str | None) -> None:
    """Keep an image from being deleted until the transaction ends, for a disk that is made of it.

    Others may hold it, too. Raises NotFound for one that is gone; None is no image.
    """
    if image_id is not None and tx.scalar(_held, {"id": image_id}) is None:
        raise NotFound(f"Image {image_id} could not be found.")


def _get(reader: Reader, image_id: str, project_id: str | None, *, lock: bool) -> Image | None:
    statement = _by_id if project_id is None else _one
    if lock:
        statement = statement.with_for_update()
    values = {"id": image_id} if project_id is None else {"id": image_id, "project": project_id}
    row = reader.first(statement, values)
    return None if row is None else Image(**row._mapping)


# -- changes -------------------------------------------------------------------------------------


def add(tx: Transaction, image: Image) -> None:
    """Store an image's row."""
    tx.run(insert(images), asdict(image))


def add_new(tx: Transaction, image: Image) -> bool:
    """Store an image's row; False, with nothing done, where the id is taken."""
    return insert_missing(tx, images, asdict(image))


def change(tx: Transaction, image: Image) -> None:
    """Store all of an image's row anew; the caller has it locked."""
    tx.run(update(images).where(images.c.id == image.id).values(**asdict(image)))


def set_status(tx: Transaction, image_id: str, status: str, now: int) -> bool:
    """Change an image's status; False, with nothing done, where it is gone or is to go."""
    statement = update(images).where(images.c.id == image_id, _there)
    return bool(tx.run(statement.values(status=status, updated_at=now)))


def set_active(
    tx: Transaction,
    image_id: str,
    *,
    size_bytes: int,
    virtual_bytes: int,
    checksum: str | None,
    now: int,
) -> bool:
    """Note the bytes of an image and that it can be used; False where it is gone or killed."""
    alive = images.c.status.in_(("queued", "saving", "active"))
    facts = {"size_bytes": size_bytes, "virtual_bytes": virtual_bytes, "checksum": checksum}
    statement = update(images).where(images.c.id == image_id, alive)
    return bool(tx.run(statement.values(status="active", updated_at=now, **facts)))


def doom(tx: Transaction, image_id: str, now: int) -> bool:
    """Hide an image and promise that its bytes will go; the promises are in `doomed`.

    That of an image whose upload is under way is there from `end_upload` on: until then bytes come
    for it, and nobody else gets its id. False, with nothing done, where it is gone already or
    something is made from it.
    """
    image = get_locked(tx, image_id, None)
    if image is None or disks_of(tx, image_id):
        return False
    set_status(tx, image_id, _UPLOADED if image.status == "saving" else _DOOMED, now)
    return True


def end_upload(tx: Transaction, image_id: str) -> None:
    """Let the bytes go of an image that was deleted under its upload, which has ended."""
    statement = update(images).where(images.c.id == image_id, images.c.status == _UPLOADED)
    tx.run(statement.values(status=_DOOMED))


def remove(tx: Transaction, image_id: str) -> None:
    """Remove an image's row; absent is success."""
    tx.run(delete(images).where(images.c.id == image_id))


def disks_of(reader: Reader, image_id: str) -> int:
    """Count what is or will be made from an image: volumes, local disks and servers in the making.

    A server that is being created has no disk's row yet.
    """
    made = (
        select(func.count()).where(volumes.c.image_id == image_id),
        select(func.count()).where(local_disks.c.image_id == image_id),
        select(func.count()).where(
            servers.c.image_id == image_id,
            servers.c.vm_state == "building",
            servers.c.terminated_at.is_(None),
        ),
    )
    return sum(int(reader.scalar(statement)) for statement in made)


def shelved_in(reader: Reader, image_id: str) -> str | None:
    """Return the id of the live server whose disk an image keeps while that is shelved."""
    statement = select(servers.c.id).where(
        servers.c.shelved.is_not(None),
        servers.c.terminated_at.is_(None),
        has_pair(servers.c.shelved, "image_id", image_id),
    )
    found = reader.scalar(statement)
    return None if found is None else str(found)


def is_in_hand(reader: Reader, image_id: str) -> bool:
    """Tell whether an operation that is not yet finished works on an image."""
    statement = select(literal(1)).where(operation_subjects.c.subject == f"image:{image_id}")
    return reader.scalar(statement.limit(1)) is not None


def interrupted(reader: Reader) -> list[str]:
    """Return the ids of images whose upload has not ended, those that were deleted included.

    Those that an operation makes are not among them: it goes on.
    """
    held = exists().where(operation_subjects.c.subject == literal("image:") + images.c.id)
    uploads = images.c.status.in_(("saving", _UPLOADED))
    statement = select(images.c.id).where(uploads, ~held).order_by(images.c.id)
    return [row.id for row in reader.rows(statement)]


def doomed(reader: Reader) -> list[str]:
    """Return the ids of images that are deleted except for bytes to which no upload adds."""
    statement = select(images.c.id).where(images.c.status == _DOOMED).order_by(images.c.id)
    return [row.id for row in reader.rows(statement)]


# -- lists ---------------------------------------------------------------------------------------


def _text(col: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(col, "", type_=Text())


COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "checksum": _text(images.c.checksum),
    "container_format": _text(images.c.container_format),
    "created_at": images.c.created_at,
    "disk_format": _text(images.c.disk_format),
    "id": images.c.id,
    "min_disk": images.c.min_disk_gib,
    "min_ram": images.c.min_ram_mib,
    "name": _text(images.c.name),
    "owner": _text(images.c.project_id),
    "protected": images.c.protected,
    "size": func.coalesce(images.c.size_bytes, 0, type_=BigInteger()),
    "status": images.c.status,
    "updated_at": images.c.updated_at,
    "virtual_size": func.coalesce(images.c.virtual_bytes, 0, type_=BigInteger()),
    "visibility": images.c.visibility,
}
"""Glance's names of what images can be sorted by and compared with; absent text is empty."""

_COMPARED: Mapping[str, ColumnElement[Any]] = {
    **COLUMNS,
    "created_at": images.c.created_at // SECOND,
    "updated_at": images.c.updated_at // SECOND,
}


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison of an attribute of `COLUMNS`: eq, neq, gt, gte, lt or lte.

    Moments are compared in whole seconds, as they are shown.
    """

    attribute: str
    operator: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Listing:
    """Which images a list shows.

    `project_id` None shows those of all projects; `visibility` None: every one that is not
    community, "all": community ones, too. `among` maps attributes of `COLUMNS` to the values that
    they may have, `properties` maps an image's own properties to the value that they must have,
    `tags` must all be there. `sort` holds attributes and whether they descend; `marker` is the id
    of the last image of the page before.
    """

    project_id: str | None
    limit: int
    visibility: str | None = None
    among: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    bounds: Sequence[Bound] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    sort: Sequence[tuple[str, bool]] = (("created_at", True),)
    marker: str | None = None


def page(reader: Reader, listing: Listing) -> list[Image] | None:
    """Return a page of images; None where the marker is no image that the project sees."""
    keys = _keys(listing.sort)
    terms = _terms(listing)
    if listing.marker is not None:
        values = reader.first(
            select(*(key.column.label(f"key_{n}") for n, key in enumerate(keys))).where(
                images.c.id == listing.marker, *_seen(listing.project_id)
            )
        )
        if values is None:
            return None
        terms.append(after(keys, tuple(values)))
    statement = select(*_columns).where(*terms).order_by(*order(keys)).limit(listing.limit)
    return [Image(**row._mapping) for row in reader.rows(statement)]


def _keys(sort: Sequence[tuple[str, bool]]) -> list[SortKey]:
    """Return the columns to sort by, with the id as the last one (Glance: created_at, id)."""
    wanted = dict(reversed(sort))  # the first mention of an attribute counts
    ordered = [(name, wanted[name]) for name in dict.fromkeys(name for name, _ in sort)]
    names = [name for name, _ in ordered]
    last = ordered[0][1] if ordered else True
    ordered += [(name, last) for name in ("created_at", "id") if name not in names]
    return [SortKey(COLUMNS[name], descending) for name, descending in ordered]


def _seen(project_id: str | None) -> list[ColumnElement[bool]]:
    if project_id is None:
        return [_there]
    return [_there, or_(_open, images.c.project_id == project_id)]


def _visible(listing: Listing) -> list[ColumnElement[bool]]:
    mine = images.c.project_id == listing.project_id
    wanted = listing.visibility
    if wanted == "all":
        return _seen(listing.project_id)
    if wanted is None:
        usual = images.c.visibility != "community"
        if listing.project_id is None:
            return [usual]
        return [or_(images.c.visibility == "public", and_(usual, mine))]
    terms: list[ColumnElement[bool]] = [images.c.visibility == wanted]
    if wanted in ("private", "shared") and listing.project_id is not None:
        terms.append(mine)
    return terms


def _terms(listing: Listing) -> list[ColumnElement[bool]]:
    terms = [_there, *_visible(listing)]
    for name, values in listing.among.items():
        terms.append(COLUMNS[name].in_(values) if values else false())
    terms += [_compare(_COMPARED[bound.attribute], bound) for bound in listing.bounds]
    for name, value in listing.properties.items():
        pair = _pairs(images.c.properties).table_valued(column("key"), column("value"))
        terms.append(
            exists().select_from(pair).where(pair.c.key == name, cast(pair.c.value, Text) == value)
        )
    for tag in listing.tags:
        item = _items(images.c.tags).table_valued(column("value"))
        terms.append(exists().select_from(item).where(item.c.value == tag))
    return terms


def _compare(col: ColumnElement[Any], bound: Bound) -> ColumnElement[bool]:
    value = literal(bound.value, col.type)
    compared: Mapping[str, ColumnElement[bool]] = {
        "eq": col == value,
        "neq": col != value,
        "gt": col > value,
        "gte": col >= value,
        "lt": col < value,
        "lte": col <= value,
    }
    return compared[bound.operator]


class _pairs(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function it is
    """The keys and values of a JSON object in a text column; keys need no quoting in a path."""

    inherit_cache = True
    name = "pairs"


class _items(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function it is
    """The values of a JSON array of strings in a text column."""

    inherit_cache = True
    name = "items"


@compiles(_pairs, "sqlite")
@compiles(_items, "sqlite")
def _sqlite_json(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_pairs, "postgresql")
def _postgresql_pairs(element: _pairs, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each_text(CAST({compiler.process(element.clauses, **options)} AS json))"


@compiles(_items, "postgresql")
def _postgresql_items(element: _items, compiler: SQLCompiler, **options: Any) -> str:
    argument = compiler.process(element.clauses, **options)
    return f"json_array_elements_text(CAST({argument} AS json))"
