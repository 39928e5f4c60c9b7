"""How networks, subnets, ports, groups and rules look to a client: Neutron's fields."""

from __future__ import annotations

import ipaddress
from typing import Any

from hanok.model.moments import iso
from hanok.model.network import Network, Subnet
from hanok.model.port import Port
from hanok.model.security_group import DEFAULT, SecurityGroup, SecurityGroupRule


def network(one: Network, subnets: list[Subnet]) -> dict[str, Any]:
    """Return a network."""
    return {
        "id": one.id,
        "name": one.name,
        "tenant_id": one.project_id,
        "project_id": one.project_id,
        "status": one.status,
        "admin_state_up": one.admin_state_up,
        "shared": one.shared,
        "router:external": one.external,
        "mtu": one.mtu,
        "subnets": [subnet.id for subnet in subnets],
        "description": one.description,
        "port_security_enabled": True,
        "availability_zones": [],
        "availability_zone_hints": [],
        "tags": [],
        "is_default": False,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }


def subnet(one: Subnet, _children: object) -> dict[str, Any]:
    """Return a subnet."""
    return {
        "id": one.id,
        "name": one.name,
        "tenant_id": one.project_id,
        "project_id": one.project_id,
        "network_id": one.network_id,
        "ip_version": 4,
        "cidr": one.cidr,
        "gateway_ip": one.gateway_ip,
        "enable_dhcp": one.enable_dhcp,
        "dns_nameservers": one.dns_nameservers,
        "allocation_pools": one.allocation_pools,
        "host_routes": [],
        "description": one.description,
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "subnetpool_id": None,
        "tags": [],
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }


def port(one: Port, _children: object) -> dict[str, Any]:
    """Return a port."""
    return {
        "id": one.id,
        "name": one.name,
        "tenant_id": one.project_id,
        "project_id": one.project_id,
        "network_id": one.network_id,
        "mac_address": one.mac_address,
        "admin_state_up": one.admin_state_up,
        "status": one.status,
        "device_id": one.device_id,
        "device_owner": one.device_owner,
        "fixed_ips": [
            {"subnet_id": ip.subnet_id, "ip_address": ip.address} for ip in one.fixed_ips
        ],
        "security_groups": list(one.group_ids),
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "port_security_enabled": True,
        "binding:vnic_type": "normal",
        "description": one.description,
        "tags": [],
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }


def security_group(one: SecurityGroup, rules: list[SecurityGroupRule]) -> dict[str, Any]:
    """Return a security group with its rules."""
    return {
        "id": one.id,
        "name": one.name,
        "tenant_id": one.project_id,
        "project_id": one.project_id,
        "description": one.description,
        "stateful": True,
        "shared": False,
        "tags": [],
        "security_group_rules": [security_group_rule(rule, one.name == DEFAULT) for rule in rules],
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }


def security_group_rule(one: SecurityGroupRule, in_default: bool) -> dict[str, Any]:
    """Return a rule, of the project's default group or of another one."""
    return {
        "id": one.id,
        "security_group_id": one.security_group_id,
        "tenant_id": one.project_id,
        "project_id": one.project_id,
        "direction": one.direction,
        "ethertype": one.ethertype,
        "protocol": one.protocol,
        "port_range_min": one.port_range_min,
        "port_range_max": one.port_range_max,
        "remote_ip_prefix": one.remote_ip_prefix,
        "remote_group_id": one.remote_group_id,
        "remote_address_group_id": None,
        "normalized_cidr": _network_of(one.remote_ip_prefix),
        "belongs_to_default_sg": in_default,
        "description": one.description,
        "tags": [],
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
    }


def _network_of(prefix: str | None) -> str | None:
    """Return a prefix without its host bits."""
    return None if prefix is None else str(ipaddress.ip_network(prefix, strict=False))
