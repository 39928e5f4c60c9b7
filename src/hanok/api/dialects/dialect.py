"""What differs between the dialects of the compute API.

`/v2` is NHN Cloud's: tolerant, with vendor fields and the guide's rules. Handlers take what they
need from this value and never ask which dialect it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hanok.api._links import Links
from hanok.model.create_rules import CreateRules
from hanok.model.server import ServerDetail
from hanok.model.server_create import ServerCreate


class ViewServer(Protocol):
    """How a dialect shows a server."""

    def __call__(self, detail: ServerDetail, links: Links, *, admin: bool) -> Mapping[str, Any]:
        """Return the server as JSON-able values, to an administrator or to a tenant."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect: where it stands, how it reads requests, its rules, how it shows a server."""

    name: str
    root: str
    read_create: Callable[[bytes], ServerCreate]
    read_update: Callable[[bytes], str | None]
    rules: CreateRules
    view_server: ViewServer
