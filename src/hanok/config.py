"""One typed configuration: defaults, then a TOML file, then the environment, then options."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

PREFIX = "HANOK_"
DRIVERS = ("auto", "libvirt", "simulated")


class ConfigError(Exception):
    """A setting that cannot be used; the text says which and why."""


def default_state() -> Path:
    """Return where state lives: /var/lib/hanok for root, else the XDG state directory.

    Not below /root: QEMU's user cannot enter it.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/hanok")
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "hanok"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set; `hanok up` needs none of it.

    `database` None: SQLite below `state`. `public_url` None: made from listen and port.
    `simulated` is the simulated driver's own table (delays, failures, seed).
    """

    driver: str = "auto"
    listen: str = "127.0.0.1"
    port: int = 8774
    state: Path = field(default_factory=default_state)
    regions: tuple[str, ...] = ("KR1",)
    database: str | None = None
    public_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    libvirt_uri: str = "qemu:///system"
    token_seconds: int = 43_200
    keep_deleted_days: int = 7
    image_limit_gib: int = 100
    confirm_resize_after: float = 15.0
    simulated: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot work, in a sentence."""
        if self.driver not in DRIVERS:
            raise ConfigError(f"driver is one of {', '.join(DRIVERS)}, not '{self.driver}'.")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port is between 0 and 65535, not {self.port}.")
        if not self.regions or len({r.lower() for r in self.regions}) < len(self.regions):
            raise ConfigError("There must be at least one region, each with a name of its own.")
        for region in self.regions:
            if not (region.isascii() and region.isalnum() and len(region) <= 16):
                raise ConfigError(
                    f"A region's name has 1 to 16 letters and digits, not '{region}'."
                )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("TLS needs both a certificate and its key.")
        self._check_amounts()

    def _check_amounts(self) -> None:
        """Refuse what would end before it begins: a token, an image, a row that is kept."""
        for name, least in (
            ("token_seconds", 1),
            ("image_limit_gib", 1),
            ("keep_deleted_days", 0),
            ("confirm_resize_after", 0),
        ):
            value = getattr(self, name)
            if not least <= value < math.inf:
                raise ConfigError(f"{name} is at least {least}, not {value}.")

    @property
    def scheme(self) -> str:
        """Return http or https."""
        return "https" if self.tls_cert else "http"


_PATHS = frozenset({"state", "tls_cert", "tls_key"})
_SECONDS = frozenset({"confirm_resize_after"})
_NUMBERS = frozenset({"port", "token_seconds", "keep_deleted_days", "image_limit_gib"})


def load(options: Mapping[str, Any], file: Path | None = None) -> Config:
    """Build the configuration; options that are None are not set. Raises ConfigError.

    Environment: HANOK_PORT=8080, HANOK_REGIONS=KR1,KR2 and so on.
    """
    values: dict[str, Any] = {}
    if file is not None:
        values.update(_from_file(file))
    for known in fields(Config):
        text = os.environ.get(PREFIX + known.name.upper())
        if text is not None and known.name != "simulated":
            values[known.name] = text
    values.update({name: value for name, value in options.items() if value is not None})
    return replace(Config(), **{name: _typed(name, value) for name, value in values.items()})


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    unknown = sorted(set(values) - {known.name for known in fields(Config)})
    if unknown:
        raise ConfigError(f"{path} has settings that do not exist: {', '.join(unknown)}.")
    return values


def _typed(name: str, value: Any) -> Any:
    try:
        if name in _PATHS:
            return Path(value).expanduser().absolute()
        if name in _NUMBERS:
            return int(value)
        if name in _SECONDS:
            return float(value)
        if name == "regions":
            return _names(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"{name} cannot be '{value}'.") from error
    kind = Mapping if name == "simulated" else str
    if not isinstance(value, kind):
        raise ConfigError(f"{name} cannot be '{value}'.")
    return value


def _names(value: Any) -> tuple[str, ...]:
    """Read a list of names, or a text that holds them between commas."""
    names = value.split(",") if isinstance(value, str) else value
    return tuple(str(name).strip() for name in names)
