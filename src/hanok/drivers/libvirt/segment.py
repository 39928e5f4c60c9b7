"""A network on a host: a bridge, and a namespace with the network's own addresses.

    guests' taps ── bridge ── veth ┄┄ namespace ┄┄ gw0: gateway addresses, DHCP

The bridge stands in the host's namespace, where libvirt opens the taps, and has no address. The
gateway addresses live in a namespace of their own, so that networks may overlap each other and
the host's own, and the host's routes stay as they are.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

from hanok.drivers.libvirt.addressing import Segment
from hanok.drivers.libvirt.host_command import run
from hanok.drivers.libvirt.links import (
    change_links,
    check_owner,
    find_link,
    links_named,
    look_inside,
    remove_link,
)
from hanok.drivers.libvirt.names import Names
from hanok.model.errors import HostError

INSIDE: Final = "gw0"
"""The namespace's end of the pair that joins it to the bridge."""

BRIDGES: Final = "hkb"
"""How bridges' names begin."""

NAMESPACES: Final = Path("/run/netns")

_FAILED: Final = "The host's network could not be changed."


class Segments:
    """The bridges and namespaces of one deployment."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._filter_lock = threading.Lock()

    def ensure(self, segment: Segment) -> int:
        """Make the bridge, the namespace and its addresses exist as told; repair what is not.

        Returns the number of the namespace's link, another one whenever it was made anew.
        """
        bridge = self._names.bridge(segment.network_id)
        self._ensure_bridge(segment, bridge)
        self._seal(bridge)
        change_links(self._missing_up(segment, bridge))
        return self._ensure_namespace(segment, bridge)

    def remove(self, network_id: str) -> None:
        """Make all of it absent."""
        namespace = self._names.namespace(network_id)
        bridge = self._names.bridge(network_id)
        remove_link(self._names.veth(network_id), self._names.alias("namespace", network_id))
        if (NAMESPACES / namespace).exists():
            run(["ip", "netns", "del", namespace], _FAILED)
        remove_link(bridge, self._names.alias("network", network_id))
        self._unseal(bridge)

    def _ensure_bridge(self, segment: Segment, bridge: str) -> None:
        alias = self._names.alias("network", segment.network_id)
        found = find_link(bridge)
        lines = []
        if found is None:
            # No spanning tree and no delay: a port forwards as soon as it is up. No snooping:
            # nobody here asks for multicast groups, and unasked ones would be dropped.
            kind = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
            lines.append(f"link add {bridge} mtu {segment.mtu} {kind}")
        else:
            check_owner(found, alias)
        if found is None or found.alias != alias:
            lines.append(f'link set dev {bridge} alias "{alias}"')
            lines.append(f"link set dev {bridge} addrgenmode none")
        change_links(lines)

    def _missing_up(self, segment: Segment, bridge: str) -> list[str]:
        found = find_link(bridge)
        if found is not None and found.is_up and found.mtu == segment.mtu:
            return []
        return [f"link set dev {bridge} mtu {segment.mtu} up"]

    def _seal(self, bridge: str) -> None:
        """Drop what guests send to the host itself through the bridge.

        A bridge that is up is also an interface of the host, even without an address: the host
        would answer ARP there for all its addresses and take packets for its services.
        """
        table = self._names.filter_table()
        hook = f'type filter hook ingress device "{bridge}" priority 0; policy drop;'
        rules = f"add table netdev {table}\nadd chain netdev {table} {bridge} {{ {hook} }}\n"
        with self._filter_lock:
            run(["nft", "-f", "-"], _FAILED, stdin=rules)

    def _unseal(self, bridge: str) -> None:
        """Remove the chain of a bridge that is gone, and with the last bridge the table.

        Adding first makes absence no error.
        """
        table = self._names.filter_table()
        with self._filter_lock:
            own = (self._names.owned_id("network", link.alias) for link in links_named(BRIDGES))
            rules = f"add table netdev {table}\n"
            if any(own):
                rules += (
                    f"add chain netdev {table} {bridge}\ndelete chain netdev {table} {bridge}\n"
                )
            else:
                rules += f"delete table netdev {table}\n"
            run(["nft", "-f", "-"], _FAILED, stdin=rules)

    def _ensure_namespace(self, segment: Segment, bridge: str) -> int:
        namespace = self._names.namespace(segment.network_id)
        veth = self._names.veth(segment.network_id)
        if not _is_mounted(NAMESPACES / namespace):
            # A file that is no mount is left by a crash.
            if (NAMESPACES / namespace).exists():
                run(["ip", "netns", "del", namespace], _FAILED)
            run(["ip", "netns", "add", namespace], _FAILED)
        inside = look_inside(namespace, INSIDE)
        if inside is None:
            inside = self._join(segment, veth, namespace)
        outside = find_link(veth)
        if outside is None or (outside.master, outside.mtu, outside.is_up) != (
            bridge,
            segment.mtu,
            True,
        ):
            change_links([f"link set dev {veth} mtu {segment.mtu} master {bridge} up"])
        change_links(_inside_changes(segment, inside), namespace)
        return int(inside["ifindex"])

    def _join(self, segment: Segment, veth: str, namespace: str) -> dict[str, Any]:
        """Make the pair anew, in a namespace that forwards nothing; return its inner end."""
        alias = self._names.alias("namespace", segment.network_id)
        remove_link(veth, alias)
        # A namespace takes over the host's setting at its birth.
        setting = "/proc/sys/net/ipv4/ip_forward"
        run(["nsenter", f"--net={NAMESPACES / namespace}", "tee", setting], _FAILED, stdin="0\n")
        change_links(
            [
                f"link add {veth} type veth peer name {INSIDE} netns {namespace}",
                f'link set dev {veth} alias "{alias}"',
                f"link set dev {veth} addrgenmode none",
            ]
        )
        made = look_inside(namespace, INSIDE)
        if made is None:
            raise HostError(_FAILED, detail=f"{INSIDE} in {namespace} is gone again")
        return made


def _is_mounted(place: Path) -> bool:
    """Tell whether a namespace's file is one, not what a crash left of it."""
    return place.exists() and place.stat().st_dev != place.parent.stat().st_dev


def _inside_changes(segment: Segment, inside: dict[str, Any]) -> list[str]:
    """Return what the namespace's end lacks or has too much; `inside` as `ip -json` shows it."""
    present = {_as_written(a) for a in inside["addr_info"] if a["family"] == "inet"}
    wanted = segment.own_addresses()
    lines = [f"addr del {address} dev {INSIDE}" for address in sorted(present - wanted)]
    if inside["mtu"] != segment.mtu or "UP" not in inside["flags"]:
        lines += ["link set dev lo up", f"link set dev {INSIDE} addrgenmode none"]
        lines.append(f"link set dev {INSIDE} mtu {segment.mtu} up")
    return lines + [f"addr add {address} dev {INSIDE}" for address in sorted(wanted - present)]


def _as_written(address: dict[str, Any]) -> str:
    """Return an address as `ip` takes it, from what `ip -json` shows."""
    prefix = address["prefixlen"]
    if "address" in address:
        return f"{address['local']} peer {address['address']}/{prefix}"
    return f"{address['local']}/{prefix}"
