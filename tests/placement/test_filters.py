from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanok.model.host import Claim, Host
from hanok.placement.filters import FILTERS, NoValidHost, Wanted, rank

HOST = Host(
    id="h1",
    name="one",
    driver="simulated",
    accel="simulated",
    state="up",
    vcpus=8,
    ram_mib=8192,
    disk_gib=100,
    used_vcpus=0,
    used_ram_mib=0,
    used_disk_gib=0,
    seen_at=0,
    zones=("a", "b"),
)
SMALL = Wanted(Claim(1, 1024, 10), None)


def test_the_emptiest_host_comes_first() -> None:
    busy = replace(HOST, id="h2", used_ram_mib=4096)
    busiest = replace(HOST, id="h3", used_vcpus=7)
    assert [host.id for host in rank([busiest, busy, HOST], SMALL)] == ["h1", "h2", "h3"]


@pytest.mark.parametrize(
    ("host", "wanted", "name"),
    [
        (replace(HOST, state="down"), SMALL, "up"),
        (replace(HOST, state="joining"), SMALL, "up"),
        (HOST, replace(SMALL, zone="c"), "availability zone"),
        (HOST, replace(SMALL, storage=frozenset({"h2"})), "block storage"),
        (HOST, replace(SMALL, storage=frozenset({"h1", "h2"})), "block storage"),
        (HOST, replace(SMALL, claim=Claim(9, 1, 1)), "vCPUs"),
        (replace(HOST, used_vcpus=8), SMALL, "vCPUs"),
        (HOST, replace(SMALL, claim=Claim(1, 8193, 1)), "RAM"),
        (replace(HOST, accel="tcg"), replace(SMALL, claim=Claim(1, 8192 - 63, 1)), "RAM"),
        (HOST, replace(SMALL, claim=Claim(1, 1, 101)), "disk"),
    ],
)
def test_each_filter_drops_and_says_so(host: Host, wanted: Wanted, name: str) -> None:
    with pytest.raises(NoValidHost) as caught:
        rank([host], wanted)
    assert f"{name} dropped 1" in caught.value.message
    advice = next(one.advice for one in FILTERS if one.name == name)
    assert advice in caught.value.message


def test_a_server_goes_back_to_its_block_storage_however_full_that_host_is() -> None:
    busy = replace(HOST, id="h2", used_ram_mib=4096)
    ranked = rank([HOST, busy], replace(SMALL, storage=frozenset({"h2"})))
    assert [host.id for host in ranked] == ["h2"]


def test_fault_30_the_fault_counts_filters_and_names_the_nearest_fit() -> None:
    hosts = [
        replace(HOST, id="down", state="down"),
        replace(HOST, id="elsewhere", zones=("z",)),
        replace(HOST, id="full", used_ram_mib=8000),
    ]
    with pytest.raises(NoValidHost) as caught:
        rank(hosts, Wanted(Claim(2, 2048, 10), "a"))
    text = caught.value.message
    assert text.startswith("No valid host was found. Of 3 hosts: ")
    for part in ("up dropped 1", "availability zone dropped 1", "RAM dropped 1"):
        assert part in text
    assert "192 MB of RAM" in text
    assert "choose a flavor with less RAM" in text


def test_fault_30_the_nearest_fit_lacks_least_of_what_is_asked_for() -> None:
    """Not the one with the most RAM where it is not RAM that is lacking."""
    idle = replace(HOST, id="idle", used_vcpus=8)
    near = replace(HOST, id="near", used_ram_mib=6000)
    with pytest.raises(NoValidHost, match="nearest fit has 8 vCPUs, 2192 MB of RAM and 100 GB"):
        rank([idle, near], replace(SMALL, claim=Claim(9, 1024, 10)))
    with pytest.raises(NoValidHost, match="nearest fit has 8 vCPUs, 8192 MB of RAM and 99 GB"):
        rank(
            [replace(HOST, ram_mib=99_999, used_disk_gib=90), replace(HOST, used_disk_gib=1)],
            replace(SMALL, claim=Claim(1, 1024, 100)),
        )


def test_fault_30_what_is_free_is_what_a_server_could_have() -> None:
    """Under TCG a domain takes more than its own memory; a host may be promised out."""
    tcg = replace(HOST, accel="tcg", used_ram_mib=7168, used_vcpus=9)
    with pytest.raises(NoValidHost, match="nearest fit has 0 vCPUs, 960 MB of RAM"):
        rank([tcg], SMALL)


def test_a_region_without_hosts_says_so() -> None:
    with pytest.raises(NoValidHost, match="no host yet"):
        rank([], SMALL)


@given(
    st.lists(
        st.builds(
            replace,
            st.just(HOST),
            id=st.uuids().map(str),
            used_vcpus=st.integers(0, 8),
            used_ram_mib=st.integers(0, 8192),
            state=st.sampled_from(["up", "down"]),
        ),
        max_size=6,
    ),
    st.integers(1, 9),
    st.integers(1, 9000),
)
def test_what_is_ranked_fits(hosts: list[Host], vcpus: int, ram: int) -> None:
    try:
        ranked = rank(hosts, Wanted(Claim(vcpus, ram, 1), None))
    except NoValidHost:
        ranked = []
    fitting = {
        host.id
        for host in hosts
        if host.state == "up"
        and host.used_vcpus + vcpus <= host.vcpus
        and host.used_ram_mib + ram <= host.ram_mib
    }
    assert {host.id for host in ranked} == fitting
