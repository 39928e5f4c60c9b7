"""A region as the API sees it: a whole of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hanok.model.moments import Clock
from hanok.operations.submitter import Submitter
from hanok.store.database import Database


class HostQueries(Protocol):
    """Read-only questions to hosts (`drivers.hosts.Hosts`)."""

    def query(self, host_id: str, verb: str, args: Mapping[str, Any], deadline: float) -> Any:
        """Ask a host; raises HostError, within `deadline` seconds."""


class StoredBytes(Protocol):
    """What is known of an image's bytes: sizes in bytes, the MD5 as hexadecimal digits, if any."""

    @property
    def size(self) -> int:
        """The bytes as they are stored."""

    @property
    def virtual_size(self) -> int:
        """The disk that they make."""

    @property
    def checksum(self) -> str | None:
        """The MD5 of the bytes; None where there is none."""


class ImageBytes(Protocol):
    """Where the bytes of a region's images lie (`media.image_store.ImageStore`)."""

    def add(self, image_id: str, source: Iterable[bytes], disk_format: str) -> StoredBytes:
        """Store an image; raises Invalid where its bytes are not of that format, or unsafe."""

    def path(self, image_id: str) -> Path:
        """Return the file with the bytes; raises HostError where there is none."""

    def remove(self, image_id: str) -> None:
        """Make the bytes absent; absent is success."""

    def ids(self) -> list[str]:
        """List the ids of the images that have bytes."""


LARGEST_IMAGE = 100 << 30


@dataclass(frozen=True, slots=True)
class Region:
    """One region: its name as clients write it (KR1), its store, engine, hosts and images.

    `largest_image` is the limit of an image's bytes. `unended` are the ids of images whose upload
    has ended while the store did not answer, so that the row does not say so yet.
    """

    name: str
    store: Database
    engine: Submitter
    hosts: HostQueries
    clock: Clock
    images: ImageBytes
    largest_image: int = LARGEST_IMAGE
    unended: set[str] = field(default_factory=set)
