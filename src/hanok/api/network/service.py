"""The network service: networks, subnets, ports, security groups and rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hanok.api._call import Answer, Call, Endpoint, Service
from hanok.api.network import extensions, not_offered, quotas, rules, views, vpcs
from hanok.api.network import networks as network_endpoints
from hanok.api.network import ports as port_endpoints
from hanok.api.network import security_groups as groups
from hanok.api.network import subnets as subnet_endpoints
from hanok.api.network.collections import Collection, Only
from hanok.api.network.failures import shape
from hanok.model.security_group import DEFAULT
from hanok.store import networks, ports, security_groups
from hanok.store.database import Reader


def _networks(reader: Reader, project_id: str, _only: Only) -> Sequence[tuple[Any, Any]]:
    subnets = networks.all_subnets(reader, project_id)
    return [
        (one, [subnet for subnet in subnets if subnet.network_id == one.id])
        for one in networks.visible(reader, project_id)
    ]


def _network(reader: Reader, project_id: str, wanted: str) -> tuple[Any, Any] | None:
    one = networks.network(reader, project_id, wanted)
    return None if one is None else (one, networks.subnets_of(reader, one.id))


def _subnets(reader: Reader, project_id: str, _only: Only) -> Sequence[tuple[Any, Any]]:
    return [(one, None) for one in networks.all_subnets(reader, project_id)]


def _ports(reader: Reader, project_id: str, only: Only) -> Sequence[tuple[Any, Any]]:
    return [(one, None) for one in ports.of_project(reader, project_id, only)]


def _groups(reader: Reader, project_id: str, _only: Only) -> Sequence[tuple[Any, Any]]:
    known = security_groups.project_rules(reader, project_id)
    return [
        (one, [rule for rule in known if rule.security_group_id == one.id])
        for one in security_groups.of_project(reader, project_id)
    ]


def _group(reader: Reader, project_id: str, wanted: str) -> tuple[Any, Any] | None:
    one = security_groups.get(reader, project_id, wanted)
    return None if one is None else (one, security_groups.rules_of(reader, one.id))


def _rules(reader: Reader, project_id: str, only: Only) -> Sequence[tuple[Any, Any]]:
    known = security_groups.of_project(reader, project_id)
    default = {group.id for group in known if group.name == DEFAULT}
    found = security_groups.project_rules(reader, project_id, only)
    return [(one, one.security_group_id in default) for one in found]


def _rule(reader: Reader, project_id: str, wanted: str) -> tuple[Any, Any] | None:
    one = security_groups.get_rule(reader, project_id, wanted)
    group = None if one is None else security_groups.get(reader, project_id, one.security_group_id)
    return None if group is None else (one, group.name == DEFAULT)


def _single(
    get: Callable[[Reader, str, str], Any],
) -> Callable[[Reader, str, str], tuple[Any, Any] | None]:
    def found(reader: Reader, project_id: str, wanted: str) -> tuple[Any, Any] | None:
        one = get(reader, project_id, wanted)
        return None if one is None else (one, None)

    return found


_USUAL = ("id", "tenant_id", "project_id", "created_at", "updated_at")
COLLECTIONS = (
    Collection(
        *("networks", "network", "Network", "Network"),
        _networks,
        _network,
        views.network,
        sorts=(*_USUAL, "name", "status", "admin_state_up", "shared", "router:external", "mtu"),
    ),
    Collection(
        *("subnets", "subnet", "Subnet", "Subnet"),
        _subnets,
        _single(networks.subnet),
        views.subnet,
        sorts=(*_USUAL, "name", "network_id", "cidr", "gateway_ip", "enable_dhcp", "ip_version"),
    ),
    Collection(
        *("ports", "port", "Port", "Port"),
        _ports,
        _single(ports.get_of_project),
        views.port,
        columns=frozenset(
            {"id", "name", "network_id", "mac_address", "device_id", "device_owner", "status"}
        ),
        sorts=(
            *(*_USUAL, "name", "network_id", "mac_address", "admin_state_up", "status"),
            *("device_id", "device_owner"),
        ),
    ),
    Collection(
        *("security_groups", "security_group", "SecurityGroup", "Security group"),
        _groups,
        _group,
        views.security_group,
        prepare=groups.ensure_default,
        sorts=(*_USUAL, "name", "description"),
    ),
    Collection(
        *("security_group_rules", "security_group_rule"),
        *("SecurityGroupRule", "Security group rule"),
        _rules,
        _rule,
        views.security_group_rule,
        prepare=groups.ensure_default,
        columns=frozenset({"id", "security_group_id", "direction", "ethertype"}),
        sorts=(
            *(*_USUAL, "security_group_id", "direction", "ethertype", "protocol"),
            *("port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id"),
        ),
    ),
)


def _versions(call: Call) -> Answer:
    href = f"{call.base.service(call.region.name, 'network')}/v2.0/"
    version = {"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": href}]}
    return Answer(200, {"versions": [version]})


def service() -> Service:
    """Return the service, to be mounted below `/{region}/network`."""
    endpoints = [
        Endpoint("GET", "", _versions, auth=False),
        Endpoint("GET", "/v2.0", _versions, auth=False),
        *(endpoint for one in COLLECTIONS for endpoint in one.endpoints()),
        *network_endpoints.ENDPOINTS,
        *vpcs.ENDPOINTS,
        *subnet_endpoints.ENDPOINTS,
        *port_endpoints.ENDPOINTS,
        *groups.ENDPOINTS,
        *rules.ENDPOINTS,
        *quotas.ENDPOINTS,
        *extensions.ENDPOINTS,
        *not_offered.ENDPOINTS,
    ]
    return Service("network", tuple(endpoints), shape)
