"""Security-group rules: create and delete."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network import views
from hanok.api.network.attributes import STANDARD, Attributes
from hanok.api.network.collections import Missing
from hanok.api.network.fields import check_project
from hanok.model.errors import Conflict, Invalid
from hanok.model.security_group import DEFAULT, SecurityGroupRule
from hanok.store import network_quotas, security_groups
from hanok.store.database import Reader

_NUMBERS = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "icmp": 1,
    "icmpv6": 58,
    "igmp": 2,
    "ipip": 4,
    "ipv6-icmp": 58,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
    "vrrp": 112,
}
"""The protocols that have a name, and their numbers (IANA)."""
_ANY = frozenset({"", "any", "0", "-1"})
_ICMP_V6 = frozenset({"icmpv6", "ipv6-icmp", "58"})
_ICMP = _ICMP_V6 | {"icmp", "1"}
_WITH_PORTS = frozenset({"tcp", "6", "udp", "17", "dccp", "33", "sctp", "132", "udplite", "136"})
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
_Number = int | str | None


class _Rule(msgspec.Struct):
    security_group_id: str
    direction: str
    ethertype: str | None = "IPv4"
    protocol: str | int | None = None
    port_range_min: _Number = None
    port_range_max: _Number = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None
    description: str | None = None
    tenant_id: str | None = None
    project_id: str | None = None


class _Unchanging(msgspec.Struct):
    """What may be set of a rule that there is: nothing."""


_ATTRIBUTES = Attributes(
    "security_group_rule",
    _Rule,
    _Unchanging,
    shown=STANDARD | {"normalized_cidr", "belongs_to_default_sg"},
    fixed={"remote_address_group_id": None},
)


class RuleInvalid(Invalid):
    """The rule makes no sense; `neutron_type` says in Neutron's word why."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.neutron_type = why


class RuleExists(Conflict):
    """An equal rule is there already."""

    neutron_type = "SecurityGroupRuleExists"


def create(call: Call) -> Answer:
    """Serve POST security-group-rules: 201; an equal rule is a 409."""
    asked = _ATTRIBUTES.to_create(call.body)
    check_project(call.credentials, asked.tenant_id, asked.project_id)
    values = _checked(asked)
    region, project_id = call.region, call.credentials.project_id
    with region.store.write() as tx:
        network_quotas.take(tx, project_id, "security_group_rule")
        named = [
            asked.security_group_id,
            *([asked.remote_group_id] if asked.remote_group_id else []),
        ]
        for group_id in sorted(set(named) - security_groups.hold(tx, project_id, named)):
            raise Missing("SecurityGroup", "Security group", group_id)
        rule = SecurityGroupRule(
            id=region.clock.new_id(),
            security_group_id=asked.security_group_id,
            project_id=project_id,
            remote_group_id=asked.remote_group_id or None,
            description=asked.description or "",
            created_at=region.clock.now(),
            **values,
        )
        same = _same(tx, rule)
        if same is not None:
            raise RuleExists(f"Security group rule already exists. Rule id is {same}.")
        security_groups.add_rule(tx, rule)
        group = security_groups.find(tx, project_id, rule.security_group_id)
    shown = views.security_group_rule(rule, group.name == DEFAULT)
    return Answer(201, {"security_group_rule": shown})


def _same(reader: Reader, rule: SecurityGroupRule) -> str | None:
    """Return the id of a rule that lets the same through (Neutron).

    A protocol's name is as good as its number, and no prefix as good as that of every address.
    """

    def meaning(one: SecurityGroupRule) -> tuple[Any, ...]:
        protocol = one.protocol or ""
        return (
            one.direction,
            one.ethertype,
            str(_NUMBERS.get(protocol, protocol)),
            one.port_range_min,
            one.port_range_max,
            None if one.remote_ip_prefix in _EVERYWHERE else one.remote_ip_prefix,
            one.remote_group_id,
        )

    for one in security_groups.rules_of(reader, rule.security_group_id):
        if meaning(one) == meaning(rule):
            return one.id
    return None


def _checked(asked: _Rule) -> dict[str, Any]:
    """Check a rule as Neutron does; return what is stored."""
    if asked.direction not in ("ingress", "egress"):
        raise Invalid(
            f"Invalid input for direction. Reason: '{asked.direction}' is not in "
            "['ingress', 'egress']."
        )
    ethertype = {"ipv4": "IPv4", "ipv6": "IPv6"}.get((asked.ethertype or "IPv4").lower())
    if ethertype is None:
        raise RuleInvalid(
            "SecurityGroupRuleInvalidEtherType",
            f"Security group rule for ethertype '{asked.ethertype}' not supported. Allowed values "
            "are IPv4 and IPv6.",
        )
    if asked.remote_ip_prefix and asked.remote_group_id:
        raise RuleInvalid(
            "SecurityGroupRemoteGroupAndRemoteIpPrefix",
            "Only remote_ip_prefix or remote_group_id may be provided.",
        )
    if len(asked.description or "") > 255:
        raise Invalid("Invalid input for description: it has more than 255 characters.")
    protocol = _protocol(asked.protocol)
    if protocol in _ICMP_V6 and ethertype == "IPv4":
        raise RuleInvalid(
            "SecurityGroupEthertypeConflictWithProtocol",
            f"Invalid ethertype {ethertype} for protocol {protocol}.",
        )
    low, high = _ports(protocol, asked)
    return {
        "direction": asked.direction,
        "ethertype": ethertype,
        "protocol": protocol,
        "port_range_min": low,
        "port_range_max": high,
        "remote_ip_prefix": _prefix(asked.remote_ip_prefix, ethertype),
    }


def _protocol(value: str | int | None) -> str | None:
    text = "" if value is None else str(value).lower()
    if text in _ANY:
        return None
    if text in _NUMBERS or (
        text.isascii() and text.isdigit() and len(text) < 4 and int(text) < 256
    ):
        return text
    raise RuleInvalid(
        "SecurityGroupRuleInvalidProtocol",
        f"Security group rule protocol {value} not supported. Only protocol values "
        f"{sorted(_NUMBERS)} and integer representations [0 to 255] are supported.",
    )


def _ports(protocol: str | None, asked: _Rule) -> tuple[int | None, int | None]:
    low = _port("port_range_min", asked.port_range_min)
    high = _port("port_range_max", asked.port_range_max)
    if low is None and high is None:
        return None, None
    if protocol is None:
        raise RuleInvalid(
            "SecurityGroupProtocolRequiredWithPorts",
            "Must also specify protocol if port range is given.",
        )
    if protocol in _ICMP:
        return _icmp(low, high)
    if protocol not in _WITH_PORTS:
        raise RuleInvalid(
            "SecurityGroupInvalidProtocolForPort",
            f"Invalid protocol {protocol} for port range, only supported for TCP, UDP, UDPLITE, "
            "SCTP and DCCP.",
        )
    if 0 in (low, high):
        raise RuleInvalid("SecurityGroupInvalidPortValue", "Invalid value for port 0")
    if low is None or high is None or low > high:
        raise RuleInvalid(
            "SecurityGroupInvalidPortRange",
            "For TCP/UDP protocols, port_range_min must be <= port_range_max",
        )
    return low, high


def _icmp(kind: int | None, code: int | None) -> tuple[int, int | None]:
    """Check what are a type and a code of ICMP."""
    if kind is None:
        raise RuleInvalid(
            "SecurityGroupMissingIcmpType",
            f"ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is "
            "missing.",
        )
    for name, field, value in (
        ("port_range_min", "type", kind),
        ("port_range_max", "code", code or 0),
    ):
        if value > 255:
            raise RuleInvalid(
                "SecurityGroupInvalidIcmpValue",
                f"Invalid value for ICMP {field} ({name}) {value}. It must be 0 to 255.",
            )
    return kind, code


def _port(name: str, value: _Number) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    odd = isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 6)
    if odd or int(text) > 65535:
        raise RuleInvalid(
            "SecurityGroupInvalidPortValue",
            f"Invalid value for port {value}: {name} is a number from 0 to 65535.",
        )
    return int(text)


def _prefix(text: str | None, ethertype: str) -> str | None:
    """Read a prefix; it stays as it was asked for, host bits too (see `normalized_cidr`).

    Terraform compares what it reads with what it wrote, and makes a rule anew where they differ.
    """
    if not text:
        return None
    try:
        # A zone (fe80::1%eth0) means something on one host only.
        prefix = ipaddress.ip_interface("" if "%" in text else text)
    except ValueError as error:
        raise RuleInvalid("InvalidCIDR", f"Invalid CIDR {text} given as IP prefix.") from error
    if f"IPv{prefix.version}" != ethertype:
        raise RuleInvalid(
            "SecurityGroupRuleParameterConflict",
            f"Conflicting value ethertype {ethertype} for CIDR {text}",
        )
    return str(prefix)


def delete(call: Call) -> Answer:
    """Serve DELETE security-group-rules/{id}: 204."""
    rule_id = call.params["id"]
    with call.region.store.write() as tx:
        if not security_groups.remove_rule(tx, call.credentials.project_id, rule_id):
            raise Missing("SecurityGroupRule", "Security group rule", rule_id)
    return Answer(204)


ENDPOINTS = (
    Endpoint("POST", "/v2.0/security-group-rules", create, "networks:write"),
    Endpoint("DELETE", "/v2.0/security-group-rules/{id}", delete, "networks:write"),
)
