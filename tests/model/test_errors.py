from __future__ import annotations

import re

import pytest

from hanok.model import errors
from hanok.model.errors import HanokError, HostError, HostUnreachable


def descendants(kind: type[HanokError]) -> set[type[HanokError]]:
    below = {sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__}
    return below.union(*map(descendants, below))


def test_the_tree_in_the_module_s_text_is_the_tree_of_classes() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│ ├└─]*)(\w+)", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        path[depth:] = [found[2]]
        drawn[found[2]] = path[depth - 1] if depth else "Exception"
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in descendants(HanokError)}
    assert drawn == {"HanokError": "Exception", **real}


@pytest.mark.parametrize("kind", sorted(descendants(HanokError), key=str))
def test_the_tenant_s_words_and_the_operator_s_are_apart(kind: type[HanokError]) -> None:
    error = kind("It cannot be done.", detail="disk /dev/x is full")
    assert error.message == "It cannot be done."
    assert error.args == ("It cannot be done.",)
    assert error.detail == "disk /dev/x is full"
    assert str(error) == "It cannot be done. (disk /dev/x is full)"
    assert str(kind("It cannot be done.")) == "It cannot be done."


def test_a_failed_call_to_a_host_may_be_repeated_unless_it_says_otherwise() -> None:
    assert not HostError("x").permanent
    assert HostError("x", permanent=True).permanent
    assert not HostUnreachable("x").permanent
