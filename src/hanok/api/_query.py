"""Query strings: parsed once, read with rules."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

from hanok.model.errors import Invalid

_LARGEST = 2**31 - 1
_TRUE = frozenset({"1", "true", "on", "yes", "t", "y"})
_FALSE = frozenset({"0", "false", "off", "no", "f", "n"})


def count(text: str, most: int) -> int | None:
    """Read an integer >= 0; one above `most` is lowered to it. None: it is no such integer."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0") or "0"
    return most if len(digits) > len(str(most)) else min(int(digits), most)


class Query:
    """The parameters of a request, in order; names are case-sensitive, blank values kept."""

    def __init__(self, text: str) -> None:
        try:
            self._pairs = (
                parse_qsl(text, keep_blank_values=True, max_num_fields=200) if text else []
            )
        except ValueError as error:
            raise Invalid("The query string has too many parameters.") from error
        if "\0" in text or "%00" in text:
            raise Invalid("The query string contains a NUL character.")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def get(self, name: str) -> str | None:
        """Return the first value of `name`, or None."""
        for key, value in self._pairs:
            if key == name:
                return value
        return None

    def all(self, name: str) -> list[str]:
        """Return every value of `name`."""
        return [value for key, value in self._pairs if key == name]

    def integer(self, name: str) -> int | None:
        """Return a non-negative integer, None when absent; raises Invalid."""
        value = self.get(name)
        if value is None:
            return None
        text = value.strip()
        if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= _LARGEST:
            return int(text)
        raise Invalid(
            f"Invalid value for query parameter {name}: '{value}' is not an integer >= 0."
        )

    def flag(self, name: str) -> bool | None:
        """Return a boolean, None when absent or not one (OpenStack ignores what it cannot read)."""
        value = (self.get(name) or "").lower()
        if value in _TRUE:
            return True
        return False if value in _FALSE else None
