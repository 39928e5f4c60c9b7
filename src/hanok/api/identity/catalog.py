"""The catalog: where each region's services stand, in v2.0's form and in v3's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from hanok.api._addresses import Base

# Type, name, the service's name in addresses, and what follows its root.
_REGIONAL = (
    ("compute", "nova", "compute", "/v2/{project}"),
    ("image", "glance", "image", ""),
    ("volumev2", "cinderv2", "volume", "/v2/{project}"),
    ("volumev3", "cinderv3", "volume", "/v3/{project}"),
    ("network", "neutron", "network", ""),
)
_INTERFACES = ("public", "internal", "admin")


def _stable_id(*parts: str) -> str:
    """Return an id that is the same on every start and in every process."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "hanok:" + ":".join(parts)).hex


class Catalog:
    """Writes the catalog of a project; `regions` are names as clients write them (KR1)."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = tuple(regions)
        self._services = {kind: _stable_id("service", kind) for kind, *_ in _REGIONAL}
        self._services["identity"] = _stable_id("service", "identity")
        self._ids = {
            (kind, region, interface): _stable_id("endpoint", kind, region, interface)
            for kind in self._services
            for region in self._regions
            for interface in _INTERFACES
        }

    def v2(self, base: Base, project_id: str) -> list[dict[str, Any]]:
        """Return `access.serviceCatalog`: endpoints with region and publicURL alone."""
        entries = [
            {
                "type": kind,
                "name": name,
                "endpoints": [
                    {"region": region, "publicURL": url}
                    for region, url in self._urls(base, service, path, project_id)
                ],
            }
            for kind, name, service, path in _REGIONAL
        ]
        identity = [
            {"region": region, "publicURL": f"{base.identity}/v2.0"} for region in self._regions
        ]
        return [*entries, {"type": "identity", "name": "keystone", "endpoints": identity}]

    def v3(self, base: Base, project_id: str) -> list[dict[str, Any]]:
        """Return `token.catalog`: an endpoint for each region and interface, all with one URL."""
        entries = [
            self._v3_entry(kind, name, self._urls(base, service, path, project_id))
            for kind, name, service, path in _REGIONAL
        ]
        identity = [(region, f"{base.identity}/v3") for region in self._regions]
        return [*entries, self._v3_entry("identity", "keystone", identity)]

    def _urls(self, base: Base, service: str, path: str, project_id: str) -> list[tuple[str, str]]:
        tail = path.format(project=project_id)
        return [(region, base.service(region, service) + tail) for region in self._regions]

    def _v3_entry(self, kind: str, name: str, urls: list[tuple[str, str]]) -> dict[str, Any]:
        endpoints = [
            {
                "id": self._ids[kind, region, interface],
                "interface": interface,
                "region": region,
                "region_id": region,
                "url": url,
            }
            for region, url in urls
            for interface in _INTERFACES
        ]
        return {"id": self._services[kind], "type": kind, "name": name, "endpoints": endpoints}
