"""What clients of the network service ask for and is not offered: each says so in a sentence.

Lists are empty, single objects are not found, and what would make one is a 501. Terraform reads a
router that must not be there after it has deleted a routing table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network.collections import Missing
from hanok.model.errors import NotImplemented_


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object that nobody has: its names on the wire and in sentences."""

    plural: str
    kind: str
    words: str
    sentence: str
    actions: tuple[str, ...] = ()

    def listed(self, _call: Call) -> Answer:
        """Serve the list, which is empty."""
        return Answer(200, {self.plural: []})

    def refused(self, _call: Call) -> NoReturn:
        """Refuse to make one: 501."""
        raise NotImplemented_(self.sentence)

    def missing(self, call: Call) -> NoReturn:
        """Answer for one by its id: 404."""
        raise Missing(self.kind, self.words, call.params["id"])

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the endpoints of the list and of single objects."""
        root = f"/v2.0/{self.plural}"
        yield Endpoint("GET", root, self.listed, "networks:read")
        yield Endpoint("POST", root, self.refused, "networks:write")
        yield Endpoint("GET", f"{root}/{{id}}", self.missing, "networks:read")
        for method in ("PUT", "DELETE"):
            yield Endpoint(method, f"{root}/{{id}}", self.missing, "networks:write")
        for action in self.actions:
            yield Endpoint("PUT", f"{root}/{{id}}/{action}", self.missing, "networks:write")


KINDS = (
    Kind(
        *("routers", "Router", "Router"),
        "Routers are not offered: networks have no way to each other and to the outside.",
        ("add_router_interface", "remove_router_interface"),
    ),
    Kind(
        *("routes", "Route", "Route"),
        "Routes are not offered: networks have no way to each other and to the outside.",
    ),
    Kind(
        *("subnetpools", "SubnetPool", "Subnet pool"),
        "Subnet pools are not offered: a subnet is made with its cidr.",
    ),
    Kind(
        *("floatingips", "FloatingIP", "Floating IP"),
        "Floating IPs are not offered: there is no external network to take them from.",
    ),
    Kind(
        *("internetgateways", "InternetGateway", "Internet gateway"),
        "Internet gateways are not offered: there is no external network to connect to.",
    ),
)


def _routing_tables(_call: Call) -> NoReturn:
    raise NotImplemented_(
        "Routing tables are not made or changed: each VPC has its default one, without routes."
    )


ENDPOINTS = (
    *(endpoint for kind in KINDS for endpoint in kind.endpoints()),
    Endpoint("POST", "/v2.0/routingtables", _routing_tables, "networks:write"),
    *(
        Endpoint("PUT", f"/v2.0/routingtables/{{id}}/{action}", _routing_tables, "networks:write")
        for action in ("attach_gateway", "detach_gateway", "set_as_default")
    ),
    *(
        Endpoint(method, "/v2.0/routingtables/{id}", _routing_tables, "networks:write")
        for method in ("PUT", "DELETE")
    ),
    *(
        Endpoint("PUT", f"/v2.0/vpcsubnets/{{id}}/{action}", _routing_tables, "networks:write")
        for action in ("attach_routingtable", "detach_routingtable")
    ),
)
