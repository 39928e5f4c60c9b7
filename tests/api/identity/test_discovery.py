from __future__ import annotations

import pytest

from tests.api.identity.conftest import PUBLIC_URL, Api


def test_the_root_names_both_versions_without_a_token(api: Api) -> None:
    answer = api.call("GET", "/")
    assert answer.status_code == 300
    values = answer.json["versions"]["values"]
    assert [value["id"] for value in values] == ["v3.14", "v2.0"]
    assert {value["status"] for value in values} == {"stable"}


@pytest.mark.parametrize(
    ("path", "number", "link"),
    [
        ("/v2.0", "v2.0", "/v2.0/"),
        ("/v2.0/", "v2.0", "/v2.0/"),
        ("/v3", "v3.14", "/v3/"),
        ("/v3/", "v3.14", "/v3/"),
    ],
)
def test_each_version_describes_itself(api: Api, path: str, number: str, link: str) -> None:
    answer = api.call("GET", path)
    assert answer.status_code == 200
    version = answer.json["version"]
    assert version["id"] == number
    assert version["links"] == [{"rel": "self", "href": PUBLIC_URL + link}]


def test_links_ignore_a_foreign_host(api: Api) -> None:
    answer = api.call("GET", "/", headers={"Host": "evil.example"})
    assert "evil" not in answer.text


def test_links_follow_nhn_cloud_s_own_host(api: Api) -> None:
    host = "api-identity-infrastructure.nhncloudservice.com"
    version = api.call("GET", "/v3", headers={"Host": host}).json["version"]
    assert version["links"][0]["href"] == f"http://{host}/v3/"


def test_v2_names_v3_beside_itself_for_clients_that_only_ask_there(api: Api) -> None:
    answer = api.call("GET", "/v2.0")
    assert answer.json["versions"] == api.call("GET", "/").json["versions"]
    assert answer.json["version"] in answer.json["versions"]["values"]
