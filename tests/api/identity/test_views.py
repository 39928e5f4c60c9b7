from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from hanok.api.identity.accounts import ROLES
from hanok.api.identity.views import (
    DomainReference,
    expect,
    given,
    in_default_domain,
    project_view,
    role_view,
    user_view,
)
from hanok.model.errors import Invalid
from hanok.store.identity import Project, User

ROOT = "https://cloud.example"


class Patch(msgspec.Struct):
    name: str | UnsetType = UNSET
    email: str | UnsetType | None = UNSET


def test_expect_gives_what_is_there() -> None:
    assert expect("", "x", "y") == ""
    assert expect(0, "x", "y") == 0
    with pytest.raises(Invalid, match=r"^Expecting to find x in y\. The server could not comply"):
        expect(None, "x", "y")


def test_given_takes_what_the_body_has() -> None:
    assert given(Patch(), "name", "email") == {}
    assert given(Patch(name="n", email=None), "name", "email") == {"name": "n", "email": None}
    assert given(Patch(name="n", email="e"), "email") == {"email": "e"}


@pytest.mark.parametrize(
    ("reference", "is_default"),
    [
        (DomainReference(id="default"), True),
        (DomainReference(name="Default"), True),
        (DomainReference(id="other", name="Default"), False),
        (DomainReference(name="other"), False),
        (DomainReference(), False),
    ],
)
def test_one_domain_is_the_default(reference: DomainReference, is_default: bool) -> None:
    assert reference.is_default is is_default


def test_another_domain_is_refused() -> None:
    in_default_domain(None)
    in_default_domain("default")
    with pytest.raises(Invalid, match="'other'"):
        in_default_domain("other")


def test_links_start_at_the_root() -> None:
    project = Project("p", "n", "d", enabled=False)
    user = User("u", "n", "d", "", enabled=False, default_project_id=None)
    for view, path in (
        (project_view(project, ROOT), "projects/p"),
        (user_view(user, ROOT), "users/u"),
        (role_view("member", ROOT), f"roles/{ROLES['member']}"),
    ):
        assert view["links"] == {"self": f"{ROOT}/v3/{path}"}


def test_no_password_hash_is_ever_in_a_view() -> None:
    user = User("u", "n", "d", "e", enabled=True, default_project_id="p")
    assert not [key for key in user_view(user, ROOT) if "hash" in key or key == "password"]
