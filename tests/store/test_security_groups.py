from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from hanok.model.errors import Conflict, NotFound
from hanok.model.security_group import SecurityGroup, let_out
from hanok.store import networks, ports, security_groups
from hanok.store.database import Database
from tests.region_store import MINE, NOW, OTHER, region_store, uuid
from tests.store.network_rows import a_network, a_port

WEB = SecurityGroup(uuid(1), MINE, "web", "", NOW, NOW)
RULE = let_out(uuid(11), WEB)


@pytest.fixture
def store(each_database_url: str) -> Iterator[Database]:
    with region_store(each_database_url) as database:
        with database.write() as tx:
            security_groups.add(tx, WEB)
            security_groups.add_rule(tx, RULE)
            security_groups.add(tx, SecurityGroup(uuid(2), MINE, "twin", "", NOW + 1, NOW))
            security_groups.add(tx, SecurityGroup(uuid(3), MINE, "twin", "", NOW + 2, NOW))
            security_groups.add(tx, SecurityGroup(uuid(4), OTHER, "web", "", NOW, NOW))
        yield database


def test_a_group_is_found_by_id_or_by_a_name_that_is_its_own(store: Database) -> None:
    with store.read() as reader:
        assert security_groups.find(reader, MINE, "web") == WEB
        assert security_groups.find(reader, MINE, uuid(2)).id == uuid(2)
        assert security_groups.get(reader, MINE, WEB.id) == WEB
        assert security_groups.get(reader, MINE, "web") is None
        assert [g.id for g in security_groups.of_project(reader, MINE)] == [*map(uuid, (1, 2, 3))]
        with pytest.raises(Conflict, match="Multiple"):
            security_groups.find(reader, MINE, "twin")
        for wanted in ("nobody", uuid(4)):
            with pytest.raises(NotFound):
                security_groups.find(reader, MINE, wanted)


def test_rules_are_read_and_removed_by_their_project(store: Database) -> None:
    with store.write() as tx:
        assert security_groups.rules_of(tx, WEB.id) == [RULE]
        assert security_groups.project_rules(tx, MINE) == [RULE]
        assert security_groups.get_rule(tx, MINE, RULE.id) == RULE
        assert security_groups.get_rule(tx, OTHER, RULE.id) is None
        assert not security_groups.remove_rule(tx, OTHER, RULE.id)
        assert security_groups.remove_rule(tx, MINE, RULE.id)
        assert security_groups.rules_of(tx, WEB.id) == []


def test_a_group_changes(store: Database) -> None:
    with store.write() as tx:
        security_groups.change(tx, WEB.id, {"name": "front"}, NOW + 9)
        assert security_groups.find(tx, MINE, "front").updated_at == NOW + 9


def test_only_a_projects_own_groups_can_be_held(store: Database) -> None:
    with store.write() as tx:
        held = security_groups.hold(tx, MINE, [WEB.id, uuid(4), uuid(77)])
        assert held == {WEB.id}
        assert security_groups.hold(tx, MINE, []) == frozenset()


def test_a_group_with_a_port_stays_and_goes_with_its_rules(store: Database) -> None:
    with store.write() as tx:
        networks.add(tx, a_network(8))
        ports.make(tx, a_port(9, uuid(8)), ())
        security_groups.join(tx, uuid(9), WEB.id)
        security_groups.join(tx, uuid(9), WEB.id)
        with pytest.raises(NotFound):
            security_groups.join(tx, uuid(9), uuid(77))
        assert not security_groups.remove(tx, WEB.id)
        security_groups.leave(tx, uuid(9), WEB.id)
        assert security_groups.remove(tx, WEB.id)
        assert security_groups.get(tx, MINE, WEB.id) is None
        assert security_groups.project_rules(tx, MINE) == []


def test_a_group_goes_or_gets_members_never_both(store: Database) -> None:
    """Deleting a group while ports join it: by creation, by change, and by a server's action."""
    with store.write() as tx:
        networks.add(tx, a_network(8))
        for number in (101, 102):
            ports.make(tx, a_port(number, uuid(8)), ())
    for round_ in range(8):
        group = replace(WEB, id=uuid(1000 + round_), name=f"g{round_}")
        with store.write() as tx:
            security_groups.add(tx, group)
        ways = (*("remove",) * 2, "make", "set", "join")
        with ThreadPoolExecutor(len(ways)) as threads:
            barrier = Barrier(len(ways))
            jobs = [
                threads.submit(_try, store, barrier, way, (group.id, 200 + round_)) for way in ways
            ]
            joined = sum(job.result() for job in jobs[2:])
            removed = any(job.result() for job in jobs[:2])
        with store.read() as reader:
            members = [p for p in ports.of_project(reader, MINE) if group.id in p.group_ids]
            there = security_groups.get(reader, MINE, group.id) is not None
        assert len(members) == joined, ways
        assert (there, bool(joined)) == ((False, False) if removed else (True, True))


def _try(store: Database, barrier: Barrier, way: str, what: tuple[str, int]) -> bool:
    """Remove a group, or put a port into it; False where the other side was first."""
    group_id, number = what
    barrier.wait(10)
    try:
        with store.write() as tx:
            if way == "remove":
                known = security_groups.get(tx, MINE, group_id) is not None
                return known and security_groups.remove(tx, group_id)
            if way == "make":
                ports.make(tx, a_port(number, uuid(8), group_ids=(group_id,)), ())
            elif way == "set":
                port = ports.lock(tx, uuid(101))
                assert port is not None
                ports.set_groups(tx, port, [group_id])
            else:
                security_groups.join(tx, uuid(102), group_id)
    except NotFound:
        return False
    return True


def test_a_projects_rules_are_narrowed_by_their_columns(store: Database) -> None:
    let_in = replace(RULE, id=uuid(12), direction="ingress")
    with store.write() as tx:
        security_groups.add_rule(tx, let_in)
        only = {"direction": ["ingress"], "security_group_id": [WEB.id, uuid(2)]}
        assert security_groups.project_rules(tx, MINE, only) == [let_in]
        assert security_groups.project_rules(tx, MINE, {"id": [uuid(99)]}) == []
