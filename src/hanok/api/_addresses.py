"""Where services stand: paths, the public URL, and NHN Cloud's own host names.

Identity stands at the root; every other service below its region: `/kr1/compute`. A table of host
names maps NHN's own to the same places, so whoever points DNS at Hanok changes nothing. Links are
made from the public URL, or from a Host header that is in this table; never from any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SERVICES = ("compute", "image", "volume", "network")
_NHN_SERVICE = {
    "compute": "instance",
    "image": "image",
    "volume": "block-storage",
    "network": "network",
}
_NHN_IDENTITY = "api-identity-infrastructure.nhncloudservice.com"


@dataclass(frozen=True, slots=True)
class Base:
    """How links of one request start: `identity` is identity's root, without a final slash."""

    identity: str
    scheme: str
    nhn: bool = False

    def service(self, region: str, service: str) -> str:
        """Return a service's root in a region, without a final slash."""
        if self.nhn:
            return f"{self.scheme}://{_nhn_host(region, service)}"
        return f"{self.identity}/{region.lower()}/{service}"


def _nhn_host(region: str, service: str) -> str:
    return f"{region.lower()}-api-{_NHN_SERVICE[service]}-infrastructure.nhncloudservice.com"


class Addresses:
    """Resolves a request's Host header to a path prefix and the start of its links."""

    def __init__(self, public_url: str, regions: Sequence[str]) -> None:
        scheme = public_url.split(":", 1)[0]
        self._own = Base(identity=public_url.rstrip("/"), scheme=scheme)
        self._nhn = Base(identity=f"{scheme}://{_NHN_IDENTITY}", scheme=scheme, nhn=True)
        self._prefixes = {_NHN_IDENTITY: ""}
        for region in regions:
            for service in SERVICES:
                self._prefixes[_nhn_host(region, service)] = f"/{region.lower()}/{service}"

    @property
    def own(self) -> Base:
        """Links from the public URL."""
        return self._own

    def resolve(self, host: str) -> tuple[str, Base]:
        """Return the path prefix that a Host header stands for, and the base of links."""
        if host:
            prefix = self._prefixes.get(host.partition(":")[0].lower())
            if prefix is not None:
                return prefix, self._nhn
        return "", self._own
