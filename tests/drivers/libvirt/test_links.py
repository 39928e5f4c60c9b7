from __future__ import annotations

import os

import pytest

from hanok.drivers.libvirt.links import (
    change_links,
    check_owner,
    find_link,
    links_named,
    look_inside,
    remove_link,
)
from hanok.model.errors import HostError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="links need root")

NAME = f"hkx{os.getpid() % 10**9}"


@pytest.fixture
def link() -> object:
    change_links([f"link add {NAME} mtu 1400 type bridge", f'link set dev {NAME} alias "ours 1"'])
    yield NAME
    remove_link(NAME, "ours 1")


@pytest.mark.usefixtures("link")
def test_a_link_is_found_as_it_is() -> None:
    found = find_link(NAME)
    assert found is not None
    assert (found.alias, found.mtu, found.is_up, found.master) == ("ours 1", 1400, False, None)
    change_links([f"link set dev {NAME} up"])
    found = find_link(NAME)
    assert found is not None
    assert found.is_up
    assert found in list(links_named("hkx"))


def test_no_link_is_none() -> None:
    assert find_link("hkx-none") is None
    assert look_inside("hkx-none", "gw0") is None
    remove_link("hkx-none", "")


@pytest.mark.usefixtures("link")
def test_only_our_link_is_removed() -> None:
    remove_link(NAME, "theirs")
    assert find_link(NAME) is not None
    remove_link(NAME, "ours 1")
    assert find_link(NAME) is None
    remove_link(NAME, "ours 1")


@pytest.mark.usefixtures("link")
def test_a_name_that_is_taken_is_permanent() -> None:
    found = find_link(NAME)
    assert found is not None
    check_owner(found, "ours 1")
    with pytest.raises(HostError) as caught:
        check_owner(found, "theirs")
    assert caught.value.permanent


@pytest.mark.usefixtures("link")
def test_the_first_line_that_fails_ends_a_change() -> None:
    with pytest.raises(HostError, match="could not be changed"):
        change_links(
            [f"link set dev {NAME} mtu 1300", "link set dev hkx-none up", f"link del dev {NAME}"]
        )
    found = find_link(NAME)
    assert found is not None
    assert found.mtu == 1300


def test_no_lines_are_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    change_links([])
