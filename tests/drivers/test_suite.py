"""One suite that every driver passes: the promises of the protocols' docstrings.

A kind of host joins by a module `<kind>_host.py` beside this one (see `simulated_host`).
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.base import DiskSpec, DomainDisk, DomainSpec, Drivers
from hanok.drivers.verbs import VERBS, encode_args
from hanok.model.errors import HostError
from hanok.model.power import PowerState
from tests.drivers.scene import (
    Host,
    Scene,
    differing,
    domain_of,
    network_of,
    new_id,
    port_on,
    wait_for,
)


def power_states(drivers: Drivers) -> dict[str, PowerState]:
    return {one.server_id: one.power_state for one in drivers.compute.list_domains()}


def test_facts_are_measured(host: Host) -> None:
    facts = host.drivers.compute.facts()
    assert facts.accel in {"kvm", "tcg", "simulated"}
    assert facts.driver
    assert min(facts.vcpus, facts.ram_mib, facts.disk_gib) > 0


def test_a_blank_disk_is_made_once(host: Host, scene: Scene) -> None:
    spec = DiskSpec(new_id(), 3)
    storage = host.drivers.storage
    disk = storage.create_disk(spec)
    try:
        assert (disk.disk_id, disk.size_gib) == (spec.disk_id, 3)
        assert disk.path
        assert disk.format
        assert storage.create_disk(spec) == disk
        assert storage.describe_disk(spec.disk_id) == disk
        assert storage.list_disks().count(disk) == 1
    finally:
        storage.delete_disk(spec.disk_id)
    storage.delete_disk(spec.disk_id)
    assert disk not in storage.list_disks()


def test_a_disk_is_replaced_by_another_once(host: Host, scene: Scene) -> None:
    storage = host.drivers.storage
    old, by = scene.disk(2), scene.disk(host.image_gib, host.image)
    for _ in range(2):
        storage.replace_disk(old.disk_id, by.disk_id)
        assert storage.describe_disk(old.disk_id) == replace(old, size_gib=host.image_gib)
        assert by not in storage.list_disks()
    storage.delete_disk(old.disk_id)
    with pytest.raises(HostError) as caught:
        storage.replace_disk(old.disk_id, by.disk_id)
    assert caught.value.permanent


def test_a_disk_that_is_lost_is_replaced_too(host: Host, scene: Scene) -> None:
    lost, by = scene.disk(), scene.disk(3)
    host.drivers.storage.delete_disk(lost.disk_id)
    host.drivers.storage.replace_disk(lost.disk_id, by.disk_id)
    assert host.drivers.storage.describe_disk(lost.disk_id).size_gib == 3


def test_the_disk_of_a_domain_replaces_none_and_stays_its_own_when_replaced(
    host: Host, scene: Scene
) -> None:
    spec, by = scene.define(), scene.disk()
    held = spec.disks[0].disk.disk_id
    with pytest.raises(HostError) as caught:
        host.drivers.storage.replace_disk(by.disk_id, held)
    assert caught.value.permanent
    host.drivers.storage.replace_disk(held, by.disk_id)
    with pytest.raises(HostError, match="in use"):
        host.drivers.storage.delete_disk(held)
    host.drivers.compute.define(spec)


def test_an_absent_disk_cannot_be_described(host: Host) -> None:
    with pytest.raises(HostError) as caught:
        host.drivers.storage.describe_disk(new_id())
    assert caught.value.permanent


def test_a_disk_of_an_image_has_the_size_asked_for(host: Host, scene: Scene) -> None:
    for size, independent in ((host.image_gib, False), (1000, False), (1000, True)):
        disk = scene.disk(size, host.image, independent=independent)
        assert disk.size_gib == size
        assert disk in host.drivers.storage.list_disks()


def test_an_image_larger_than_the_disk_is_refused(host: Host, scene: Scene) -> None:
    before = host.drivers.storage.list_disks()
    with pytest.raises(HostError) as caught:
        scene.disk(host.image_gib - 1, host.image)
    assert caught.value.permanent
    assert host.drivers.storage.list_disks() == before


def test_an_absent_image_is_refused(host: Host, scene: Scene) -> None:
    with pytest.raises(HostError) as caught:
        scene.disk(10, (new_id(), host.image[1]))
    assert caught.value.permanent
    assert str(host.root) not in caught.value.message


def test_space_is_left(host: Host) -> None:
    assert host.drivers.storage.free_gib() > 0


def test_a_port_is_plugged_once(host: Host, scene: Scene) -> None:
    network, driver = network_of(subnets=2), host.drivers.network
    port, tap = scene.plug(network)
    assert 0 < len(tap) <= 15
    assert driver.plug(port, network) == tap
    assert driver.list_ports().count(port.port_id) == 1
    assert driver.list_networks().count(network.network_id) == 1
    driver.unplug(port.port_id)
    driver.unplug(port.port_id)
    assert port.port_id not in driver.list_ports()


def test_the_last_port_takes_its_network_with_it(host: Host, scene: Scene) -> None:
    network, driver = network_of(), host.drivers.network
    (first, first_tap), (second, second_tap) = scene.plug(network), scene.plug(network)
    assert first_tap != second_tap
    driver.unplug(first.port_id)
    assert network.network_id in driver.list_networks()
    assert second.port_id in driver.list_ports()
    driver.unplug(second.port_id)
    assert network.network_id not in driver.list_networks()
    assert scene.plug(network, second)[1] == second_tap


def test_a_plugged_port_changes_its_addresses(host: Host, scene: Scene) -> None:
    network, driver = network_of(subnets=2), host.drivers.network
    port, tap = scene.plug(network)
    moved = replace(port, addresses=((network.subnets[0].subnet_id, "10.77.0.250"),))
    driver.apply(moved)
    driver.apply(moved)
    assert driver.plug(moved, network) == tap
    assert driver.list_ports().count(port.port_id) == 1


def test_a_network_with_ports_changes_its_subnets(host: Host, scene: Scene) -> None:
    two = network_of(subnets=2)
    one, driver = replace(two, subnets=two.subnets[:1]), host.drivers.network
    scene.plug(one)
    driver.update_network(two)
    driver.update_network(two)
    scene.plug(two)
    assert driver.list_networks().count(two.network_id) == 1


def test_an_absent_network_is_not_made_by_an_update(host: Host) -> None:
    network = network_of()
    host.drivers.network.update_network(network)
    assert network.network_id not in host.drivers.network.list_networks()


def test_a_domain_is_defined_switched_off_once(host: Host, scene: Scene) -> None:
    spec = scene.define()
    compute = host.drivers.compute
    compute.define(spec)
    assert compute.power_state(spec.server_id) == PowerState.SHUTDOWN
    assert power_states(host.drivers)[spec.server_id] == PowerState.SHUTDOWN
    assert [one.server_id for one in compute.list_domains()].count(spec.server_id) == 1
    assert compute.console_log(spec.server_id, 1000) == b""


def test_a_domain_that_is_off_is_made_equal(host: Host, scene: Scene) -> None:
    spec = differing(scene.define())
    host.drivers.compute.define(spec)
    host.drivers.compute.define(spec)
    assert host.drivers.compute.power_state(spec.server_id) == PowerState.SHUTDOWN


def test_a_running_domain_is_left_alone_or_refused(host: Host, running: DomainSpec) -> None:
    compute = host.drivers.compute
    compute.define(running)
    with pytest.raises(HostError) as caught:
        compute.define(differing(running))
    assert caught.value.permanent
    assert compute.power_state(running.server_id) == PowerState.RUNNING
    compute.define(running)


def test_a_domain_that_was_changed_is_as_its_new_spec_says(host: Host, scene: Scene) -> None:
    root = scene.disk(4, host.image)
    spec, compute = scene.define(domain_of((root,))), host.drivers.compute
    compute.resize(spec.server_id, spec.vcpus + 1, spec.ram_mib + 64)
    larger = replace(spec, vcpus=spec.vcpus + 1, ram_mib=spec.ram_mib + 64)
    compute.start(spec.server_id)
    added = DomainDisk(scene.disk(), "vdk", "added")
    compute.attach_disk(spec.server_id, added)
    whole = replace(larger, disks=(*spec.disks, added))
    compute.define(whole)
    for other in (spec, larger, replace(whole, vcpus=spec.vcpus)):
        with pytest.raises(HostError) as caught:
            compute.define(other)
        assert caught.value.permanent
    compute.power_off(spec.server_id)
    compute.detach_disk(spec.server_id, added.disk.disk_id)
    compute.start(spec.server_id)
    compute.define(larger)
    assert compute.power_state(spec.server_id) == PowerState.RUNNING


def test_starting_a_running_domain_is_success(host: Host, running: DomainSpec) -> None:
    host.drivers.compute.start(running.server_id)
    assert power_states(host.drivers)[running.server_id] == PowerState.RUNNING


def test_a_console_log_is_no_longer_than_asked_for(host: Host, running: DomainSpec) -> None:
    compute = host.drivers.compute
    # What the firmware says is its own affair, and it may speak meanwhile.
    before = compute.console_log(running.server_id, 1 << 20)
    tail = compute.console_log(running.server_id, 7)
    assert len(tail) == min(7, max(len(before), len(tail)))
    assert tail in compute.console_log(running.server_id, 1 << 20)


def test_a_screen_has_an_address_while_its_guest_runs(
    host: Host, scene: Scene, running: DomainSpec
) -> None:
    compute = host.drivers.compute
    assert compute.screen_url(running.server_id).startswith("vnc")
    for server_id in (scene.define().server_id, new_id()):
        with pytest.raises(HostError) as caught:
            compute.screen_url(server_id)
        assert caught.value.permanent


def test_two_running_domains_cannot_have_one_disk(
    host: Host, scene: Scene, running: DomainSpec
) -> None:
    thief = domain_of((running.disks[0].disk,))

    def steal() -> None:
        scene.define(thief)
        host.drivers.compute.start(thief.server_id)

    with pytest.raises(HostError):
        steal()
    assert host.drivers.compute.power_state(thief.server_id) != PowerState.RUNNING


def test_an_unknown_domain_cannot_be_started(host: Host) -> None:
    with pytest.raises(HostError) as caught:
        host.drivers.compute.start(new_id())
    assert caught.value.permanent


def test_a_domain_whose_disk_is_gone_does_not_run(host: Host, scene: Scene) -> None:
    disk = scene.disk()
    host.drivers.storage.delete_disk(disk.disk_id)
    spec = domain_of((disk,))

    def run() -> None:
        scene.define(spec)
        host.drivers.compute.start(spec.server_id)

    with pytest.raises(HostError) as caught:
        run()
    assert caught.value.permanent
    assert disk.path not in caught.value.message
    assert host.drivers.compute.power_state(spec.server_id) != PowerState.RUNNING


def test_what_is_absent_is_so_already(host: Host) -> None:
    compute, absent = host.drivers.compute, new_id()
    compute.power_off(absent)
    compute.delete(absent)
    assert compute.power_state(absent) == PowerState.NOSTATE
    host.drivers.storage.delete_disk(absent)
    host.drivers.network.unplug(absent)


def test_off_is_off(host: Host, scene: Scene) -> None:
    spec = scene.define()
    host.drivers.compute.shut_down(spec.server_id)
    host.drivers.compute.power_off(spec.server_id)
    assert host.drivers.compute.power_state(spec.server_id) == PowerState.SHUTDOWN


def test_a_domain_runs_its_life_and_is_heard_of(host: Host, scene: Scene) -> None:
    spec, compute = scene.define(), host.drivers.compute
    host.heard.clear()
    compute.start(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.RUNNING
    assert wait_for(lambda: spec.server_id in host.heard)
    asked = time.monotonic()
    compute.shut_down(spec.server_id)
    assert time.monotonic() - asked < 5
    assert compute.power_state(spec.server_id) in {PowerState.RUNNING, PowerState.SHUTDOWN}
    compute.power_off(spec.server_id)
    compute.power_off(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.SHUTDOWN
    compute.start(spec.server_id)
    host.heard.clear()
    compute.delete(spec.server_id)
    compute.delete(spec.server_id)
    assert compute.power_state(spec.server_id) == PowerState.NOSTATE
    assert spec.server_id not in power_states(host.drivers)
    assert wait_for(lambda: spec.server_id in host.heard)


def test_a_host_opened_anew_is_the_same(host: Host, scene: Scene, running: DomainSpec) -> None:
    scene.define()
    again = host.open(host.root)
    try:
        assert power_states(again) == power_states(host.drivers)
        assert power_states(again)[running.server_id] == PowerState.RUNNING
        assert again.storage.list_disks() == host.drivers.storage.list_disks() != []
        assert again.network.list_ports() == host.drivers.network.list_ports() != []
        assert again.network.list_networks() == host.drivers.network.list_networks() != []
        again.compute.define(running)
    finally:
        again.compute.close()


def test_a_deployment_sees_and_touches_only_its_own(
    host: Host, running: DomainSpec, tmp_path: Path
) -> None:
    other = host.open(tmp_path / "other")
    try:
        assert other.compute.list_domains() == []
        assert other.storage.list_disks() == []
        assert other.network.list_ports() == other.network.list_networks() == []
        assert other.compute.power_state(running.server_id) == PowerState.NOSTATE
        other.compute.power_off(running.server_id)
        other.compute.delete(running.server_id)
        other.network.unplug(running.ports[0].port_id)
        other.storage.delete_disk(running.disks[0].disk.disk_id)
    finally:
        other.compute.close()
    assert power_states(host.drivers)[running.server_id] == PowerState.RUNNING
    assert running.ports[0].port_id in host.drivers.network.list_ports()
    assert running.disks[0].disk in host.drivers.storage.list_disks()
    assert host.leftovers(tmp_path / "other") == []


def test_several_threads_work_at_once(host: Host, scene: Scene) -> None:
    network = network_of()
    ports = [port_on(network) for _ in range(4)]

    def make(number: int) -> None:
        scene.plug(network, ports[number])
        scene.define(domain_of((scene.disk(),)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(4)))
    assert {port.port_id for port in ports} <= set(host.drivers.network.list_ports())
    states = list(power_states(host.drivers).values())
    assert states.count(PowerState.SHUTDOWN) == 4


def test_all_of_it_travels_as_json_and_nothing_is_left(host: Host, tmp_path: Path) -> None:
    root = tmp_path / "alone"
    drivers = host.open(root)

    def call(name: str, **kwargs: Any) -> Any:
        args = json.loads(json.dumps(encode_args(name, **kwargs)))
        verb = VERBS[name]
        return json.loads(
            json.dumps(verb.encode_result(verb.call(drivers, verb.decode_args(args))))
        )

    network = network_of()
    port, disk_id = port_on(network), new_id()
    disk = VERBS["storage.create_disk"].decode_result(
        call("storage.create_disk", spec=DiskSpec(disk_id, 1))
    )
    call("network.plug", port=port, network=network)
    spec = domain_of((disk,))
    call("compute.define", spec=spec)
    assert host.leftovers(root) != []
    found = VERBS["compute.list_domains"].decode_result(call("compute.list_domains"))
    assert [one.server_id for one in found] == [spec.server_id]
    call("compute.delete", server_id=spec.server_id)
    call("network.unplug", port_id=port.port_id)
    call("storage.delete_disk", disk_id=disk_id)
    drivers.compute.close()
    assert host.leftovers(root) == []
