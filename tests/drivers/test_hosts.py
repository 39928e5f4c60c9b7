from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanok.drivers.base import DiskSpec, Drivers
from hanok.drivers.hosts import Hosts, check_parity
from hanok.drivers.simulated.compute import SimulatedCompute
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.drivers.simulated.host import open_host
from hanok.drivers.simulated.world import World
from hanok.drivers.verbs import VERBS, encode_args
from hanok.model.errors import HostError, HostUnreachable, NotFound
from tests.drivers.scene import domain_of, network_of, port_on, wait_for

HANG = {"hang_s": 60, "outcome": "late"}


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Two simulated hosts, a and b; their worlds lie in folders of those names."""
    made = Hosts(patience=0.1)
    for name in ("a", "b"):
        made.add(name, open_host("here", tmp_path / name), threads=2)
    yield made
    made.close()


def hang(world: Path, verb: str) -> World:
    opened = World(world)
    opened.inject({"failures": [{"verb": verb, **HANG}]})
    return opened


def facts(hosts: Hosts, host_id: str, timeout: float = 5.0) -> Any:
    return hosts.perform(host_id, "compute.facts", {}, timeout)


def test_a_life_through_json(hosts: Hosts) -> None:
    network = network_of()
    port, spec = port_on(network), DiskSpec("disk-1", 3)

    def perform(verb: str, **kwargs: Any) -> Any:
        result = hosts.perform("a", verb, json.loads(json.dumps(encode_args(verb, **kwargs))), 5)
        return VERBS[verb].decode_result(json.loads(json.dumps(result)))

    disk = perform("storage.create_disk", spec=spec)
    assert perform("network.plug", port=port, network=network).startswith("tap")
    domain = domain_of((disk,))
    perform("compute.define", spec=domain)
    perform("compute.start", server_id=domain.server_id)
    args = encode_args("compute.console_log", server_id=domain.server_id, max_bytes=100)
    log = VERBS["compute.console_log"].decode_result(
        hosts.query("a", "compute.console_log", args, 5)
    )
    assert b"No bootable device" in log
    assert hosts.query("b", "compute.list_domains", {}, 5) == []
    perform("compute.delete", server_id=domain.server_id)
    perform("storage.delete_disk", disk_id="disk-1")
    assert hosts.query("a", "storage.list_disks", {}, 5) == []


def test_a_drivers_error_arrives_as_it_is(hosts: Hosts) -> None:
    with pytest.raises(HostError) as caught:
        hosts.perform("a", "compute.start", {"server_id": "absent"}, 5)
    assert caught.value.permanent
    assert not isinstance(caught.value, HostUnreachable)
    assert hosts.answering("a")


def test_any_other_error_is_the_hosts(tmp_path: Path) -> None:
    class Broken(SimulatedCompute):
        def start(self, server_id: str) -> None:
            raise OSError(5, f"input/output error at {tmp_path}")

        def power_off(self, server_id: str) -> None:
            raise NotFound("No such thing.")

    made = open_host("here", tmp_path)
    assert isinstance(made.compute, SimulatedCompute)
    made.compute.__class__ = Broken
    hosts = Hosts()
    hosts.add("a", made)
    with pytest.raises(HostError) as caught:
        hosts.perform("a", "compute.start", {"server_id": "s"}, 5)
    assert caught.value.message == "The host could not carry out the request."
    assert "a: compute.start: OSError" in caught.value.detail
    assert not caught.value.permanent
    with pytest.raises(NotFound):
        hosts.perform("a", "compute.power_off", {"server_id": "s"}, 5)
    hosts.close()


def test_what_no_host_understands_is_refused_before_any_thread(hosts: Hosts) -> None:
    for verb, args in (("compute.fly", {}), ("compute.start", {"id": "s"})):
        with pytest.raises(HostError) as caught:
            hosts.perform("a", verb, args, 5)
        assert caught.value.permanent


def test_an_unknown_host_does_not_answer(hosts: Hosts) -> None:
    with pytest.raises(HostUnreachable):
        facts(hosts, "c")
    assert not hosts.answering("c")


def test_hosts_come_and_go(hosts: Hosts, tmp_path: Path) -> None:
    assert sorted(hosts.hosts()) == ["a", "b"]
    with pytest.raises(ValueError, match="there already"):
        hosts.add("a", open_host("here", tmp_path / "a"))
    hosts.remove("a")
    hosts.remove("a")
    assert hosts.hosts() == ["b"]
    with pytest.raises(HostUnreachable):
        facts(hosts, "a")
    hosts.add("a", open_host("here", tmp_path / "a"))
    assert facts(hosts, "a")["driver"] == "simulated"


def test_fault_24_a_host_that_hangs_stops_itself_alone(hosts: Hosts, tmp_path: Path) -> None:
    world = hang(tmp_path / "a", "*")
    started = time.monotonic()
    with pytest.raises(HostUnreachable):
        facts(hosts, "a", timeout=0.05)
    assert time.monotonic() - started < 1
    for _ in range(50):
        facts(hosts, "b")
    assert hosts.answering("b")
    assert wait_for(lambda: not hosts.answering("a"))
    started = time.monotonic()
    for _ in range(20):
        with pytest.raises(HostUnreachable):
            facts(hosts, "a", timeout=30)
        with pytest.raises(HostUnreachable):
            hosts.query("a", "compute.list_domains", {}, 30)
    assert time.monotonic() - started < 1
    assert facts(hosts, "b")
    world.withdraw()
    assert wait_for(lambda: hosts.answering("a"))
    assert facts(hosts, "a")["driver"] == "simulated"


def test_one_slow_call_is_no_hung_host(hosts: Hosts, tmp_path: Path) -> None:
    hang(tmp_path / "a", "compute.facts")
    with pytest.raises(HostUnreachable):
        facts(hosts, "a", timeout=0.02)
    time.sleep(0.15)
    assert hosts.answering("a")
    assert hosts.perform("a", "storage.free_gib", {}, 5) == 4096


def test_too_many_hung_calls_make_a_host_that_does_not_answer(hosts: Hosts, tmp_path: Path) -> None:
    world = hang(tmp_path / "a", "compute.facts")
    for _ in range(4):
        with pytest.raises(HostUnreachable):
            facts(hosts, "a", timeout=0.02)
    assert not hosts.answering("a")
    started = time.monotonic()
    with pytest.raises(HostUnreachable):
        hosts.perform("a", "storage.free_gib", {}, 30)
    assert time.monotonic() - started < 1
    world.withdraw()
    assert wait_for(lambda: hosts.answering("a"))
    assert hosts.perform("a", "storage.free_gib", {}, 5) == 4096


def test_questions_are_not_behind_long_work(hosts: Hosts, tmp_path: Path) -> None:
    hang(tmp_path / "a", "compute.facts")
    busy = [
        threading.Thread(target=pytest.raises, args=(HostUnreachable, facts, hosts, "a", 20))
        for _ in range(4)
    ]
    for one in busy:
        one.start()
    assert hosts.query("a", "compute.list_domains", {}, 5) == []
    with pytest.raises(HostUnreachable, match="not begun"):
        hosts.perform("a", "storage.free_gib", {}, 0.05)
    hosts.close()
    for one in busy:
        one.join(5)
        assert not one.is_alive()


def test_a_host_that_says_it_is_out_of_reach_is_asked_again(tmp_path: Path) -> None:
    reachable = threading.Event()

    class Remote(SimulatedCompute):
        def power_state(self, server_id: str) -> Any:
            if not reachable.is_set():
                raise HostUnreachable("The host did not answer in time.", detail="refused")
            return super().power_state(server_id)

    made = open_host("here", tmp_path)
    made.compute.__class__ = Remote
    hosts = Hosts()
    hosts.add("a", made)
    assert hosts.answering("a")
    with pytest.raises(HostUnreachable):
        hosts.query("a", "compute.power_state", {"server_id": "s"}, 5)
    assert not hosts.answering("a")
    reachable.set()
    assert wait_for(lambda: hosts.answering("a"))
    hosts.close()


def test_closing_does_not_wait_for_what_hangs(hosts: Hosts, tmp_path: Path) -> None:
    hang(tmp_path / "a", "*")
    caller = threading.Thread(target=pytest.raises, args=(HostUnreachable, facts, hosts, "a", 30))
    caller.start()
    time.sleep(0.05)
    started = time.monotonic()
    hosts.close()
    assert time.monotonic() - started < 1
    caller.join(5)
    assert not caller.is_alive()
    assert hosts.hosts() == []


CHILD = """
import sys
from pathlib import Path
from hanok.drivers.hosts import Hosts
from hanok.drivers.simulated.config import SimulatedConfig
from hanok.drivers.simulated.host import open_host
from hanok.model.errors import HostUnreachable
hang = {"failures": [{"verb": "*", "hang_s": 600}]}
hosts = Hosts()
hosts.add("a", open_host("here", Path(sys.argv[1]), SimulatedConfig.from_dict(hang)))
try:
    hosts.perform("a", "compute.facts", {}, 0.05)
except HostUnreachable:
    print("left")
"""


def test_a_process_ends_while_calls_hang(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, tmp_path],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert done.stdout == "left\n"


class TestParity:
    def test_a_whole_driver_passes(self, tmp_path: Path) -> None:
        check_parity(open_host("here", tmp_path), open_host("there", tmp_path))

    def test_a_method_of_the_protocol_that_is_missing(self, tmp_path: Path) -> None:
        whole = open_host("here", tmp_path)

        class Half:
            def create_disk(self, spec: DiskSpec) -> None: ...

        half: Any = Half()
        with pytest.raises(TypeError) as caught:
            check_parity(Drivers(whole.compute, half, whole.network))
        assert "Half lacks storage.delete_disk" in str(caught.value)
        assert "create_disk" not in str(caught.value)

    def test_a_method_that_another_has(self, tmp_path: Path) -> None:
        whole = open_host("here", tmp_path)

        class More(SimulatedCompute):
            def juggle(self, server_id: str) -> None: ...

        made = open_host("there", tmp_path)
        made.compute.__class__ = More
        hosts = Hosts()
        hosts.add("whole", whole)
        with pytest.raises(TypeError, match=r"SimulatedCompute lacks compute\.juggle"):
            hosts.add("more", made)
        assert hosts.hosts() == ["whole"]
        hosts.close()

    def test_a_parameter_of_another_name(self, tmp_path: Path) -> None:
        class Renamed(SimulatedCompute):
            def start(self, domain_id: str) -> None: ...

        made = open_host("here", tmp_path, SimulatedConfig())
        made.compute.__class__ = Renamed
        with pytest.raises(TypeError, match=r"compute\.start takes server_id"):
            check_parity(made)
