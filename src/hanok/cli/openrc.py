"""`hanok openrc`: where the credentials are, and new ones when the passwords are lost."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hanok.cli.client import read_openrc
from hanok.config import Config, ConfigError, load


def show(options: Mapping[str, Any], file: Path | None) -> int:
    """Print the path of the openrc file; return the exit code."""
    try:
        path = load(options, file).state / "openrc"
        if not path.is_file():
            raise ConfigError(
                f"{path} is not there: `hanok up` writes it, and `hanok openrc --reset` again."
            )
    except (ConfigError, OSError) as error:
        return _failed(error)
    print(path)
    return 0


def reset(options: Mapping[str, Any], file: Path | None) -> int:
    """Set new passwords of the member and the administrator; return the exit code.

    Works on identity's store itself, also while `hanok up` runs on it. Their tokens end.
    """
    from hanok.app import IdentityAlone
    from hanok.cli.credentials import renew
    from hanok.model.errors import HanokError

    try:
        config = load(options, file)
        identity = IdentityAlone(config)
        try:
            renew(identity, config.state, _url(config), config.regions)
        finally:
            identity.close()
    except (ConfigError, HanokError, OSError) as error:
        return _failed(error)
    print("hanok: new passwords are set; the old ones and their tokens are void")
    print(config.state / "openrc")
    return 0


def _url(config: Config) -> str:
    """Return the address that openrc has; a lost one is what the configuration says."""
    try:
        return read_openrc((config.state / "openrc").read_text())["OS_AUTH_URL"].removesuffix(
            "/v2.0"
        )
    except (FileNotFoundError, KeyError):
        return config.public_url or f"{config.scheme}://{config.listen}:{config.port}"


def _failed(error: Exception) -> int:
    print(f"hanok: {error}", file=sys.stderr)
    return 1
