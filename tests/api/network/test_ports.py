from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from hanok.store import servers
from hanok.store.region_tables import ports as ports_table
from tests.api.one_region import OneRegion
from tests.region_store import OTHER, a_server, uuid

ROOT = "/v2.0/ports"
NOBODY = "00000000-0000-4000-8000-000000000000"


def network_id(network: OneRegion) -> str:
    return str(network.get("/v2.0/networks")["networks"][0]["id"])


def make(network: OneRegion, **port: Any) -> Any:
    return network.call("POST", ROOT, {"port": {"network_id": network_id(network), **port}})


def change(network: OneRegion, port_id: str, **port: Any) -> Any:
    return network.call("PUT", f"{ROOT}/{port_id}", {"port": port})


def made(network: OneRegion, **port: Any) -> Any:
    answer = make(network, **port)
    assert answer.status_code == 201, answer.text
    return answer.json["port"]


def addresses(port: Any) -> list[str]:
    return [ip["ip_address"] for ip in port["fixed_ips"]]


def subnet_id(network: OneRegion) -> str:
    return str(network.get("/v2.0/subnets")["subnets"][0]["id"])


def lend(network: OneRegion, port_id: str) -> None:
    """Give a port to a server, as its creation does."""
    with network.store.write() as tx:
        servers.add(tx, a_server(77))
        values = {"server_id": uuid(77), "device_id": uuid(77), "device_owner": "compute:nova"}
        tx.run(update(ports_table).where(ports_table.c.id == port_id).values(**values))


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["NeutronError"]["type"]


def test_a_port_gets_an_address_a_mac_and_the_default_group(network: OneRegion) -> None:
    first, second = made(network, name="one"), made(network, name="two")
    assert addresses(first) == ["192.168.0.10"]
    assert addresses(second) == ["192.168.0.11"]
    assert first["mac_address"] != second["mac_address"]
    assert (first["status"], first["admin_state_up"], first["device_id"]) == ("DOWN", True, "")
    [group] = network.get("/v2.0/security-groups?name=default")["security_groups"]
    assert first["security_groups"] == [group["id"]]
    assert network.get(f"{ROOT}/{first['id']}")["port"] == first


def test_what_is_asked_for_is_given(network: OneRegion) -> None:
    subnet = subnet_id(network)
    port = made(
        network,
        fixed_ips=[{"subnet_id": subnet, "ip_address": "192.168.0.5"}, {"subnet_id": subnet}],
        mac_address="02-AA-00-00-00-01",
        security_groups=[],
        admin_state_up="False",
        device_id="mine",
        device_owner="appliance",
        description="two addresses",
    )
    assert sorted(addresses(port)) == ["192.168.0.10", "192.168.0.5"]
    assert port["mac_address"] == "02:aa:00:00:00:01"
    assert (port["admin_state_up"], port["security_groups"]) == (False, [])
    assert (port["device_id"], port["device_owner"]) == ("mine", "appliance")
    assert made(network, fixed_ips=[])["fixed_ips"] == []


def test_an_address_and_a_mac_are_given_once(network: OneRegion) -> None:
    made(network, fixed_ips=[{"ip_address": "192.168.0.50"}], mac_address="02:00:00:00:00:01")
    again = make(network, fixed_ips=[{"ip_address": "192.168.0.50"}])
    assert refused(again) == (409, "IpAddressInUse")
    assert refused(make(network, mac_address="02:00:00:00:00:01")) == (409, "MacAddressInUse")
    assert len(network.get(ROOT)["ports"]) == 1


def test_a_full_network_says_so(network: OneRegion) -> None:
    body = {"subnet": {"allocation_pools": [{"start": "192.168.0.9", "end": "192.168.0.9"}]}}
    assert network.call("PUT", f"/v2.0/subnets/{subnet_id(network)}", body).status_code == 200
    made(network)
    assert refused(make(network)) == (409, "IpAddressGenerationFailure")


def test_a_deleted_port_gives_its_address_back(network: OneRegion) -> None:
    port = made(network)
    assert network.call("DELETE", f"{ROOT}/{port['id']}").status_code == 204
    assert network.call("DELETE", f"{ROOT}/{port['id']}").status_code == 404
    assert addresses(made(network)) == addresses(port)


def test_a_servers_port_is_neither_deleted_nor_moved(network: OneRegion) -> None:
    port = made(network)
    lend(network, port["id"])
    answer = network.call("DELETE", f"{ROOT}/{port['id']}")
    assert refused(answer) == (409, "PortInUse")
    assert uuid(77) in answer.json["NeutronError"]["message"]
    for field in ({"device_id": ""}, {"device_owner": ""}, {"mac_address": "02:00:00:00:00:09"}):
        assert refused(change(network, port["id"], **field)) == (409, "PortInUse")
    assert change(network, port["id"], name="new", device_id=uuid(77)).status_code == 200
    assert change(network, port["id"], security_groups=[]).json["port"]["security_groups"] == []


def test_addresses_are_replaced_and_kept(network: OneRegion) -> None:
    port = made(network)
    subnet = subnet_id(network)
    kept = change(network, port["id"], fixed_ips=[{"subnet_id": subnet}]).json["port"]
    assert addresses(kept) == ["192.168.0.10"]
    both = [{"subnet_id": subnet}, {"ip_address": "192.168.0.10"}, {"ip_address": "192.168.0.77"}]
    more = change(network, port["id"], fixed_ips=both).json["port"]
    assert sorted(addresses(more)) == ["192.168.0.10", "192.168.0.11", "192.168.0.77"]
    less = change(network, port["id"], fixed_ips=[{"ip_address": "192.168.0.77"}]).json["port"]
    assert addresses(less) == ["192.168.0.77"]
    assert addresses(made(network)) == ["192.168.0.10"]
    taken = change(network, port["id"], fixed_ips=[{"ip_address": "192.168.0.10"}])
    assert refused(taken) == (409, "IpAddressInUse")
    assert addresses(network.get(f"{ROOT}/{port['id']}")["port"]) == ["192.168.0.77"]
    assert change(network, port["id"], fixed_ips=[]).json["port"]["fixed_ips"] == []


def test_texts_groups_and_mac_change(network: OneRegion) -> None:
    made(network, mac_address="02:00:00:00:00:01")
    port = made(network)
    group = network.call("POST", "/v2.0/security-groups", {"security_group": {"name": "g"}})
    wanted = group.json["security_group"]["id"]
    values = {"name": "n", "description": "d", "admin_state_up": 0, "device_id": "x"}
    changed = change(
        network, port["id"], **values, security_groups=[wanted], mac_address="02:00:00:00:00:02"
    ).json["port"]
    assert changed["security_groups"] == [wanted]
    assert (changed["name"], changed["admin_state_up"]) == ("n", False)
    assert changed["mac_address"] == "02:00:00:00:00:02"
    again = change(network, port["id"], mac_address="02:00:00:00:00:01")
    assert refused(again) == (409, "MacAddressInUse")


def test_of_another_project_is_nothing_to_be_seen(network: OneRegion, port: str) -> None:
    path = f"{ROOT}/{port}"
    assert network.call("PUT", path, {"port": {"name": "x"}}, caller="other").status_code == 404
    assert network.call("DELETE", path, caller="other").status_code == 404
    theirs = {"port": {"network_id": network_id(network)}}
    assert refused(network.call("POST", ROOT, theirs, caller="other")) == (404, "NetworkNotFound")
    assert network.call("POST", ROOT, theirs, caller="reader").status_code == 403


def test_of_many_at_once_each_gets_its_own_address(network: OneRegion) -> None:
    body = {"port": {"network_id": network_id(network)}}
    assert network.at_once(12, "POST", ROOT, body) == [201] * 12
    shown = network.get(ROOT)["ports"]
    assert len({ip for port in shown for ip in addresses(port)}) == 12


@pytest.mark.parametrize(
    "port", [{"fixed_ips": [{"ip_address": "192.168.0.77"}]}, {"mac_address": "02:00:00:00:00:77"}]
)
def test_of_many_that_name_the_same_one_gets_it(network: OneRegion, port: dict[str, Any]) -> None:
    body = {"port": {"network_id": network_id(network), **port}}
    assert sorted(network.at_once(8, "POST", ROOT, body)) == [201] + [409] * 7
    assert len(network.get(ROOT)["ports"]) == 1


@pytest.mark.parametrize(
    ("port", "status", "kind"),
    [
        ({"network_id": NOBODY}, 404, "NetworkNotFound"),
        ({"network_id": None}, 400, "HTTPBadRequest"),
        ({"network_id": 7}, 400, "HTTPBadRequest"),
        ({"security_groups": [NOBODY]}, 404, "SecurityGroupNotFound"),
        ({"security_groups": "default"}, 400, "HTTPBadRequest"),
        ({"fixed_ips": [{"subnet_id": NOBODY}]}, 400, "InvalidInput"),
        ({"fixed_ips": [{}]}, 400, "InvalidInput"),
        ({"fixed_ips": [{"ip_address": "192.168.0.1"}]}, 400, "InvalidIpForSubnet"),
        ({"fixed_ips": [{"ip_address": "192.168.0.0"}]}, 400, "InvalidIpForSubnet"),
        ({"fixed_ips": [{"ip_address": "192.168.0.255"}]}, 400, "InvalidIpForSubnet"),
        ({"fixed_ips": [{"ip_address": "10.9.9.9"}]}, 400, "InvalidIpForNetwork"),
        ({"fixed_ips": [{"ip_address": "nonsense"}]}, 400, "HTTPBadRequest"),
        ({"fixed_ips": [{"ip_address": "::1"}]}, 400, "HTTPBadRequest"),
        ({"fixed_ips": [{"ip_address": "192.168.0.9"}] * 2}, 400, "InvalidInput"),
        ({"fixed_ips": [{"ip_address": f"192.168.0.{n}"} for n in range(20, 26)]}, 400, None),
        ({"fixed_ips": {"ip_address": "192.168.0.9"}}, 400, "HTTPBadRequest"),
        ({"mac_address": "nonsense"}, 400, "HTTPBadRequest"),
        ({"mac_address": "01:00:5e:00:00:01"}, 400, "HTTPBadRequest"),
        ({"admin_state_up": "perhaps"}, 400, "HTTPBadRequest"),
        ({"name": "x" * 256}, 400, "HTTPBadRequest"),
        ({"device_id": "a\0b"}, 400, "HTTPBadRequest"),
        ({"allowed_address_pairs": [{"ip_address": "10.0.0.1"}]}, 400, "HTTPBadRequest"),
        ({"port_security_enabled": False}, 400, "HTTPBadRequest"),
        ({"tenant_id": OTHER}, 400, "HTTPBadRequest"),
    ],
)
def test_what_is_odd_is_refused(
    network: OneRegion, port: dict[str, Any], status: int, kind: str | None
) -> None:
    answer = make(network, **port)
    assert answer.status_code == status, answer.text
    assert kind in (None, answer.json["NeutronError"]["type"])
    assert network.get(ROOT)["ports"] == []


@pytest.mark.parametrize("body", [b"", b"{", [], {}, {"port": []}, {"port": {"fixed_ips": 7}}])
def test_an_odd_change_is_refused(network: OneRegion, port: str, body: object) -> None:
    assert network.call("PUT", f"{ROOT}/{port}", body).status_code == 400


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("network_id", "Default-Network", "'Default-Network' is not a valid UUID."),
        ("security_groups", ["web"], "'web' is not a valid UUID."),
        ("security_groups", [NOBODY, NOBODY], f"Duplicate items in the list: '{NOBODY}'."),
        ("fixed_ips", [{"subnet_id": "x"}], "'x' is not a valid UUID."),
    ],
)
def test_ids_are_looked_at_before_they_are_looked_for(
    network: OneRegion, field: str, value: Any, said: str
) -> None:
    answers = [make(network, **{field: value})]
    if field != "network_id":
        answers.append(change(network, made(network)["id"], **{field: value}))
    for answer in answers:
        assert refused(answer) == (400, "HTTPBadRequest")
        message = answer.json["NeutronError"]["message"]
        assert message == f"Invalid input for {field}. Reason: {said}"


def test_null_is_no_group_at_all(network: OneRegion) -> None:
    assert made(network, security_groups=None)["security_groups"] == []
    port = made(network)
    assert len(port["security_groups"]) == 1
    assert change(network, port["id"], name="x").json["port"]["security_groups"] != []
    assert change(network, port["id"], security_groups=None).json["port"]["security_groups"] == []
