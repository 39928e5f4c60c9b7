"""Long lists of views: each view is made when it is written, and gone before the next one is.

A page of a thousand servers made whole and then encoded costs twice as much: its ten thousand
objects lie outside the processor's caches, and the garbage collector goes through them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload

import msgspec

_Item = TypeVar("_Item")
View = Mapping[str, Any]


class Views(Sequence[View]):
    """The views of `items`, each made by `view` whenever it is looked at."""

    def __init__(self, items: Sequence[_Item], view: Callable[[_Item], View]) -> None:
        self._items = items
        self._view = view

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[View]:
        return map(self._view, self._items)

    @overload
    def __getitem__(self, at: int) -> View: ...
    @overload
    def __getitem__(self, at: slice) -> list[View]: ...
    def __getitem__(self, at: int | slice) -> View | list[View]:
        """Make the view at a place, or a list of them."""
        if isinstance(at, slice):
            return [self._view(item) for item in self._items[at]]
        return self._view(self._items[at])


def _encoded(value: Any) -> Any:
    if isinstance(value, Views):
        return [msgspec.Raw(encode(view)) for view in value]
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


encode = msgspec.json.Encoder(enc_hook=_encoded).encode
"""Write a body as JSON; `Views` become lists."""
