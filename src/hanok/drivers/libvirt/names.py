"""What this driver calls things on a host, so that a deployment knows its own from others'.

Names of links end at 15 characters (IFNAMSIZ), so they carry a digest of deployment and id; what
they stand for is written in the link's alias, where the kernel keeps it as long as the link.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from hanok.model.errors import HostError

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one deployment's objects on a host."""

    deployment_id: str

    @property
    def tag(self) -> str:
        """Eight hexadecimal digits that stand for the deployment.

        A digest, since ids made in the same minute may begin alike.
        """
        return _digest(self.deployment_id)[:8]

    @property
    def domain_prefix(self) -> str:
        """Return how the names of the deployment's domains begin."""
        return f"hk-{self.tag}-"

    def domain(self, server_id: str) -> str:
        """Name a server's domain."""
        return self.domain_prefix + server_uuid(server_id)

    def bridge(self, network_id: str) -> str:
        """Name a network's bridge."""
        return f"hkb{_digest(self.deployment_id, network_id)}"

    def veth(self, network_id: str) -> str:
        """Name the host's end of the pair that joins a network's namespace to its bridge."""
        return f"hkv{_digest(self.deployment_id, network_id)}"

    def namespace(self, network_id: str) -> str:
        """Name a network's namespace."""
        return f"hk-{self.tag}-{_digest(self.deployment_id, network_id)}"

    def tap(self, port_id: str) -> str:
        """Name a port's tap."""
        return f"hkt{_digest(self.deployment_id, port_id)}"

    def filter_table(self) -> str:
        """Name the deployment's nftables table."""
        return f"hanok_{self.tag}"

    def alias(self, kind: str, object_id: str) -> str:
        """Tell what a link is: `kind` is network or port."""
        return f"hanok {self.deployment_id} {kind} {object_id}"

    def owned_id(self, kind: str, alias: str) -> str | None:
        """Return the id in an alias of this deployment's and kind's; None in any other."""
        prefix = self.alias(kind, "")
        return alias.removeprefix(prefix) if alias.startswith(prefix) else None


def safe_id(object_id: str) -> str:
    """Return an id that is safe as a file's name; raises a permanent `HostError` on others."""
    if not _ID.fullmatch(object_id):
        raise HostError(f"The id {object_id!r} is malformed.", permanent=True)
    return object_id


def server_uuid(server_id: str) -> str:
    """Return a server's id as libvirt writes it; raises a permanent `HostError` on others."""
    with suppress(ValueError):
        if str(uuid.UUID(server_id)) == server_id:
            return server_id
    raise HostError(f"The server id {server_id!r} is no UUID.", permanent=True)


def _digest(*parts: str) -> str:
    """Twelve hexadecimal digits: among 10,000 names, one collision in five million hosts."""
    return hashlib.blake2s("\0".join(parts).encode(), digest_size=6).hexdigest()
