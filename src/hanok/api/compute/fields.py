"""Values in the bodies of compute requests, in all the ways that NHN Cloud's clients write them."""

from __future__ import annotations

import base64
import binascii
import re

from hanok.model.errors import Invalid

USER_DATA = 65_535
"""The guide's limit for the base64 text of user_data, in bytes."""
Flag = bool | int | str | None
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no", ""})


def read_user_data(text: str | None) -> bytes | None:
    """Decode user_data: base64, white space allowed, at most 65,535 bytes of text."""
    if not text:
        return None
    if len(text) > USER_DATA:
        raise Invalid(
            f"Invalid input for field/attribute user_data. It has {len(text)} bytes of base64; "
            f"at most {USER_DATA} are allowed."
        )
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("User data needs to be valid base 64.") from error


def flag(field: str, value: Flag) -> bool:
    """Read a boolean in any of the ways that clients write one."""
    if value is None or isinstance(value, bool):
        return bool(value)
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Invalid(
        f"Invalid input for field/attribute {field}. Value: {value}. It is not a boolean."
    )
