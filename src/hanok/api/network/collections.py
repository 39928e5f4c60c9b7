"""Lists and single objects of the network service: one way for all kinds.

A filter is any field of the answer; repeated values are alternatives, `fields` picks what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network import filters, pages
from hanok.model.errors import NotFound
from hanok.store.database import Reader

View = Callable[[Any, Any], dict[str, Any]]
Only = Mapping[str, Sequence[str]]
"""Filters that the store applies: a column's name, and the values that it may have."""


_OWN_WORDS = {"SecurityGroup": "does not exist", "SecurityGroupRule": "does not exist"}
"""How Neutron says of these kinds that one is not there."""


class Missing(NotFound):
    """An object that is not there; `neutron_type` names its kind."""

    def __init__(self, kind: str, words: str, wanted: str) -> None:
        super().__init__(f"{words} {wanted} {_OWN_WORDS.get(kind, 'could not be found.')}")
        self.neutron_type = f"{kind}NotFound"


@dataclass(frozen=True, slots=True)
class Collection:
    """A kind of object: its names on the wire, how a project's are read and shown.

    `read` returns all (object, children) pairs that pass the filters of `columns`, `get` the one
    with an id. `prepare` runs before a list is read; `detail` is the view of a single object where
    that shows more. `sorts` are the fields that a list may be sorted by. `links` names further
    lists of the links to other pages, where a client looks for other names than Neutron's.
    `unseen` are the fields of the view that lists are filtered by and no answer shows.
    """

    plural: str
    singular: str
    kind: str
    words: str
    read: Callable[[Reader, str, Only], Sequence[tuple[Any, Any]]]
    get: Callable[[Reader, str, str], tuple[Any, Any] | None]
    view: View
    detail: View | None = None
    prepare: Callable[[Call], None] | None = None
    columns: frozenset[str] = frozenset()
    sorts: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    unseen: frozenset[str] = frozenset()

    def listed(self, call: Call) -> Answer:
        """Serve the list."""
        asked, page = filters.wanted(call.query), pages.page(call.query)
        if self.prepare is not None:
            self.prepare(call)
        # The marker need not pass the filters, so it is looked for among all.
        only = {} if page.marker else filters.only(asked, self.columns)
        with call.region.store.read() as reader:
            pairs = self.read(reader, call.credentials.project_id, only)
        every = pages.ordered(call.query, self.sorts, [self.view(*pair) for pair in pairs])
        found = pages.behind(page, every)
        if found is None:
            raise Missing(self.kind, self.words, page.marker or "")
        shown = pages.cut(page, [one for one in found if filters.matches(asked, one)])
        body: dict[str, Any] = {self.plural: [self._fields(call, one) for one in shown]}
        address = call.base.service(call.region.name, "network") + self.root
        links = pages.links(call.query, page, shown, address)
        if links:
            body |= {f"{name}_links": links for name in (self.plural, *self.links)}
        return Answer(200, body)

    def show(self, call: Call) -> Answer:
        """Serve one by its id; a name is a clean 404, which clients rely on."""
        wanted = call.params["id"]
        with call.region.store.read() as reader:
            found = self.get(reader, call.credentials.project_id, wanted)
        if found is None:
            raise Missing(self.kind, self.words, wanted)
        return Answer(200, {self.singular: self._fields(call, (self.detail or self.view)(*found))})

    def _fields(self, call: Call, one: dict[str, Any]) -> dict[str, Any]:
        wanted = call.query.all("fields")
        names = (name for name in wanted if name in one) if wanted else one
        return {name: one[name] for name in names if name not in self.unseen}

    @property
    def root(self) -> str:
        """The list's path below the service's root."""
        return f"/v2.0/{self.plural.replace('_', '-')}"

    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """Return the list's and the object's endpoints."""
        return (
            Endpoint("GET", self.root, self.listed, "networks:read"),
            Endpoint("GET", f"{self.root}/{{id}}", self.show, "networks:read"),
        )
