"""The folders of one deployment on a host, and who may pass through them.

    <root>/deployment          whose tree this is
    <root>/disks/              the storage driver's
    <root>/domains/<server>/   config drive and console log of a domain
    <root>/networks/<network>/ the network driver's

Folders are 0711: QEMU and dnsmasq run as users of their own, pass through and list nothing.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from hanok.model.errors import HostError

_QEMU_CONF: Final = Path("/etc/libvirt/qemu.conf")
_QEMU_USERS: Final = ("libvirt-qemu", "qemu")
_PASS: Final = 0o711


class HostTree:
    """The paths below a deployment's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.disks = root / "disks"
        self.domains = root / "domains"
        self.networks = root / "networks"

    def claim(self, deployment_id: str) -> None:
        """Make the tree the deployment's; raises a permanent `HostError` if it is another's."""
        for folder in (self.root, self.disks, self.domains, self.networks):
            folder.mkdir(mode=_PASS, parents=True, exist_ok=True)
            folder.chmod(_PASS)
        owner = self.root / "deployment"
        if not owner.exists():
            write_file(owner, deployment_id.encode(), mode=0o600)
        found = owner.read_text()
        if found != deployment_id:
            detail = f"{self.root} belongs to deployment {found}, not {deployment_id}"
            raise HostError("The host belongs to another region.", detail=detail, permanent=True)


def write_file(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file whole: it appears, or is replaced, by one rename.

    The name it is written under begins with a dot, which the readers of these folders skip.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temp = Path(name)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # it is open already
            os.fchmod(handle, mode)
            file.write(content)
        temp.rename(path)
    finally:
        with suppress(FileNotFoundError):
            temp.unlink()


def qemu_user() -> str | None:
    """Return the user that libvirt runs QEMU as: the configured one, else the distribution's."""
    with suppress(OSError):
        for line in _QEMU_CONF.read_text(errors="replace").splitlines():
            found = re.fullmatch(r'\s*user\s*=\s*"\+?([^"]+)"\s*', line)
            if found:
                return found[1]
    return next((name for name in _QEMU_USERS if _uid_of(name) is not None), None)


def check_reachable(root: Path) -> str | None:
    """Say in a sentence why QEMU's user cannot reach `root`; None when it can.

    Looks at owners and modes; access lists and mandatory access control may say otherwise.
    """
    user = qemu_user()
    uid = _uid_of(user) if user else None
    if user is None or uid is None:
        return "libvirt's QEMU user does not exist on this machine; install libvirt-daemon-system."
    closed = closed_folders(root, uid)
    if not closed:
        return None
    listed = ", ".join(map(str, closed))
    return f"The user {user} cannot enter {listed}; open it (chmod o+x) or choose another place."


def closed_folders(root: Path, uid: int) -> list[Path]:
    """List the folders from / down to `root` that a user cannot pass through."""
    if uid == 0:
        return []
    groups = _groups_of(uid)
    path = root.resolve()
    folders = [*reversed(path.parents), path]
    return [folder for folder in folders if folder.is_dir() and not _passes(folder, uid, groups)]


def open_way(root: Path, below: Path) -> list[Path]:
    """Let every user pass (not list) from `below` down to `root`; return the folders changed.

    Folders above `below` are never touched. Raises `ValueError` if `root` is not below it.
    """
    path, top = root.resolve(), below.resolve()
    path.relative_to(top)
    changed = []
    for folder in [*reversed(path.parents), path]:
        if not folder.is_relative_to(top):
            continue
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            changed.append(folder)
    return changed


def _passes(folder: Path, uid: int, groups: set[int]) -> bool:
    found = folder.stat()
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid in groups:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _groups_of(uid: int) -> set[int]:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return set()
    return set(os.getgrouplist(entry.pw_name, entry.pw_gid))


def _uid_of(name: str) -> int | None:
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
