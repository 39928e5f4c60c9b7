"""A domain's folder: the config drive that its guest reads and the log that its console fills."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from hanok.drivers.libvirt.host_tree import write_file

_FOLDER_MODE: Final = 0o711
_SECRET_MODE: Final = 0o600
_LOGS: Final = ("console.log", "console.log.0", "console.log.1", "console.log.2")
"""Newest first: virtlogd starts another file every 2 MiB and keeps these."""


class DomainFolder:
    """The folder of one domain."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_drive = path / "config.iso"
        self.console_log = path / _LOGS[0]

    def has_drive(self, content: bytes) -> bool:
        """Tell whether the config drive is there with exactly these bytes."""
        try:
            return self.config_drive.read_bytes() == content
        except FileNotFoundError:
            return False

    def write_drive(self, content: bytes) -> None:
        """Write the config drive; it holds secrets, so only root reads it until a guest has it.

        libvirt gives it to QEMU's user at the start.
        """
        self.path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        self.path.chmod(_FOLDER_MODE)
        write_file(self.config_drive, content, mode=_SECRET_MODE)

    def console_tail(self, max_bytes: int) -> bytes:
        """Return the last `max_bytes` of the console's output, across rotated files."""
        tail = b""
        for name in _LOGS:
            wanted = max_bytes - len(tail)
            if wanted <= 0:
                break
            try:
                with (self.path / name).open("rb") as log:
                    log.seek(max(0, log.seek(0, os.SEEK_END) - wanted))
                    tail = log.read(wanted) + tail
            except FileNotFoundError:
                break
        return tail

    def remove(self) -> None:
        """Make the folder absent."""
        try:
            shutil.rmtree(self.path)
        except FileNotFoundError:
            return
