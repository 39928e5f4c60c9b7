from __future__ import annotations

import pytest

from hanok.model.credentials import Credentials
from hanok.model.errors import Forbidden
from hanok.policy.rules import PERMISSIONS, authorize

ROLES = ("reader", "member", "admin")
# What each role may, beyond what the one before it may.
READ = {
    *("flavors:read", "zones:read", "keypairs:read", "servers:read", "images:read"),
    *("volumes:read", "networks:read", "limits:read"),
}
ADMINISTRATE = {"cloud:operate", "servers:reset", "zones:detail"}


def credentials(*roles: str) -> Credentials:
    return Credentials("u", "kim", "p", "demo", frozenset(roles), 0, 1)


def may(permission: str, *roles: str) -> bool:
    try:
        authorize(credentials(*roles), permission)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_each_role_may_what_the_one_before_it_may(permission: str) -> None:
    granted = [may(permission, role) for role in ROLES]
    assert granted == sorted(granted), "false, then true"
    assert granted[-1], "an administrator may everything"


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_reading_changing_and_administrating_are_apart(permission: str) -> None:
    assert may(permission, "reader") is (permission in READ)
    assert may(permission, "member") is (permission not in ADMINISTRATE)


def test_the_sets_of_this_test_name_permissions_that_there_are() -> None:
    assert set(PERMISSIONS) >= READ | ADMINISTRATE
    assert {name for name in PERMISSIONS if name.endswith(":read")} == READ


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_no_role_and_an_unknown_one_may_nothing(permission: str) -> None:
    assert not may(permission)
    assert not may(permission, "emperor", "Admin", "")


def test_a_refusal_names_the_permission() -> None:
    with pytest.raises(Forbidden, match="zones:detail"):
        authorize(credentials("member"), "zones:detail")


def test_one_role_that_may_is_enough() -> None:
    assert may("cloud:operate", "reader", "admin")
    assert not may("cloud:operate", "reader", "member")


def test_an_unknown_permission_is_a_bug() -> None:
    with pytest.raises(KeyError):
        authorize(credentials("admin"), "servers:wish")
