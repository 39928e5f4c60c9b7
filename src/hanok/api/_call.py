"""What a handler gets and gives, and how a service lists its endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hanok.model.credentials import Credentials

if TYPE_CHECKING:
    from hanok.api._addresses import Base
    from hanok.api._errors import ErrorShape
    from hanok.api._query import Query
    from hanok.api._region import Region
    from hanok.api.identity.service import Identity


@dataclass(slots=True)
class Call:
    """One request, read and authenticated. `params` are the path's named parts.

    `region` is None only on identity's endpoints; `credentials` only where `Endpoint.auth` is
    False (reading them there is a bug and raises). `blocks` yields the body of a streaming
    endpoint once, in pieces, as the client sends it; it raises where the client goes away.
    """

    identity: Identity
    base: Base
    params: Mapping[str, str]
    query: Query
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    _region: Region | None = None
    _credentials: Credentials | None = None
    blocks: Iterator[bytes] = field(default_factory=lambda: iter(()))

    @property
    def content_type(self) -> str:
        """What the body is said to be, in small letters without parameters; empty if not said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def region(self) -> Region:
        """The region that the route named."""
        assert self._region is not None  # noqa: S101 - a route without a region asks for none
        return self._region

    @property
    def credentials(self) -> Credentials:
        """The caller."""
        assert self._credentials is not None  # noqa: S101 - see above
        return self._credentials


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: `body` is encoded as JSON unless it is bytes or None (no body).

    `file` names a file whose bytes are the body, sent as they are read.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    file: Path | None = None


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and a path below the service's root, with `{name}` parts, and what serves it.

    `permission` names the row of `policy.rules` that the caller must pass; None: any caller.
    `slow` endpoints (password checks) have workers of their own, so that a flood of them delays
    nobody else. The body of a `stream` endpoint may have any size: its handler reads it from
    `Call.blocks`, in workers that serve nothing else. With `auth` False no token is read. A
    `{tenant}` part must be the token's own project.
    """

    method: str
    path: str
    handler: Handler
    permission: str | None = None
    auth: bool = True
    slow: bool = False
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a region, or identity: its name in addresses, its endpoints, its errors."""

    name: str
    endpoints: tuple[Endpoint, ...]
    errors: ErrorShape
