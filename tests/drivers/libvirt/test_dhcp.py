"""What a guest is told by DHCP, asked through its own tap."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hanok.drivers.base import Drivers, NetworkSpec, PortSpec, SubnetSpec
from hanok.drivers.libvirt import dhcp
from hanok.drivers.libvirt.addressing import SPARE_ADDRESS, parse_network
from hanok.drivers.libvirt.dhcp import DhcpService
from hanok.model.errors import HostError
from tests.drivers.libvirt.tap_guest import (
    ACK,
    DNS,
    HOSTNAME,
    KIND,
    LEASE_TIME,
    MASK,
    MTU,
    ROUTER,
    SERVER,
    TapGuest,
)
from tests.drivers.libvirt_host import tree_of
from tests.drivers.scene import Scene, network_of, new_id, port_on

pytestmark = pytest.mark.guest


def pid_of(root: Path, network: NetworkSpec) -> int:
    folder = tree_of(root) / "host" / "networks" / network.network_id
    return int((folder / "dnsmasq.pid").read_text())


def lone_network(subnet: SubnetSpec) -> NetworkSpec:
    return NetworkSpec(new_id(), 1400, (subnet,))


def test_a_guest_gets_its_address_and_all_it_needs(scene: Scene) -> None:
    network = replace(network_of(), mtu=1400)
    port, tap = scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        before = time.monotonic()
        answer = guest.lease()
        took = time.monotonic() - before
    assert answer is not None
    assert str(answer.address) == port.addresses[0][1]
    assert answer.options[KIND] == bytes([ACK])
    assert answer.addresses(MASK) == ["255.255.255.0"]
    assert answer.addresses(ROUTER) == answer.addresses(SERVER) == ["10.77.0.1"]
    assert answer.addresses(DNS) == ["10.77.0.1"]
    assert answer.options[HOSTNAME] == port.hostname.encode()
    assert int.from_bytes(answer.options[MTU]) == 1400
    assert int.from_bytes(answer.options[LEASE_TIME]) == 86400
    assert took < 0.5


def test_a_stranger_gets_nothing(scene: Scene) -> None:
    _, tap = scene.plug(network_of())
    with TapGuest(tap, "02:00:00:00:00:99") as stranger:
        assert stranger.lease(0.5) is None


def test_a_port_that_comes_later_is_served_at_once(scene: Scene, tmp_path: Path) -> None:
    network = network_of()
    scene.plug(network)
    before = pid_of(tmp_path, network)
    port, tap = scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        answer = guest.lease()
    assert answer is not None
    assert str(answer.address) == port.addresses[0][1]
    assert pid_of(tmp_path, network) == before


def test_an_address_goes_to_its_next_owner(host: Drivers, scene: Scene) -> None:
    network = network_of()
    scene.plug(network)
    old, tap = scene.plug(network)
    with TapGuest(tap, old.mac) as guest:
        assert guest.lease() is not None
    host.network.unplug(old.port_id)
    port, tap = scene.plug(network, replace(port_on(network), addresses=old.addresses))
    with TapGuest(tap, port.mac) as guest:
        answer = guest.lease()
    assert answer is not None
    assert str(answer.address) == old.addresses[0][1]


def test_a_plugged_port_is_served_its_new_address(host: Drivers, scene: Scene) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        assert guest.lease() is not None
        host.network.apply(
            replace(port, addresses=((network.subnets[0].subnet_id, "10.77.0.250"),))
        )
        answer = guest.lease()
    assert answer is not None
    assert str(answer.address) == "10.77.0.250"


@pytest.mark.parametrize("gateway", ["10.77.0.1", None])
def test_a_guest_renews_after_the_service_forgot_it(
    host: Drivers, scene: Scene, gateway: str | None
) -> None:
    network = lone_network(SubnetSpec(new_id(), "10.77.0.0/24", gateway))
    port, tap = scene.plug(network)
    other, _ = scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        assert guest.lease() is not None
        host.network.unplug(other.port_id)  # the service starts anew
        answer = guest.renew(port.addresses[0][1])
    assert answer is not None
    assert answer.options[KIND] == bytes([ACK])


def test_a_subnet_without_a_gateway_is_served_without_a_router(scene: Scene) -> None:
    subnet = SubnetSpec(new_id(), "10.77.0.0/24", None)
    network = lone_network(subnet)
    port, tap = scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        answer = guest.lease()
    assert answer is not None
    assert str(answer.address) == port.addresses[0][1]
    assert answer.addresses(SERVER) == [str(SPARE_ADDRESS)]
    assert ROUTER not in answer.options
    assert DNS not in answer.options


def test_a_subnet_without_dhcp_is_not_served(scene: Scene) -> None:
    subnet = SubnetSpec(new_id(), "10.77.0.0/24", "10.77.0.1", dhcp=False)
    port, tap = scene.plug(lone_network(subnet))
    with TapGuest(tap, port.mac) as guest:
        assert guest.lease(0.5) is None
        assert guest.find("10.77.0.1") is not None


def test_networks_with_the_same_addresses_do_not_mix(scene: Scene) -> None:
    first, second = network_of(), network_of()
    for network in (first, second):
        address = ((network.subnets[0].subnet_id, "10.77.0.50"),)
        port, tap = scene.plug(network, replace(port_on(network), addresses=address))
        with TapGuest(tap, port.mac) as guest:
            answer = guest.lease()
        assert answer is not None
        assert str(answer.address) == "10.77.0.50"


def test_a_changed_subnet_is_served_as_told(host: Drivers, scene: Scene) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    changed = replace(
        network, subnets=(replace(network.subnets[0], gateway="10.77.0.254", dns=("192.0.2.53",)),)
    )
    host.network.update_network(changed)
    with TapGuest(tap, port.mac) as guest:
        answer = guest.lease()
        assert guest.find("10.77.0.1") is None
    assert answer is not None
    assert answer.addresses(ROUTER) == ["10.77.0.254"]
    assert answer.addresses(DNS) == ["192.0.2.53"]


@pytest.mark.parametrize("hostname", ["a\nb", "a,b", "-a", "name with spaces", "x" * 64, ""])
def test_fault_52_a_strange_host_name_does_no_harm(scene: Scene, hostname: str) -> None:
    network = network_of()
    port, tap = scene.plug(network, replace(port_on(network), hostname=hostname))
    with TapGuest(tap, port.mac) as guest:
        answer = guest.lease()
    assert answer is not None
    assert str(answer.address) == port.addresses[0][1]
    assert HOSTNAME not in answer.options


def test_a_killed_service_comes_back_with_the_next_port(scene: Scene, tmp_path: Path) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    os.kill(pid_of(tmp_path, network), 9)
    scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        assert guest.lease() is not None


def test_a_running_service_is_found_again_without_its_note(host: Drivers, tmp_path: Path) -> None:
    network = network_of()
    port = port_on(network)
    host.network.plug(port, network)
    folder = tree_of(tmp_path) / "host" / "networks" / network.network_id
    before = pid_of(tmp_path, network)
    (folder / "dnsmasq.pid").write_text(f"{os.getpid()}\n")
    host.network.plug(port, network)
    assert Path(f"/proc/{before}/cmdline").read_bytes() != b""
    host.network.unplug(port.port_id)
    assert not Path(f"/proc/{before}").exists() or is_zombie(before)


def is_zombie(pid: int) -> bool:
    return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


def test_without_a_program_the_error_is_permanent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(dhcp, "NAMESPACES", tmp_path)
    (tmp_path / "space").touch()
    service = DhcpService(tmp_path, "space")
    with pytest.raises(HostError, match="not installed") as caught:
        service.ensure(parse_network(network_of()), 1)
    assert caught.value.permanent


def test_no_line_of_the_configuration_is_the_tenants(scene: Scene, tmp_path: Path) -> None:
    network = network_of()
    port, _ = scene.plug(network, replace(port_on(network), hostname="x\ndhcp-script=/bin/sh"))
    folder = tree_of(tmp_path) / "host" / "networks" / network.network_id
    assert (folder / "hosts" / port.port_id).read_text() == f"{port.mac},{port.addresses[0][1]}\n"


def test_a_port_of_two_subnets_is_served_in_one(scene: Scene) -> None:
    network = network_of(subnets=2)
    port, tap = scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        answer = guest.lease()
    assert answer is not None
    assert str(answer.address) in {address for _, address in port.addresses}


def test_a_port_without_addresses_is_not_served(scene: Scene) -> None:
    network = network_of()
    port = PortSpec(new_id(), network.network_id, "fa:16:3e:01:02:03", ())
    _, tap = scene.plug(network, port)
    with TapGuest(tap, port.mac) as guest:
        assert guest.lease(0.5) is None
