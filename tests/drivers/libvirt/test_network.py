"""Networks and ports on a real host: links, namespaces, filters, through repairs and crashes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.base import Drivers, NetworkSpec
from hanok.drivers.libvirt import dhcp, host_command, links, segment
from hanok.drivers.libvirt.links import change_links, find_link, remove_link
from hanok.drivers.libvirt.names import Names
from hanok.drivers.libvirt.network import LibvirtNetwork
from hanok.model.errors import HostError
from tests.drivers.libvirt.tap_guest import TapGuest
from tests.drivers.libvirt_host import deployment_of, remaining, tree_of
from tests.drivers.scene import Scene, network_of, port_on

pytestmark = pytest.mark.guest


@pytest.fixture
def names(tmp_path: Path) -> Names:
    return Names(deployment_of(tmp_path))


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


def reaches_gateway(tap: str, mac: str) -> bool:
    with TapGuest(tap, mac) as guest:
        return guest.find("10.77.0.1", 1.5) is not None


def test_links_are_as_told(scene: Scene, names: Names) -> None:
    network = replace(network_of(), mtu=1400)
    port, tap = scene.plug(network, replace(port_on(network), mtu=1400))
    bridge, inside = find_link(names.bridge(network.network_id)), find_link(tap)
    assert bridge is not None
    assert inside is not None
    assert (bridge.mtu, bridge.is_up, bridge.master) == (1400, True, None)
    assert (inside.mtu, inside.is_up, inside.master) == (1400, True, bridge.name)
    assert inside.alias == names.alias("port", port.port_id)


def test_the_host_has_no_address_on_a_network(scene: Scene, names: Names) -> None:
    network = network_of()
    _, tap = scene.plug(network)
    for link in (names.bridge(network.network_id), names.veth(network.network_id), tap):
        done = subprocess.run(
            ["ip", "-json", "addr", "show", "dev", link],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        assert '"local"' not in done.stdout


@pytest.fixture
def address_of_the_host() -> Iterator[str]:
    # Of the range for measurements (RFC 2544), another one in each process.
    address = f"198.18.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
    ip("addr", "add", f"{address}/32", "dev", "lo")
    yield address
    ip("addr", "del", f"{address}/32", "dev", "lo")


def test_a_guest_does_not_reach_the_host(
    scene: Scene, names: Names, address_of_the_host: str
) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    with TapGuest(tap, port.mac) as guest:
        assert guest.find("10.77.0.1", 1.5) is not None
        assert guest.find(address_of_the_host) is None
        # The filter is what keeps them apart: without it the host answers.
        subprocess.run(
            ["nft", "delete", "table", "netdev", names.filter_table()], check=True, timeout=10
        )
        assert guest.find(address_of_the_host) is not None
        scene.plug(network, port)
        assert guest.find(address_of_the_host) is None


def test_guests_of_one_network_reach_each_other_and_no_others(scene: Scene) -> None:
    network = network_of()
    (one, one_tap), (two, two_tap) = scene.plug(network), scene.plug(network)
    other, other_tap = scene.plug(network_of())
    with (
        TapGuest(one_tap, one.mac) as guest,
        TapGuest(two_tap, two.mac) as neighbour,
        TapGuest(other_tap, other.mac) as stranger,
    ):
        assert guest.find("10.77.0.1", 1.5) is not None
        assert neighbour.find("10.77.0.1", 1.5) is not None
        list(stranger.frames(0.1))
        guest.send(b"\xff" * 6, 0x88B5, b"hello")
        assert any(frame[14:19] == b"hello" for frame in neighbour.frames(0.3))
        assert not any(frame[14:19] == b"hello" for frame in stranger.frames(0.3))


def break_bridge(names: Names, network: NetworkSpec) -> None:
    ip("link", "del", names.bridge(network.network_id))


def break_veth(names: Names, network: NetworkSpec) -> None:
    ip("link", "del", names.veth(network.network_id))


def break_namespace(names: Names, network: NetworkSpec) -> None:
    ip("netns", "del", names.namespace(network.network_id))


def break_namespace_file(names: Names, network: NetworkSpec) -> None:
    break_namespace(names, network)
    Path("/run/netns", names.namespace(network.network_id)).touch()


def break_address(names: Names, network: NetworkSpec) -> None:
    ip("-n", names.namespace(network.network_id), "addr", "flush", "dev", "gw0")


def break_inside(names: Names, network: NetworkSpec) -> None:
    ip("-n", names.namespace(network.network_id), "link", "set", "gw0", "down")


def break_up(names: Names, network: NetworkSpec) -> None:
    ip("link", "set", names.bridge(network.network_id), "down")


def break_master(names: Names, network: NetworkSpec) -> None:
    ip("link", "set", names.veth(network.network_id), "nomaster")


@pytest.mark.parametrize(
    "damage",
    [
        break_bridge,
        break_veth,
        break_namespace,
        break_namespace_file,
        break_address,
        break_inside,
        break_up,
        break_master,
    ],
)
def test_plugging_again_repairs(
    scene: Scene, names: Names, damage: Callable[[Names, NetworkSpec], None]
) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    damage(names, network)
    if damage not in {break_namespace, break_namespace_file}:  # dnsmasq keeps it alive
        assert not reaches_gateway(tap, port.mac)
    assert scene.plug(network, port)[1] == tap
    assert reaches_gateway(tap, port.mac)
    with TapGuest(tap, port.mac) as guest:
        assert guest.lease() is not None


def test_a_namespace_forwards_nothing(host: Drivers, scene: Scene) -> None:
    network = network_of(subnets=2)
    scene.plug(network)
    assert isinstance(host.network, LibvirtNetwork)
    place = f"/run/netns/{host.network.namespace(network.network_id)}"
    done = subprocess.run(
        ["nsenter", f"--net={place}", "cat", "/proc/sys/net/ipv4/ip_forward"],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert done.stdout == "0\n"


class Stop(Exception):
    """Ends a call in its middle, as a crash would."""


def commands_stop_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[int]:
    """Let the host's commands of a call end with `Stop` at that number; count them."""
    real, count = host_command.run, [0]

    def run(*words: Any, **options: Any) -> str:
        count[0] += 1
        if count[0] == number:
            raise Stop
        return real(*words, **options)

    for module in (links, segment, dhcp):
        monkeypatch.setattr(module, "run", run)
    return count


def test_a_plug_that_is_cut_short_anywhere_is_completed_or_undone(
    host: Drivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of()
    port = port_on(network)
    reached = 0
    for number in range(1, 100):
        for finish in ("undo", "complete"):
            with monkeypatch.context() as patch:
                count = commands_stop_at(patch, number)
                with suppress(Stop):
                    host.network.plug(port, network)
                reached = count[0]
            if finish == "complete":
                tap = host.network.plug(port, network)
                assert reaches_gateway(tap, port.mac)
            host.network.unplug(port.port_id)
            assert remaining(tmp_path) == []
        if reached < number:
            break
    assert 6 <= reached < number


def test_an_unplug_that_is_cut_short_anywhere_is_completed(
    host: Drivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of()
    first, second = port_on(network), port_on(network)
    reached = 0
    for number in range(1, 100):
        for port in (first, second):
            host.network.plug(port, network)
        with monkeypatch.context() as patch:
            count = commands_stop_at(patch, number)
            with suppress(Stop):
                host.network.unplug(first.port_id)
                host.network.unplug(second.port_id)
            reached = count[0]
        host.network.unplug(first.port_id)
        host.network.unplug(second.port_id)
        assert remaining(tmp_path) == []
        if reached < number:
            break
    assert 6 <= reached < number


def test_what_was_half_removed_is_swept(names: Names, tmp_path: Path) -> None:
    (tmp_path / ".some-network.gone" / "ports").mkdir(parents=True)
    LibvirtNetwork(names, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_somebody_has_is_left_alone(host: Drivers, names: Names) -> None:
    network = network_of()
    port = port_on(network)
    tap = names.tap(port.port_id)
    change_links([f"link add {tap} type bridge", f'link set dev {tap} alias "mine"'])
    try:
        with pytest.raises(HostError) as caught:
            host.network.plug(port, network)
        assert caught.value.permanent
        host.network.unplug(port.port_id)
        found = find_link(tap)
        assert found is not None
        assert found.alias == "mine"
        assert host.network.list_ports() == []
    finally:
        remove_link(tap, "mine")
    host.network.unplug(port.port_id)


def test_two_deployments_in_one_machine_have_networks_of_the_same_id(
    host: Drivers, scene: Scene, tmp_path: Path
) -> None:
    network = network_of()
    port, tap = scene.plug(network)
    other = LibvirtNetwork(Names("another"), tmp_path)
    try:
        assert other.plug(port, network) != tap
        assert other.list_ports() == host.network.list_ports() == [port.port_id]
    finally:
        other.unplug(port.port_id)
    assert other.list_ports() == other.list_networks() == []
    assert host.network.list_ports() == [port.port_id]


def test_wrong_ports_are_refused_for_good(host: Drivers, scene: Scene) -> None:
    network, other = network_of(), network_of()
    port, _ = scene.plug(network)
    outside = replace(port, addresses=((network.subnets[0].subnet_id, "10.99.0.1"),))
    wrong: list[Callable[[], object]] = [
        lambda: host.network.plug(port, other),
        lambda: host.network.plug(replace(port, network_id=other.network_id), other),
        lambda: host.network.plug(outside, network),
        lambda: host.network.apply(outside),
        lambda: host.network.apply(port_on(network)),
        lambda: host.network.apply(port_on(other)),
        lambda: host.network.unplug("../../etc"),
        lambda: host.network.plug(replace(port, port_id="a/b"), network),
    ]
    for call in wrong:
        with pytest.raises(HostError) as caught:
            call()
        assert caught.value.permanent
    assert host.network.list_networks() == [network.network_id]


def test_what_the_tree_lost_is_still_unplugged(host: Drivers, tmp_path: Path) -> None:
    network = network_of()
    port = port_on(network)
    tap = host.network.plug(port, network)
    shutil.rmtree(tree_of(tmp_path) / "host" / "networks" / network.network_id)
    host.network.unplug(port.port_id)
    assert find_link(tap) is None
    host.network.plug(port, network)
    host.network.unplug(port.port_id)


def test_plugging_is_quick(scene: Scene) -> None:
    network = network_of()
    scene.plug(network)
    times = []
    for _ in range(5):
        before = time.monotonic()
        scene.plug(network)
        times.append(time.monotonic() - before)
    # 20 ms on an idle machine; five times that is a mistake, not a load.
    assert min(times) < 0.1
