"""What the tests of images share: unpacked packages, made once, and the tiny image."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanok.guest import debian_packages, grub, image_cache, tiny_image, tiny_root
from hanok.guest.stage import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The packages of the tiny image, unpacked."""
    names = debian_packages.with_libraries([*tiny_root.PACKAGES, *grub.LIBRARIES])
    kernel = debian_packages.newest_of("linux-image-cloud-amd64")
    packages = debian_packages.resolve([*names, *grub.PACKAGES, kernel])
    files = debian_packages.download(packages, image_cache.folder() / "debs")
    folder = tmp_path_factory.mktemp("stage")
    debian_packages.unpack(files, folder)
    return Stage(folder)


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The tiny image, built into the machine's cache where it is not there."""
    found = tiny_image.cached()
    if found is None:
        found = tiny_image.cache_path()
        tiny_image.build(found, progress=image_cache.say)
    return found
