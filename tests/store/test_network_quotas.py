from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanok.model.network_quota import NetworkQuota, OverQuota
from hanok.model.quota import Quota
from hanok.store import network_quotas, networks, ports, quotas
from hanok.store.database import Database
from tests.region_store import MINE, OTHER, region_store, uuid
from tests.store.network_rows import a_network, a_port, a_subnet


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        yield database


def test_limits_are_the_defaults_until_changed(store: Database) -> None:
    with store.write() as tx:
        assert network_quotas.limits_of(tx, MINE) == NetworkQuota()
        assert network_quotas.change(tx, MINE, {}) == NetworkQuota()
        assert network_quotas.changed(tx) == {}
        assert network_quotas.change(tx, MINE, {"port": 3}) == NetworkQuota(port=3)
        assert network_quotas.change(tx, MINE, {"subnet": -1}) == NetworkQuota(port=3, subnet=-1)
        assert network_quotas.changed(tx) == {MINE: NetworkQuota(port=3, subnet=-1)}
        network_quotas.reset(tx, MINE)
        assert network_quotas.limits_of(tx, MINE) == NetworkQuota()
        assert network_quotas.changed(tx) == {}


def test_computes_limits_lie_beside_them(store: Database) -> None:
    with store.write() as tx:
        quotas.change(tx, MINE, {"cores": 40})
        network_quotas.change(tx, MINE, {"port": 3})
        quotas.change(tx, MINE, {"instances": 1})
        assert quotas.limits_of(tx, MINE) == Quota(cores=40, instances=1)
        assert network_quotas.limits_of(tx, MINE) == NetworkQuota(port=3)
        quotas.reset(tx, MINE)
        assert quotas.limits_of(tx, MINE) == Quota()
        assert network_quotas.limits_of(tx, MINE) == NetworkQuota(port=3)
        quotas.change(tx, MINE, {"cores": 40})
        network_quotas.reset(tx, MINE)
        assert quotas.limits_of(tx, MINE) == Quota(cores=40)


def test_use_is_counted_of_a_project(store: Database) -> None:
    with store.write() as tx:
        networks.add(tx, a_network(1))
        networks.add_subnet(tx, a_subnet(2, uuid(1)))
        ports.make(tx, a_port(3, uuid(1)), ())
        ports.make(tx, a_port(4, uuid(1), project_id=OTHER), ())
        used = network_quotas.usage_of(tx, MINE)
        assert used == {
            **dict.fromkeys(("network", "subnet", "port"), 1),
            **dict.fromkeys(("security_group", "security_group_rule"), 0),
        }


def test_there_is_room_up_to_the_limit(store: Database) -> None:
    with store.write() as tx:
        networks.add(tx, a_network(1))
        network_quotas.change(tx, MINE, {"network": 2})
        assert network_quotas.room(tx, MINE, "network") == 1
        network_quotas.take(tx, MINE, "network")
        network_quotas.change(tx, MINE, {"network": 1})
        with pytest.raises(OverQuota, match="network"):
            network_quotas.take(tx, MINE, "network")
        network_quotas.change(tx, MINE, {"network": 0})
        assert network_quotas.room(tx, MINE, "network") == 0
        network_quotas.change(tx, MINE, {"network": -1})
        assert network_quotas.room(tx, MINE, "network") is None
        network_quotas.take(tx, MINE, "network")
