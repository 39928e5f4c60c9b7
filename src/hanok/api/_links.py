"""The compute API's links: `self` with the version, `bookmark` without."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """Links of one project below a service's root; `version` is "v2"."""

    base: str
    version: str
    project_id: str

    def both(self, collection: str, item: str) -> list[dict[str, str]]:
        """Return an item's two links, self first."""
        return [
            {"href": f"{self.collection(collection)}/{item}", "rel": "self"},
            {"href": f"{self.base}/{self.project_id}/{collection}/{item}", "rel": "bookmark"},
        ]

    def bookmark(self, collection: str, item: str) -> list[dict[str, str]]:
        """Return an item's bookmark only, as inside a server."""
        href = f"{self.base}/{self.project_id}/{collection}/{item}"
        return [{"href": href, "rel": "bookmark"}]

    def collection(self, path: str) -> str:
        """Return a collection's own address."""
        return f"{self.base}/{self.version}/{self.project_id}/{path}"
