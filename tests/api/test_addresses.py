from __future__ import annotations

import pytest

from hanok.api._addresses import SERVICES, Addresses

ADDRESSES = Addresses("https://cloud.example:9000/", ("KR1", "JP1"))
END = "-infrastructure.nhncloudservice.com"
OWN = "https://cloud.example:9000"


@pytest.mark.parametrize(
    ("host", "prefix"),
    [
        (f"api-identity{END}", ""),
        (f"kr1-api-instance{END}", "/kr1/compute"),
        (f"kr1-api-image{END}", "/kr1/image"),
        (f"kr1-api-block-storage{END}", "/kr1/volume"),
        (f"jp1-api-network{END}", "/jp1/network"),
        (f"jp1-api-network{END}:443", "/jp1/network"),
        (f"JP1-API-Network{END.upper()}", "/jp1/network"),
    ],
)
def test_nhn_cloud_s_host_names_stand_for_paths(host: str, prefix: str) -> None:
    found, base = ADDRESSES.resolve(host)
    assert found == prefix
    assert base.nhn
    assert base.identity == f"https://api-identity{END}"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "cloud.example:9000",
        "127.0.0.1",
        "[::1]:9000",
        "evil.example",
        f"kr2-api-instance{END}",
        f"kr1-api-instance{END}.evil.example",
        f"evil.example#kr1-api-instance{END}",
        f"user@kr1-api-instance{END}",
        ":",
        "\xff",
    ],
)
def test_any_other_host_changes_nothing(host: str) -> None:
    assert ADDRESSES.resolve(host) == ("", ADDRESSES.own)


def test_own_links_stand_below_the_public_url() -> None:
    assert ADDRESSES.own.identity == OWN
    urls = [ADDRESSES.own.service("KR1", service) for service in SERVICES]
    assert urls == [f"{OWN}/kr1/{service}" for service in ("compute", "image", "volume", "network")]


def test_nhn_cloud_s_links_lead_back_to_where_they_came_from() -> None:
    _, base = ADDRESSES.resolve(f"api-identity{END}")
    for region in ("KR1", "JP1"):
        for service in SERVICES:
            scheme, _, host = base.service(region, service).partition("://")
            assert scheme == "https"
            assert ADDRESSES.resolve(host) == (f"/{region.lower()}/{service}", base)


def test_links_keep_the_public_url_s_scheme() -> None:
    _, base = Addresses("http://cloud.example", ("KR1",)).resolve(f"kr1-api-image{END}")
    assert base.service("KR1", "image") == f"http://kr1-api-image{END}"
