"""Which domains are ours, on a libvirtd of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from hanok.drivers.libvirt.connection import run_event_loop
from hanok.drivers.libvirt.domain_xml import NAMESPACE
from hanok.drivers.libvirt.names import Names
from hanok.drivers.libvirt.own_domains import OwnDomains, destroy, is_absent, power_state
from hanok.model.errors import HostError
from hanok.model.power import PowerState
from tests.drivers.libvirt.private_libvirtd import PrivateLibvirtd
from tests.drivers.scene import new_id

pytestmark = pytest.mark.guest
NAMES = Names("test-own-domains")
DOMAINS = OwnDomains(NAMES)


@pytest.fixture
def conn(private: PrivateLibvirtd) -> Iterator[Any]:
    run_event_loop()
    connection = libvirt.open(private.uri)
    yield connection
    for domain in connection.listAllDomains():
        destroy(domain)
        domain.undefine()
    connection.close()


def define(conn: Any, server_id: str, name: str, deployment: str | None) -> Any:
    facts = f"<h:server xmlns:h='{NAMESPACE}' deployment='{deployment}' spec='digest'/>"
    metadata = "" if deployment is None else f"<metadata>{facts}</metadata>"
    return conn.defineXML(
        f"<domain type='qemu'><name>{name}</name><uuid>{server_id}</uuid>{metadata}"
        "<memory unit='MiB'>32</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>"
        "</domain>"
    )


def test_ours_is_found_with_its_digest(conn: Any) -> None:
    server_id = new_id()
    define(conn, server_id, NAMES.domain(server_id), NAMES.deployment_id)
    found = DOMAINS.find(conn, server_id)
    assert found is not None
    assert found.spec_digest == "digest"
    assert power_state(found.handle) == PowerState.SHUTDOWN
    assert [one.server_id for one in DOMAINS.list_all(conn)] == [server_id]
    with pytest.raises(HostError) as caught:
        DOMAINS.check_free(conn, server_id)
    assert caught.value.permanent


@pytest.mark.parametrize("deployment", [None, "test-own-domains-2", ""])
def test_anothers_is_not_ours_even_with_our_name(conn: Any, deployment: str | None) -> None:
    server_id = new_id()
    define(conn, server_id, NAMES.domain(server_id), deployment)
    assert DOMAINS.find(conn, server_id) is None
    assert DOMAINS.list_all(conn) == []


def test_an_absent_one_is_none(conn: Any) -> None:
    assert DOMAINS.find(conn, new_id()) is None
    DOMAINS.check_free(conn, new_id())
    with pytest.raises(libvirt.libvirtError) as caught:
        conn.lookupByUUIDString(new_id())
    assert is_absent(caught.value)


def test_a_name_tells_the_id() -> None:
    server_id = new_id()
    assert DOMAINS.own_id(NAMES.domain(server_id)) == server_id
    assert DOMAINS.own_id(Names("other").domain(server_id)) is None


def test_power_states_are_nova_s(conn: Any) -> None:
    server_id = new_id()
    handle = define(conn, server_id, NAMES.domain(server_id), NAMES.deployment_id)
    handle.create()
    assert power_state(handle) == PowerState.RUNNING
    handle.suspend()
    assert power_state(handle) == PowerState.PAUSED
    destroy(handle)
    destroy(handle)
    assert power_state(handle) == PowerState.SHUTDOWN
    handle.undefine()
    destroy(handle)
