from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.base import Drivers, NetworkSpec, PortSpec
from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.world import World
from hanok.model.errors import HostError
from tests.drivers.scene import network_of, port_on


@pytest.fixture
def drivers(tmp_path: Path) -> Drivers:
    return open_host("here", tmp_path / "world")


def written(tmp_path: Path, kind: str) -> dict[str, Any]:
    return World(tmp_path / "world").contents()[kind]


def refused(call: Callable[..., object], *args: object) -> HostError:
    with pytest.raises(HostError) as caught:
        call(*args)
    assert caught.value.permanent
    return caught.value


def test_plugging_writes_the_port_and_the_network_as_told(drivers: Drivers, tmp_path: Path) -> None:
    network = network_of(2)
    port = port_on(network)
    tap = drivers.network.plug(port, network)
    (stored,) = written(tmp_path, "ports").values()
    assert (stored["tap"], stored["deployment_id"]) == (tap, "here")
    assert (
        stored["port"]["addresses"] == [list(pair) for pair in port.addresses]
        or stored["port"]["addresses"] == port.addresses
    )
    moved = replace(port, hostname="moved")
    smaller = replace(network, mtu=1400)
    assert drivers.network.plug(moved, smaller) == tap
    assert written(tmp_path, "ports")[port.port_id]["port"]["hostname"] == "moved"
    assert written(tmp_path, "networks")[network.network_id]["network"]["mtu"] == 1400


def test_applying_and_updating_write_as_told(drivers: Drivers, tmp_path: Path) -> None:
    network = network_of()
    port = port_on(network)
    drivers.network.plug(port, network)
    drivers.network.apply(replace(port, addresses=()))
    drivers.network.update_network(replace(network, mtu=1300))
    assert not written(tmp_path, "ports")[port.port_id]["port"]["addresses"]
    assert written(tmp_path, "networks")[network.network_id]["network"]["mtu"] == 1300


def with_address(address: str) -> Callable[[PortSpec, NetworkSpec], PortSpec]:
    return lambda port, network: replace(port, addresses=((network.subnets[0].subnet_id, address),))


@pytest.mark.parametrize(
    "change",
    [
        with_address("10.99.0.5"),
        with_address("nonsense"),
        lambda port, _: replace(port, addresses=(("unknown", "10.77.0.5"),)),
        lambda port, _: replace(port, network_id="another"),
    ],
)
def test_a_port_that_does_not_fit_its_network_is_refused(
    drivers: Drivers, tmp_path: Path, change: Callable[[PortSpec, NetworkSpec], PortSpec]
) -> None:
    network = network_of()
    port = port_on(network)
    refused(drivers.network.plug, change(port, network), network)
    assert written(tmp_path, "networks") == written(tmp_path, "ports") == {}
    drivers.network.plug(port, network)
    refused(drivers.network.apply, change(port, network))


def test_a_port_stays_in_its_network(drivers: Drivers) -> None:
    network, other = network_of(), network_of()
    port = port_on(network)
    drivers.network.plug(port, network)
    refused(drivers.network.plug, replace(port, network_id=other.network_id, addresses=()), other)
    assert drivers.network.list_networks() == [network.network_id]


@pytest.mark.parametrize(("cidr", "gateway"), [("10.0.0.0/24", "10.0.1.1"), ("10/33", "10.0.0.1")])
def test_a_gateway_outside_is_refused(drivers: Drivers, cidr: str, gateway: str) -> None:
    network = network_of()
    wrong = replace(network, subnets=(replace(network.subnets[0], cidr=cidr, gateway=gateway),))
    refused(drivers.network.plug, replace(port_on(network), addresses=()), wrong)
    assert drivers.network.list_networks() == []


def test_what_is_not_plugged_cannot_be_changed(drivers: Drivers) -> None:
    refused(drivers.network.apply, port_on(network_of()))


def test_a_network_whose_last_port_was_lost_goes_with_the_unplugging(
    drivers: Drivers, tmp_path: Path
) -> None:
    lost, kept = network_of(), network_of()
    port = port_on(lost)
    drivers.network.plug(port, lost)
    drivers.network.plug(port_on(kept), kept)
    World(tmp_path / "world").remove_port(port.port_id)
    drivers.network.unplug(port.port_id)
    assert drivers.network.list_networks() == [kept.network_id]


def test_sweeping_leaves_the_networks_of_another_deployment(
    drivers: Drivers, tmp_path: Path
) -> None:
    network = network_of()
    port = port_on(network)
    drivers.network.plug(port, network)
    World(tmp_path / "world").remove_port(port.port_id)
    open_host("there", tmp_path / "world").network.unplug(port.port_id)
    assert drivers.network.list_networks() == [network.network_id]


def test_deployments_share_a_world_and_not_their_ports(drivers: Drivers, tmp_path: Path) -> None:
    there = open_host("there", tmp_path / "world").network
    network = network_of()
    port = port_on(network)
    drivers.network.plug(port, network)
    there.unplug(port.port_id)
    there.update_network(replace(network, mtu=1000))
    refused(there.plug, port, network)
    refused(there.plug, port_on(network), network)
    refused(there.apply, port)
    assert there.list_ports() == there.list_networks() == []
    assert drivers.network.list_ports() == [port.port_id]
    assert written(tmp_path, "networks")[network.network_id]["network"]["mtu"] == network.mtu
