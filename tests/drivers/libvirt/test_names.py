from __future__ import annotations

import uuid

import pytest

from hanok.drivers.libvirt.names import Names, safe_id, server_uuid
from hanok.model.errors import HostError

SERVER = "5f8b0c1e-3a5e-4f5a-9a51-0d5a4a4f7d11"
NAMES = Names("deployment-1")


def test_links_names_fit_the_kernel() -> None:
    some_id = str(uuid.uuid4())
    for name in (NAMES.bridge(some_id), NAMES.veth(some_id), NAMES.tap(some_id)):
        assert len(name) == 15
        assert name.isalnum()
    assert len({NAMES.bridge(some_id), NAMES.veth(some_id), NAMES.tap(some_id)}) == 3


def test_deployments_name_things_apart() -> None:
    # Ids that begin alike, as those made in one minute do.
    other = Names("deployment-2")
    for kind in ("bridge", "veth", "tap", "namespace"):
        assert getattr(NAMES, kind)("x") != getattr(other, kind)("x")
        assert getattr(NAMES, kind)("x") != getattr(NAMES, kind)("y")
    assert NAMES.domain(SERVER) != other.domain(SERVER)
    assert NAMES.filter_table() != other.filter_table()


def test_names_stay_as_they_are() -> None:
    """What runs on a host must be found by the next version too."""
    assert NAMES.domain(SERVER) == f"hk-32baacc0-{SERVER}"
    assert NAMES.bridge("network-1") == "hkbeca5aba7d08c"
    assert NAMES.tap("port-1") == "hktb02b3f07c4b0"
    assert NAMES.namespace("network-1") == "hk-32baacc0-eca5aba7d08c"


def test_an_alias_tells_whose_a_link_is() -> None:
    alias = NAMES.alias("port", "port-1")
    assert NAMES.owned_id("port", alias) == "port-1"
    assert NAMES.owned_id("network", alias) is None
    assert Names("deployment-").owned_id("port", alias) is None
    assert Names("deployment").owned_id("port", alias) is None
    assert NAMES.owned_id("port", "") is None


@pytest.mark.parametrize("bad", ["", "a/b", "..", ".a", "-a", "a b", "a\n", "ä", "x" * 65])
def test_an_id_that_is_no_file_name_is_refused(bad: str) -> None:
    with pytest.raises(HostError) as caught:
        safe_id(bad)
    assert caught.value.permanent


def test_a_good_id_stays() -> None:
    assert safe_id(SERVER) == SERVER
    assert server_uuid(SERVER) == SERVER


@pytest.mark.parametrize("bad", ["", "server-1", SERVER.upper(), "{" + SERVER + "}", SERVER[:-1]])
def test_a_server_id_is_a_uuid(bad: str) -> None:
    with pytest.raises(HostError) as caught:
        server_uuid(bad)
    assert caught.value.permanent
