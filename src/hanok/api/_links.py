"""Links of the compute service: `self` with the version in its path, `bookmark` without.

Source: every example of the guide; image and flavor links inside a server are bookmarks only.
"""

from __future__ import annotations


class Links:
    """Builds links for one request.

    `base` is the service's root without a final slash, `version` the dialect's path (`v2`).
    """

    __slots__ = ("_bookmark", "_self")

    def __init__(self, base: str, version: str, project_id: str) -> None:
        self._self = f"{base}/{version}/{project_id}/"
        self._bookmark = f"{base}/{project_id}/"

    def both(self, collection: str, id_: str) -> list[dict[str, str]]:
        """Return an object's two links, `self` first."""
        path = f"{collection}/{id_}"
        return [
            {"rel": "self", "href": self._self + path},
            {"rel": "bookmark", "href": self._bookmark + path},
        ]

    def bookmark(self, collection: str, id_: str) -> list[dict[str, str]]:
        """Return the bookmark alone, as inside another object."""
        return [{"rel": "bookmark", "href": f"{self._bookmark}{collection}/{id_}"}]

    def collection(self, path: str) -> str:
        """Return the address of a collection (`servers/detail`), for links to its next page."""
        return self._self + path
