"""What an attacker sends: bad values, bodies, paths and headers, drawn from a seeded source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from hanok.api._call import Endpoint

NUMBERS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**31 - 1, 2**31, -(2**31) - 1),
    *(2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400),
)
TEXTS = (
    *("", " ", "\0", "a\0b", "\ud800", "\ud83e\udd80", "\uffff", "\u202egnp.exe", "é" * 90),
    *("a" * 256, "b" * 70_000, "9" * 5_000, "-1", "--1", "+1", "1e5", "0x10", "²", "١٢", "１"),
    *("NaN", "Infinity", "null", "none", "auto", "true", "on", "2026-13-45T99:00:00Z"),
    *("../../../etc/passwd", "..%2f..", "'; DROP TABLE servers; --", "%s%n%x", "${7*7}"),
    *("<script>alert(1)</script>", "\r\nX-Evil: 1", "(a+)+$", "[", "\\", "*", "0.0.0.0/33"),
    *("999.1.1.1", "::1", "192.168.0.300", "ssh-rsa AAAA", "=", "a=b", "in:a,b", "gt:", "\n"),
    "00000000-0000-0000-0000-000000000000",
)
VALUES: tuple[Any, ...] = (*NUMBERS, *TEXTS, [], {}, [[]], [None], {"": None}, {"a": {"b": []}})

RAW_BODIES = (
    b"",
    b"\x00",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"{",
    b'{"a": NaN}',
    b'{"a": 1e999999}',
    b'{"a": "\xff"}',
    b'{"a": "\\ud800"}',
    b'{"server": {"name": "a", "name": {}}}',
    b"null",
    b"[]",
    b'"text"',
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"server": ' + b"[" * 63 + b"]" * 63 + b"}",
    b" " * 1_048_577,
    b'{"a": "' + b"x" * 1_048_560 + b'"}',
    b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>",
    b"a=b&c=d",
)
QUERY_NAMES = (
    *("limit", "marker", "name", "status", "sort_key", "sort_dir", "sort", "changes-since"),
    *("deleted", "all_tenants", "ip", "flavor", "image", "minDisk", "minRam", "is_public"),
    *("id", "fields", "device_id", "tags", "not-tags", "project_id", "tenant_id", "size_min"),
    *("visibility", "member_status", "usage", "user_id", "with_count", "offset", "bootable"),
    *("metadata", "owner", "tag", "created_at", "page_reverse", "direction", "scope.project.id"),
)

_ACTIONS: tuple[Any, ...] = (
    {"os-start": None},
    {"os-stop": None},
    {"reboot": {"type": "SOFT"}},
    {"reboot": {"type": "HARD"}},
    {"pause": None},
    {"unpause": None},
    {"resize": {"flavorRef": "1"}},
    {"confirmResize": None},
    {"os-getConsoleOutput": {"length": 50}},
    {"addSecurityGroup": {"name": "default"}},
    {"removeSecurityGroup": {"name": "default"}},
    {"nothing": {}},
    {"os-start": None, "os-stop": None},
)


@dataclass(frozen=True, slots=True)
class Shot:
    """A request: its path below the service's root, with its query; `body` None sends none."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """Ids that exist, by the name of the path's part; `image`, `flavor` and `subnet` for bodies."""

    tenant: str
    parts: Mapping[str, tuple[str, ...]]
    image: str
    flavor: str
    subnet: str
    group: str
    domain: str = "default"


def samples(known: Known) -> Mapping[str, tuple[Any, ...]]:
    """Bodies that are right, by the end of the path that they are for."""
    device = {
        "source_type": "image",
        "uuid": known.image,
        "boot_index": 0,
        "volume_size": 10,
        "destination_type": "volume",
        "delete_on_termination": 1,
    }
    server = {
        "name": "attacked",
        "imageRef": known.image,
        "flavorRef": known.flavor,
        "networks": [{"subnet": known.subnet, "fixed_ip": "192.168.0.77"}],
        "block_device_mapping_v2": [device],
        "key_name": None,
        "security_groups": [{"name": "default"}],
        "user_data": "IyEvYmluL3NoCg==",
        "availability_zone": "kr-pub-a",
        "metadata": {"a": "b"},
        "config_drive": True,
        "min_count": 1,
        "max_count": 1,
    }
    rule = {
        "security_group_id": known.group,
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 22,
        "port_range_max": 22,
        "remote_ip_prefix": "10.0.0.0/8",
        "description": "",
    }
    password = {"user": {"name": "nobody", "password": "x", "domain": {"id": known.domain}}}
    identity = {"methods": ["password"], "password": password}
    scope = {"project": {"id": known.tenant}}
    credentials = {"username": "nobody", "password": "x"}
    flavor = {"name": "f", "ram": 512, "vcpus": 1, "disk": 0, "swap": 0, "rxtx_factor": 1.0}
    user = {"name": "u", "password": "secret-enough-1", "enabled": True, "email": "a@example.com"}
    volume = {"size": 1, "name": "v", "volume_type": "General SSD", "metadata": {"a": "b"}}
    return {
        "/servers": ({"server": server},),
        "/servers/{server}": ({"server": {"name": "new name"}},),
        "/action": _ACTIONS,
        "/metadata": ({"metadata": {"a": "b"}},),
        "/metadata/{key}": ({"meta": {"a": "b"}},),
        "/os-volume_attachments": ({"volumeAttachment": {"volumeId": "v", "device": "/dev/vdb"}},),
        "/os-keypairs": (
            {"keypair": {"name": "k"}},
            {"keypair": {"name": "k", "public_key": "ssh-ed25519 AAAA me"}},
        ),
        "/flavors": ({"flavor": flavor},),
        "/os-quota-sets/{project}": ({"quota_set": {"instances": 10, "cores": 20, "ram": 51200}},),
        "/security-group-rules": ({"security_group_rule": rule},),
        "/floatingips": ({"floatingip": {"floating_network_id": "x"}},),
        "/volumes": ({"volume": volume},),
        "/volumes/{volume}": ({"volume": {"name": "w", "metadata": {"c": "d"}}},),
        "/v2.0/tokens": (
            {"auth": {"tenantId": known.tenant, "passwordCredentials": credentials}},
            {"auth": {"tenantName": "demo", "token": {"id": "x"}}},
        ),
        "/v3/auth/tokens": ({"auth": {"identity": identity, "scope": scope}},),
        "/projects": ({"project": {"name": "p", "domain_id": known.domain, "enabled": True}},),
        "/projects/{project}": ({"project": {"name": "q", "description": "d"}},),
        "/users": ({"user": user},),
        "/users/{user}": ({"user": {"email": "b@example.com", "enabled": True}},),
        "/password": ({"user": {"password": "a", "original_password": "b"}},),
        "/roles": ({"role": {"name": "r"}},),
    }


class Attacker:
    """Draws requests for endpoints; the same seed draws the same ones."""

    def __init__(self, chance: Random, known: Known) -> None:
        self._chance = chance
        self._known = known
        self._samples = samples(known)

    def shots(self, endpoint: Endpoint, count: int) -> list[Shot]:
        """Draw requests for an endpoint: its path, its query and its body go wrong in turn."""
        writes = endpoint.method in {"POST", "PUT", "PATCH"}
        ways: list[Callable[[Endpoint], Shot]] = [self._bad_path, self._bad_query]
        if writes:
            ways = [*[self._bad_field] * 7, self._raw_body, self._raw_body, *ways]
        return [ways[number % len(ways)](endpoint) for number in range(count)]

    def path(self, endpoint: Endpoint, bad: str | None = None) -> str:
        """Fill a path's parts: with what exists, but the last with `bad` where it is given."""
        names = re.findall(r"{(\w+)}", endpoint.path)
        path = endpoint.path
        for name in names:
            value = self._known.tenant if name == "tenant" else self._existing(name)
            if bad is not None and name == names[-1]:
                value = quote(bad, safe="", errors="surrogatepass")
            path = path.replace(f"{{{name}}}", value, 1)
        return path

    def _existing(self, name: str) -> str:
        return self._chance.choice(self._known.parts.get(name, ("nothing",)))

    def _text(self) -> str:
        return self._chance.choice(TEXTS)

    def _bad_path(self, endpoint: Endpoint) -> Shot:
        bad = self._text()
        return Shot(endpoint.method, self.path(endpoint, bad[:4_000]), self.right_body(endpoint))

    def _bad_query(self, endpoint: Endpoint) -> Shot:
        names = self._chance.sample(QUERY_NAMES, self._chance.randint(1, 3))
        pairs = [
            f"{name}={quote(self._text()[:4_000], safe='', errors='surrogatepass')}"
            for name in names
        ]
        query = self._chance.choice(["&".join(pairs), "%", "%ff=%fe", "&=&;", pairs[0] * 2])
        path = f"{self.path(endpoint)}?{query}"
        return Shot(endpoint.method, path, self.right_body(endpoint))

    def _raw_body(self, endpoint: Endpoint) -> Shot:
        kind = self._chance.choice(["application/json", "text/xml", "", "\xff"])
        return Shot(
            endpoint.method,
            self.path(endpoint),
            self._chance.choice(RAW_BODIES),
            {"Content-Type": kind},
        )

    def _bad_field(self, endpoint: Endpoint) -> Shot:
        """Break one place, or two, of a body that is right."""
        body = self._sample(endpoint)
        for _ in range(self._chance.randint(1, 2)):
            body = self._broken(body)
        return Shot(endpoint.method, self.path(endpoint), encode(body))

    def _sample(self, endpoint: Endpoint) -> Any:
        for end in sorted(self._samples, key=len, reverse=True):
            if endpoint.path.endswith(end):
                return self._chance.choice(self._samples[end])
        return {"unknown": {"name": "x", "id": 1}}

    def right_body(self, endpoint: Endpoint) -> bytes | None:
        """A body that is right for the endpoint, None for methods without one."""
        writes = endpoint.method in {"POST", "PUT", "PATCH"}
        return encode(self._sample(endpoint)) if writes else None

    def _broken(self, value: Any) -> Any:
        """Return a copy with one value replaced, one key dropped, or one added."""
        if isinstance(value, dict) and value and self._chance.random() < 0.85:
            key = self._chance.choice(list(value))
            way = self._chance.random()
            if way < 0.07:
                return {name: one for name, one in value.items() if name != key}
            if way < 0.14:
                return {**value, self._text()[:300]: self._value()}
            return {**value, key: self._broken(value[key])}
        if isinstance(value, list) and value and self._chance.random() < 0.6:
            return [self._broken(value[0]), *value[1:]] * self._chance.choice([1, 1, 1, 40])
        return self._value()

    def _value(self) -> Any:
        return self._chance.choice(VALUES)


def encode(body: Any) -> bytes:
    """Write JSON as an attacker may: NUL and lone surrogates as escapes."""
    return json.dumps(body).encode()
