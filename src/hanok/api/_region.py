"""A region as the API sees it: a whole of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hanok.model.moments import Clock
from hanok.operations.submitter import Submitter
from hanok.store.database import Database


class HostQueries(Protocol):
    """Read-only questions to hosts (`drivers.hosts.Hosts`)."""

    def query(self, host_id: str, verb: str, args: Mapping[str, Any], deadline: float) -> Any:
        """Ask a host; raises HostError, within `deadline` seconds."""


@dataclass(frozen=True, slots=True)
class Region:
    """One region: its name as clients write it (KR1), its store, engine and hosts."""

    name: str
    store: Database
    engine: Submitter
    hosts: HostQueries
    clock: Clock
