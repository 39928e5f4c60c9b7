"""What the bodies of the network service share: short texts, flags, whose an object is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec

from hanok.model.credentials import Credentials
from hanok.model.errors import Invalid

Short = Annotated[str, msgspec.Meta(max_length=255)]
"""A name, a description or an id."""
Flag = bool | int | str | None
"""A truth value as clients write it: true, 1, "true", "True"."""
_UUID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def truth(value: object) -> bool | None:
    """Read a truth value; None for what is none."""
    return _FLAGS.get(str(value).lower())


def flag(name: str, value: Flag, default: bool) -> bool:
    """Read a truth value; None is the default; raises Invalid in Neutron's words."""
    if value is None:
        return default
    known = truth(value)
    if known is None:
        raise Invalid(
            f"Invalid input for {name}. Reason: '{value}' cannot be converted to boolean."
        )
    return known


def check_uuids(name: str, values: Iterable[str]) -> None:
    """Refuse what is no UUID, with dashes or without, before it is looked for (Neutron)."""
    for value in values:
        if not _UUID.fullmatch(value.replace("-", "")):
            raise Invalid(f"Invalid input for {name}. Reason: '{value}' is not a valid UUID.")


def check_project(credentials: Credentials, *named: str | None) -> None:
    """Refuse an object for another project than the token's, an administrator's too."""
    for project_id in named:
        if project_id and project_id.replace("-", "") != credentials.project_id:
            raise Invalid(
                "Specifying 'project_id' or 'tenant_id' other than the authenticated project in "
                "a request is not offered."
            )
