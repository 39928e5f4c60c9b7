"""An image's attributes as a client may write them; whatever else it names is a property."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hanok.model.errors import Forbidden, Invalid, TooLarge
from hanok.model.image import CONTAINER_FORMATS, DISK_FORMATS, VISIBILITIES

LONGEST = 255
MOST = 128
_LONGEST_VALUE = 65_535
_LARGEST = 2**31 - 1

READ_ONLY = frozenset(
    {
        *("status", "created_at", "updated_at", "checksum", "size", "virtual_size"),
        *("os_hash_algo", "os_hash_value", "direct_url", "locations", "stores"),
        *("self", "file", "schema", "first", "next"),
    }
)
"""What the service alone writes, with Glance's reserved words."""


_RESERVED = frozenset({"location", "deleted", "deleted_at"})
_RESERVED_PREFIX = "os_glance"


def read_attribute(name: str, value: Any, *, is_admin: bool) -> tuple[str, Any]:
    """Return the field of `model.image.Image` that an attribute stands for, and its value.

    Raises Invalid where the value is of another kind, Forbidden where it is not the caller's to
    set: a public image and another owner are an administrator's.
    """
    if name == "visibility" and value == "public" and not is_admin:
        raise Forbidden("You are not permitted to publish images: only an administrator is.")
    if name == "owner" and not is_admin:
        raise Forbidden("You are not permitted to give an image an owner.")
    field, read = ATTRIBUTES[name]
    return field, read(name, value)


def read_properties(values: Mapping[str, Any]) -> dict[str, str]:
    """Return an image's own properties as it gets them. Raises Invalid, TooLarge or Forbidden."""
    check_count(values)
    return {name: read_property(name, value) for name, value in values.items()}


def check_count(values: Mapping[str, Any]) -> None:
    """Raise TooLarge for more properties than an image may have."""
    if len(values) > MOST:
        raise TooLarge(
            "The limit has been exceeded on the number of allowed image properties. "
            f"Attempted: {len(values)}, Maximum: {MOST}"
        )


def read_property(name: str, value: Any) -> str:
    """Return the value of a property. Raises Invalid or Forbidden."""
    check_writable(name)
    if not 1 <= len(name) <= LONGEST:
        raise Invalid(f"An image property's name has 1 to {LONGEST} characters.")
    if not isinstance(value, str):
        raise _wrong(name, value, "string")
    if len(value) > _LONGEST_VALUE:
        raise Invalid(f"Property {name} has more than {_LONGEST_VALUE} characters.")
    return value


def check_writable(name: str) -> None:
    """Raise Forbidden for what only the service writes, and for what Glance keeps for itself."""
    if name in READ_ONLY:
        raise Forbidden(f"Attribute '{name}' is read-only.")
    if name in _RESERVED or name.startswith(_RESERVED_PREFIX):
        raise Forbidden(f"Attribute '{name}' is reserved.")


def read_tag(value: Any) -> str:
    """Return a tag. Raises Invalid."""
    if not isinstance(value, str):
        raise _wrong("tags", value, "string")
    if not 1 <= len(value) <= LONGEST:
        raise Invalid(f"A tag has 1 to {LONGEST} characters.")
    return value


def check_tags(tags: list[str]) -> list[str]:
    """Return the tags if there are not too many. Raises TooLarge."""
    if len(tags) > MOST:
        raise TooLarge(
            "The limit has been exceeded on the number of allowed image tags. "
            f"Attempted: {len(tags)}, Maximum: {MOST}"
        )
    return tags


# -- kinds of values -----------------------------------------------------------------------------


def _wrong(name: str, value: Any, kind: str) -> Invalid:
    shown = repr(value)[:64]
    return Invalid(
        f"Provided object does not match schema 'image': {name}: {shown} is not of type '{kind}'."
    )


def _name(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong(name, value, "string")
    if len(value) > LONGEST:
        raise Invalid(f"Attribute '{name}' has more than {LONGEST} characters.")
    return value


def _owner(name: str, value: Any) -> str | None:
    text = _name(name, value)
    if text is not None and not 1 <= len(text) <= 32:
        raise Invalid(f"Attribute '{name}' is the id of a project.")
    return text


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "boolean")
    return value


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(name, value, "integer")
    if not 0 <= value <= _LARGEST:
        raise Invalid(f"Attribute '{name}' is between 0 and {_LARGEST}.")
    return value


def _one_of(allowed: tuple[str, ...]) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in allowed:
            raise Invalid(f"Attribute '{name}' is one of {', '.join(allowed)}.")
        return str(value)

    return read


def _one_of_or_none(allowed: tuple[str, ...]) -> Callable[[str, Any], str | None]:
    read = _one_of(allowed)
    return lambda name, value: None if value is None else read(name, value)


def _tags(name: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise _wrong(name, value, "array")
    return check_tags(list(dict.fromkeys(read_tag(tag) for tag in value)))


ATTRIBUTES: Mapping[str, tuple[str, Callable[[str, Any], Any]]] = {
    "name": ("name", _name),
    "owner": ("project_id", _owner),
    "visibility": ("visibility", _one_of(VISIBILITIES)),
    "protected": ("protected", _flag),
    "disk_format": ("disk_format", _one_of_or_none(DISK_FORMATS)),
    "container_format": ("container_format", _one_of_or_none(CONTAINER_FORMATS)),
    "min_disk": ("min_disk_gib", _count),
    "min_ram": ("min_ram_mib", _count),
    "tags": ("tags", _tags),
}
"""What a client may set: Glance's name, the field of `model.image.Image`, and how it is read."""
