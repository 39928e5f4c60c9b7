from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import pytest

from hanok.drivers import base
from hanok.drivers.base import (
    Disk,
    DiskSpec,
    Domain,
    DomainDisk,
    Drivers,
    ExportedImage,
    HostFacts,
)
from hanok.drivers.verbs import LOCAL, VERBS, encode_args, verb
from hanok.model.errors import HostError
from hanok.model.power import PowerState
from tests.drivers.scene import domain_of, network_of, port_on

DISK = Disk("disk-1", "/disks/1", "qcow2", 20)
NETWORK = network_of(2)
PORT = port_on(NETWORK)

# An argument of each type and a result of each type that the protocols speak of.
ARGUMENTS: Mapping[str, Any] = {
    "spec": {"compute.define": domain_of((DISK,)), "storage.create_disk": DiskSpec("d", 1)},
    "server_id": "server-1",
    "max_bytes": 4096,
    "by_id": "disk-2",
    "disk_id": "disk-1",
    "disk": DomainDisk(DISK, "vdb", "disk-1"),
    "vcpus": 2,
    "ram_mib": 1024,
    "user": "root",
    "password": "xyzzy",
    "image_id": "image-1",
    "disk_format": "qcow2",
    "port": PORT,
    "port_id": "port-1",
    "network": NETWORK,
}
RESULTS: Mapping[Any, Any] = {
    type(None): None,
    HostFacts: HostFacts("simulated", "tcg", 4, 8192, 100),
    PowerState: PowerState.CRASHED,
    list[Domain]: [Domain("server-1", PowerState.RUNNING)],
    bytes: b"login: \xff\x00",
    Disk: DISK,
    ExportedImage: ExportedImage(1, 2, "0" * 32),
    list[Disk]: [DISK, DISK],
    int: 42,
    list[str]: ["a", "b"],
    str: "tap-1",
}


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def arguments(name: str) -> dict[str, Any]:
    found = {parameter: ARGUMENTS[parameter] for parameter in VERBS[name].parameters}
    return {
        parameter: value[name] if isinstance(value, dict) else value
        for parameter, value in found.items()
    }


def test_every_method_of_the_protocols_is_a_verb_or_local() -> None:
    protocols = {
        "compute": base.ComputeDriver,
        "storage": base.StorageDriver,
        "network": base.NetworkDriver,
    }
    methods = {
        f"{part}.{name}"
        for part, protocol in protocols.items()
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert methods == set(VERBS) | LOCAL
    assert not set(VERBS) & LOCAL
    assert {"storage.create_disk", "network.plug", "compute.console_log"} <= set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_arguments_come_back_whole(name: str) -> None:
    kwargs = arguments(name)
    args = encode_args(name, **kwargs)
    assert through_json(args) == args
    assert VERBS[name].decode_args(through_json(args)) == kwargs


@pytest.mark.parametrize("name", VERBS)
def test_a_result_comes_back_whole(name: str) -> None:
    asked = VERBS[name]
    result = RESULTS[asked.returns]
    encoded = asked.encode_result(result)
    assert through_json(encoded) == encoded
    back = asked.decode_result(through_json(encoded))
    assert back == result
    assert type(back) is type(result)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_calls_its_own_method(name: str) -> None:
    called = []

    class Part:
        def __getattr__(self, method: str) -> Any:
            return lambda **kwargs: called.append((self, method, kwargs))

    parts = {part: Part() for part in ("compute", "storage", "network")}
    VERBS[name].call(Drivers(**parts), arguments(name))
    part, method = name.split(".")
    assert called == [(parts[part], method, arguments(name))]


def test_bytes_travel_as_base64_and_states_as_numbers() -> None:
    assert VERBS["compute.console_log"].encode_result(b"hi") == "aGk="
    assert VERBS["compute.power_state"].encode_result(PowerState.RUNNING) == 1
    args = encode_args("compute.define", spec=domain_of())
    assert args["spec"]["guest"]["user_data"] == "IyEvYmluL3NoCv8A"


def test_encoded_arguments_may_be_encoded_again() -> None:
    once = encode_args("network.plug", port=PORT, network=NETWORK)
    assert encode_args("network.plug", **once) == once


def test_defaults_may_be_left_out() -> None:
    spec = {"disk_id": "d", "size_gib": 1}
    assert VERBS["storage.create_disk"].decode_args({"spec": spec}) == {"spec": DiskSpec("d", 1)}


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("compute.fly", {}, "no such verb: compute.fly"),
        ("compute.close", {}, "no such verb"),
        ("compute.start", {}, "missing arguments ['server_id']"),
        ("compute.start", {"server_id": "s", "force": True}, "unknown arguments ['force']"),
        ("compute.start", {"server_id": 3}, "Expected `str`"),
        ("compute.console_log", {"server_id": "s", "max_bytes": "9"}, "Expected `int`"),
        ("storage.create_disk", {"spec": {"disk_id": "d"}}, "size_gib"),
        ("storage.create_disk", {"spec": PORT}, "disk_id"),
        ("compute.start", {"server_id": object()}, "object"),
    ],
)
def test_what_does_not_fit_is_refused_for_good(name: str, args: dict[str, Any], said: str) -> None:
    with pytest.raises(HostError) as caught:
        encode_args(name, **args)
    assert caught.value.permanent
    assert said in caught.value.detail
    assert said not in caught.value.message


def test_a_wrong_result_is_refused() -> None:
    with pytest.raises(HostError):
        verb("compute.power_state").decode_result(99)
