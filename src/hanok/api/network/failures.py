"""The network service's failures: Neutron's type for each that the rules below know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from hanok.api._errors import Rendered, network_shape
from hanok.model.errors import Conflict, HanokError
from hanok.model.network import (
    GatewayInPool,
    InvalidInput,
    PoolInvalid,
    PoolOutside,
    PoolsOverlap,
)
from hanok.model.network_quota import OverQuota
from hanok.model.port import AddressNowhere, AddressOutside, AddressTaken, MacTaken, NoAddressLeft

TYPES: Mapping[type[HanokError], str] = {
    InvalidInput: "InvalidInput",
    PoolInvalid: "InvalidAllocationPool",
    PoolOutside: "OutOfBoundsAllocationPool",
    PoolsOverlap: "OverlappingAllocationPools",
    GatewayInPool: "GatewayConflictWithAllocationPools",
    OverQuota: "OverQuota",
    AddressTaken: "IpAddressInUse",
    NoAddressLeft: "IpAddressGenerationFailure",
    MacTaken: "MacAddressInUse",
    AddressOutside: "InvalidIpForSubnet",
    AddressNowhere: "InvalidIpForNetwork",
}


class PortInUse(Conflict):
    """A server has the port."""

    neutron_type = "PortInUse"

    def __init__(self, port_id: str, network_id: str, server_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on port {port_id} for network {network_id}. The port is "
            f"in use by the server {server_id}: delete the server, or take its interface away."
        )


def shape(error: HanokError, identity: str) -> Rendered:
    """Render a failure as Neutron does."""
    rendered = network_shape(error, identity)
    kind = TYPES.get(type(error))
    if kind is None:
        return rendered
    body = {"NeutronError": {"type": kind, "message": error.message, "detail": ""}}
    return replace(rendered, body=msgspec.json.encode(body))
