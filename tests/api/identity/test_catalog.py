from __future__ import annotations

from typing import Any

from hanok.api._addresses import Addresses
from hanok.api.identity.catalog import Catalog

REGIONS = ("KR1", "JP1")
ADDRESSES = Addresses("https://cloud.example", REGIONS)
PROJECT = "0123456789abcdef0123456789abcdef"
OWN = "https://cloud.example"
URLS = {
    "compute": f"{OWN}/{{}}/compute/v2/{PROJECT}",
    "image": f"{OWN}/{{}}/image",
    "volumev2": f"{OWN}/{{}}/volume/v2/{PROJECT}",
    "volumev3": f"{OWN}/{{}}/volume/v3/{PROJECT}",
    "network": f"{OWN}/{{}}/network",
}
NAMES = {
    "compute": "nova",
    "image": "glance",
    "volumev2": "cinderv2",
    "volumev3": "cinderv3",
    "network": "neutron",
    "identity": "keystone",
}


def test_v2_lists_public_urls_by_region_and_nothing_else() -> None:
    entries = Catalog(REGIONS).v2(ADDRESSES.own, PROJECT)
    assert {entry["type"]: entry["name"] for entry in entries} == NAMES
    for entry in entries:
        url = URLS.get(entry["type"], f"{OWN}/v2.0")
        assert entry["endpoints"] == [
            {"region": region, "publicURL": url.format(region.lower())} for region in REGIONS
        ]


def test_v3_lists_three_interfaces_in_each_region() -> None:
    entries = Catalog(REGIONS).v3(ADDRESSES.own, PROJECT)
    assert {entry["type"]: entry["name"] for entry in entries} == NAMES
    for entry in entries:
        url = URLS.get(entry["type"], f"{OWN}/v3")
        seen = [(one["interface"], one["region"], one["url"]) for one in entry["endpoints"]]
        assert seen == [
            (interface, region, url.format(region.lower()))
            for region in REGIONS
            for interface in ("public", "internal", "admin")
        ]
        assert all(one["region_id"] == one["region"] for one in entry["endpoints"])


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries] + [
        endpoint["id"] for entry in entries for endpoint in entry["endpoints"]
    ]


def test_ids_are_unique_and_the_same_in_every_process() -> None:
    first, again = (Catalog(REGIONS).v3(ADDRESSES.own, PROJECT) for _ in range(2))
    assert ids(first) == ids(again)
    assert len(set(ids(first))) == len(ids(first)) == 6 + 6 * 2 * 3
    assert {len(one) for one in ids(first)} == {32}


def test_a_request_to_nhn_cloud_s_hosts_gets_nhn_cloud_s_urls() -> None:
    _, base = ADDRESSES.resolve("api-identity-infrastructure.nhncloudservice.com")
    urls = {
        entry["type"]: entry["endpoints"][0]["publicURL"]
        for entry in Catalog(REGIONS).v2(base, PROJECT)
    }
    end = "-infrastructure.nhncloudservice.com"
    assert urls == {
        "compute": f"https://kr1-api-instance{end}/v2/{PROJECT}",
        "image": f"https://kr1-api-image{end}",
        "volumev2": f"https://kr1-api-block-storage{end}/v2/{PROJECT}",
        "volumev3": f"https://kr1-api-block-storage{end}/v3/{PROJECT}",
        "network": f"https://kr1-api-network{end}",
        "identity": f"https://api-identity{end}/v2.0",
    }
