from __future__ import annotations

import pytest

from hanok.model.errors import Conflict, Invalid
from hanok.model.network import InvalidInput
from hanok.model.port import (
    AddressNowhere,
    AddressOutside,
    AddressTaken,
    Asked,
    MacTaken,
    NoAddressLeft,
    Wish,
    mac_address,
    wishes,
)
from tests.store.network_rows import a_subnet

ONE = a_subnet(2, "n")
TWO = a_subnet(3, "n", cidr="10.0.1.0/24", gateway_ip=None)


@pytest.mark.parametrize("text", ["02:AB:00:00:00:01", "02-ab-00-00-00-01"])
def test_a_mac_is_stored_in_one_form(text: str) -> None:
    assert mac_address(text) == "02:ab:00:00:00:01"


@pytest.mark.parametrize(
    "text",
    ["", "x", "02:ab:00:00:00", "02ab00000001", "01:00:00:00:00:01", "00:00:00:00:00:00", "0" * 17],
)
def test_what_no_guest_can_have_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="MAC"):
        mac_address(text)


def test_nothing_said_is_one_address_of_any_subnet() -> None:
    assert wishes("n", [ONE, TWO], None) == (Wish("n", (ONE, TWO)),)
    assert wishes("n", [], None) == ()
    assert wishes("n", [ONE], []) == ()


def test_an_address_finds_its_subnet() -> None:
    assert wishes("n", [ONE, TWO], [Asked(None, "10.0.1.1")]) == (Wish("n", (TWO,), "10.0.1.1"),)
    assert wishes("n", [ONE, TWO], [Asked(TWO.id)]) == (Wish("n", (TWO,)),)
    assert wishes("n", [ONE], [Asked(ONE.id, "10.0.0.7")]) == (Wish("n", (ONE,), "10.0.0.7"),)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ([Asked("elsewhere")], InvalidInput),
        ([Asked()], InvalidInput),
        ([Asked(None, "10.0.0.5"), Asked(ONE.id, "10.0.0.5")], InvalidInput),
        ([Asked(ONE.id)] * 6, InvalidInput),
        ([Asked(None, "10.0.9.1")], AddressNowhere),
        ([Asked(ONE.id, "10.0.1.7")], AddressOutside),
        ([Asked(None, "10.0.0.0")], AddressOutside),
        ([Asked(None, "10.0.0.1")], AddressOutside),
        ([Asked(None, "10.0.0.255")], AddressOutside),
        ([Asked(None, "10.0.0.0x")], Invalid),
    ],
)
def test_what_cannot_be_is_refused(asked: list[Asked], error: type[Exception]) -> None:
    with pytest.raises(error):
        wishes("n", [ONE, TWO], asked)


def test_what_others_have_is_a_conflict() -> None:
    for error in (AddressTaken("10.0.0.1"), NoAddressLeft("n"), MacTaken("n", "02:00:00:00:00:01")):
        assert isinstance(error, Conflict)
        assert error.message.endswith((".", "n."))
