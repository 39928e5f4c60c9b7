"""Network links of the host: read from /sys, changed by `ip`.

A change takes one process however many lines it has; a look takes none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hanok.drivers.libvirt.host_command import run
from hanok.model.errors import HostError

_SYS: Final = Path("/sys/class/net")
_UP: Final = 0x1  # IFF_UP
_FAILED: Final = "The host's network could not be changed."


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is: `master` names the bridge that it is a port of, `alias` whose it is."""

    name: str
    alias: str
    mtu: int
    is_up: bool
    master: str | None


def find_link(name: str) -> Link | None:
    """Look at a link of the host's own namespace; None where there is none."""
    folder = _SYS / name
    try:
        return Link(
            name=name,
            alias=(folder / "ifalias").read_text().rstrip("\n"),
            mtu=int((folder / "mtu").read_text()),
            is_up=bool(int((folder / "flags").read_text(), 16) & _UP),
            master=_master(folder),
        )
    except OSError:
        # Each read fails where the link is not there, or goes meanwhile.
        return None


def links_named(prefix: str) -> Iterator[Link]:
    """Yield the host's links whose names begin with `prefix`."""
    for folder in sorted(_SYS.glob(f"{prefix}*")):
        found = find_link(folder.name)
        if found is not None:
            yield found


def change_links(lines: Sequence[str], namespace: str | None = None) -> None:
    """Run lines of `ip`'s language, all in one process; the first that fails ends it.

    Raises `HostError`. Nothing in a line may come from a tenant but checked addresses.
    """
    if lines:
        inside = ["-n", namespace] if namespace else []
        run(["ip", *inside, "-batch", "-"], _FAILED, stdin="\n".join(lines) + "\n")


def remove_link(name: str, alias: str) -> None:
    """Make our link absent; absent is success, and one that is somebody else's is left alone."""
    found = find_link(name)
    if found is None or found.alias not in {"", alias}:
        return
    try:
        change_links([f"link del dev {name}"])
    except HostError:
        if find_link(name) is not None:
            raise


def look_inside(namespace: str, name: str) -> dict[str, Any] | None:
    """Look at a link of a namespace, with its addresses, as `ip -json` gives it; None if absent."""
    try:
        text = run(["ip", "-n", namespace, "-json", "addr", "show", "dev", name], _FAILED)
    except HostError as error:
        if "does not exist" in error.detail or "Cannot open network namespace" in error.detail:
            return None
        raise
    found: list[dict[str, Any]] = json.loads(text)
    return found[0] if found else None


def check_owner(link: Link, alias: str) -> None:
    """Raise a permanent `HostError` where a link of that name is somebody else's.

    A link without an alias is ours, half-made: the name itself is a digest of our ids.
    """
    if link.alias not in {"", alias}:
        detail = f"{link.name} is {link.alias!r}, not {alias!r}"
        raise HostError("A name on the host's network is taken.", detail=detail, permanent=True)


def _master(folder: Path) -> str | None:
    try:
        return (folder / "master").readlink().name
    except FileNotFoundError:
        return None
