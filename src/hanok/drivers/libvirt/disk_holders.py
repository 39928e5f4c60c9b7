"""Which domain holds which disk: a disk has one holder, and is not deleted while it has.

A symbolic link `<disk id>.holder` to the server's id stands beside the disk. Making one is atomic
and fails where there is one, so of two domains that want a disk, one gets it.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from hanok.drivers.libvirt.names import safe_id
from hanok.model.errors import HostError

_SUFFIX: Final = ".holder"


class DiskHolders:
    """The holders of the disks in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holder(self, disk_id: str) -> str | None:
        """Return the server that holds the disk, None if nobody does."""
        try:
            return str(self._link(disk_id).readlink())
        except FileNotFoundError:
            return None

    def take(self, disk_id: str, server_id: str) -> None:
        """Let the server hold the disk; raises a permanent `HostError` where another does."""
        try:
            self._link(disk_id).symlink_to(server_id)
        except FileExistsError:
            holder = self.holder(disk_id)
            if holder != server_id:
                detail = f"disk {disk_id} is held by {holder}"
                message = "A disk of the server is in use."
                raise HostError(message, detail=detail, permanent=True) from None

    def release_one(self, disk_id: str, server_id: str) -> None:
        """Let go of one disk, if it is the server that holds it."""
        if self.holder(disk_id) == server_id:
            with suppress(FileNotFoundError):
                self._link(disk_id).unlink()

    def release(self, server_id: str, keep: Collection[str] = ()) -> None:
        """Let go of every disk that the server holds, but those in `keep`."""
        for link in self._folder.glob(f"*{_SUFFIX}"):
            disk_id = link.name.removesuffix(_SUFFIX)
            if disk_id not in keep and self.holder(disk_id) == server_id:
                with suppress(FileNotFoundError):
                    link.unlink()

    def _link(self, disk_id: str) -> Path:
        return self._folder / f"{safe_id(disk_id)}{_SUFFIX}"
