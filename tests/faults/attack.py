"""What an attacker sends: bad values, bodies, paths and headers, drawn from a seeded source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from hanok.api._call import Endpoint

HUGE = "a number of 5,000 digits"
"""Stands for one, which Python itself refuses to write."""
NUMBERS: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 2**31 - 1, 2**31, 2**63, -(2**63) - 1, 10**400, HUGE),
)
TEXTS = (
    *("", " ", "\0", "\ud800", "\ud83e\udd80", "é" * 90, "a" * 256, "b" * 70_000, "9" * 5_000),
    *("-1", "--1", "1e5", "²", "١٢", "NaN", "2026-13-45T99:00:00Z", "..%2f..", "../../etc/passwd"),
    *("'; DROP TABLE servers; --", "%s%n%x", "<script>", "\r\nX-Evil: 1", "(a+)+$", "[", "\\"),
    *("0.0.0.0/33", "::1", "192.168.0.300", "ssh-rsa AAAA", "=", "in:a,b", "gt:"),
    "00000000-0000-0000-0000-000000000000",
)
WRONG_KINDS: tuple[Any, ...] = (None, True, 0, "", "a", [], {}, [[]], [None], {"": None})
VALUES: tuple[Any, ...] = (*NUMBERS, *TEXTS, [], {}, [[]], [None], {"": None})

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

ODD_QUERIES = ("%", "%ff=%fe", "&=&;")

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
    {"os-getVNCConsole": {"type": "novnc"}},
    {"shelve": None},
    {"unshelve": {"availability_zone": "kr-pub-a"}},
    {"rescue": {"adminPass": "secret"}},
    {"unrescue": None},
    {"rebuild": {"imageRef": "1", "name": "again", "metadata": {"a": "b"}}},
    {"createImage": {"name": "copy", "metadata": {"a": "b"}}},
    {"changePassword": {"adminPass": "secret"}},
    {"lock": None},
    {"unlock": None},
    {"forceDelete": None},
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
    """Ids that exist, by the name of the path's part; the others are for bodies."""

    tenant: str
    parts: Mapping[str, tuple[str, ...]]
    image: str
    flavor: str
    subnet: str
    group: str
    domain: str = "default"


def samples(known: Known) -> Mapping[str, tuple[Any, ...]]:
    """Bodies that are right, by the end of the path that they are for."""
    return {**_samples_of_regions(known), **_samples_of_identity(known)}


def _samples_of_regions(known: Known) -> dict[str, tuple[Any, ...]]:
    server, rule = _server_sample(known), _rule_sample(known)
    flavor = {"name": "f", "ram": 512, "vcpus": 1, "disk": 0, "swap": 0, "rxtx_factor": 1.0}
    attachment = {"volumeId": known.subnet, "device": "/dev/vdb"}
    volume = {"size": 1, "name": "v", "volume_type": "General SSD", "metadata": {"a": "b"}}
    return {
        "/servers": ({"server": server},),
        "/servers/{server}": ({"server": {"name": "new name"}},),
        "/servers/{server}/action": _ACTIONS,
        "/volumes/{volume}/action": (
            {"os-volume_upload_image": {"image_name": "i", "disk_format": "qcow2", "force": True}},
        ),
        "/metadata": ({"metadata": {"a": "b"}},),
        "/metadata/{key}": ({"meta": {"a": "b"}},),
        "/os-volume_attachments": ({"volumeAttachment": attachment},),
        "/os-keypairs": (
            {"keypair": {"name": "k"}},
            {"keypair": {"name": "k", "public_key": "ssh-ed25519 AAAA me"}},
        ),
        "/flavors": ({"flavor": flavor},),
        "/os-quota-sets/{project}": ({"quota_set": {"instances": 10, "cores": 20, "ram": 51200}},),
        "/security-group-rules": ({"security_group_rule": rule},),
        "/security-groups": ({"security_group": {"name": "g", "description": "d"}},),
        "/security-groups/{id}": ({"security_group": {"name": "h"}},),
        "/floatingips": ({"floatingip": {"floating_network_id": "x"}},),
        "/volumes": ({"volume": volume},),
        "/volumes/{volume}": ({"volume": {"name": "w", "metadata": {"c": "d"}}},),
    }


def _samples_of_identity(known: Known) -> dict[str, tuple[Any, ...]]:
    password = {"user": {"name": "nobody", "password": "x", "domain": {"id": known.domain}}}
    identity = {"methods": ["password"], "password": password}
    scope = {"project": {"id": known.tenant}}
    credentials = {"username": "nobody", "password": "x"}
    user = {"name": "u", "password": "secret-enough-1", "enabled": True, "email": "a@example.com"}
    return {
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


def _server_sample(known: Known) -> dict[str, Any]:
    device = {
        "source_type": "image",
        "uuid": known.image,
        "boot_index": 0,
        "volume_size": 10,
        "destination_type": "volume",
        "delete_on_termination": 1,
    }
    return {
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


def _rule_sample(known: Known) -> dict[str, Any]:
    return {
        "security_group_id": known.group,
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 22,
        "port_range_max": 22,
        "remote_ip_prefix": "10.0.0.0/8",
        "description": "",
    }


class Attacker:
    """Makes requests for endpoints: every way to break one place, and chance for the rest."""

    def __init__(self, chance: Random, known: Known) -> None:
        self._chance = chance
        self._known = known
        self._samples = samples(known)

    def shots(self, endpoint: Endpoint, queries: int) -> Iterator[Shot]:
        """Yield requests for an endpoint: each right body with each of its values replaced by each
        bad one, bodies that are none, each bad text in the path, and so many bad queries.
        """
        if endpoint.method in {"POST", "PUT", "PATCH"}:
            for body in self.broken_bodies(endpoint):
                yield Shot(endpoint.method, self.path(endpoint), encode(body))
            for raw in RAW_BODIES:
                kind = self._chance.choice(["application/json", "text/xml", "", "\xff"])
                yield Shot(endpoint.method, self.path(endpoint), raw, {"Content-Type": kind})
        if endpoint.path.endswith("}"):
            for bad in TEXTS:
                path = self.path(endpoint, bad[:4_000])
                yield Shot(endpoint.method, path, self.right_body(endpoint))
        for _ in range(queries):
            yield self._bad_query(endpoint)

    def broken_bodies(self, endpoint: Endpoint) -> Iterator[Any]:
        """Yield every right body with one place broken."""
        for sample in self.samples(endpoint) or ({"unknown": {"id": 1}},):
            for place in places(sample):
                inside = isinstance(at(sample, place), dict | list)
                for value in WRONG_KINDS if inside else VALUES:
                    yield put(sample, place, value)
                if place and isinstance(place[-1], str):
                    yield drop(sample, place)

    def doubly_broken(self, endpoint: Endpoint) -> Shot:
        """Draw a right body with two places broken, in turn."""
        body = self._sample(endpoint)
        for _ in range(2):
            place = self._chance.choice(list(places(body)))
            body = put(body, place, self._chance.choice(VALUES))
        return Shot(endpoint.method, self.path(endpoint), encode(body))

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

    def samples(self, endpoint: Endpoint) -> tuple[Any, ...]:
        """Bodies that are right for the endpoint; none where nobody has written one."""
        for end in sorted(self._samples, key=len, reverse=True):
            if endpoint.path.endswith(end):
                return self._samples[end]
        return ()

    def right_body(self, endpoint: Endpoint) -> bytes | None:
        """A body that is right for the endpoint, None for methods without one."""
        writes = endpoint.method in {"POST", "PUT", "PATCH"}
        return encode(self._sample(endpoint)) if writes else None

    def _sample(self, endpoint: Endpoint) -> Any:
        return self._chance.choice(self.samples(endpoint) or ({"unknown": {"id": 1}},))

    def _existing(self, name: str) -> str:
        return self._chance.choice(self._known.parts.get(name, ("nothing",)))

    def _bad_query(self, endpoint: Endpoint) -> Shot:
        names = self._chance.sample(QUERY_NAMES, self._chance.randint(1, 3))
        texts = [self._chance.choice(TEXTS)[:4_000] for _ in names]
        pairs = [
            f"{name}={quote(text, safe='', errors='surrogatepass')}"
            for name, text in zip(names, texts, strict=True)
        ]
        query = self._chance.choice(["&".join(pairs), "&".join(pairs), pairs[0] * 2, *ODD_QUERIES])
        path = f"{self.path(endpoint)}?{query}"
        return Shot(endpoint.method, path, self.right_body(endpoint))


Place = tuple[str | int, ...]
"""Where in a JSON value: the keys and indexes that lead there; () is the whole."""


def places(value: Any) -> Iterator[Place]:
    """Yield every place in a value, the whole first; of a list its first item only."""
    yield ()
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value[:1]))
    for key, inner in items:
        for place in places(inner):
            yield (key, *place)


def at(value: Any, place: Place) -> Any:
    """Return what is at the place."""
    for key in place:
        value = value[key]
    return value


def put(value: Any, place: Place, new: Any) -> Any:
    """Return a copy of a value with another one at the place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = put(value[place[0]], place[1:], new)
    return copy


def drop(value: Any, place: Place) -> Any:
    """Return a copy of a value without the key that the place ends with."""
    copy = value.copy()
    if len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = drop(value[place[0]], place[1:])
    return copy


def encode(body: Any) -> bytes:
    """Write JSON as an attacker may: NUL and lone surrogates as escapes, numbers of any length."""
    return json.dumps(body).replace(f'"{HUGE}"', "9" * 5_000).encode()
