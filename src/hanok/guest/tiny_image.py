"""The tiny guest image: a small Debian-made Linux that boots in seconds without KVM.

`python -m hanok.guest.tiny_image [--output PATH] [--if-missing]` builds it from Debian's packages:
the cloud kernel, busybox, dropbear, QEMU's guest agent and e2fsprogs, started by the scripts in
`tiny/`. It reads the config drive, grows its root to the disk, asks for addresses by DHCP on every
interface and lets root in by SSH key. The result is a sparse raw disk: raw is the quickest to boot
from as a backing file. Needs amd64 and the packages of `BUILD_PACKAGES`; needs no root, no mount.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from hanok.guest import boot_disk, debian_packages, grub, image_cache, tiny_root
from hanok.guest.stage import Stage

BUILD_PACKAGES = ("apt", "dpkg", "e2fsprogs")
"""Debian packages that a build needs on the machine; all are in every ordinary installation."""

SIZE_MIB = 64
LOGIN = "root"

_KERNEL = "linux-image-cloud-amd64"
_UUID = "68616e6f-6b74-496e-b900-000000000001"
_MODULES = ("boot_disk", "grub", "kernel_modules", "stage", "tiny_image", "tiny_root")


def build(target: Path, *, work: Path | None = None, progress: Callable[[str], None]) -> None:
    """Build the image at `target`, replacing it at once when done.

    `work` keeps the downloaded packages (default: beside the cached images); `progress` is told
    each stage in a sentence. Raises `image_cache.BuildFailed` with advice.
    """
    progress("Asking apt for the packages.")
    packages = debian_packages.resolve(_package_names())
    debs = work or image_cache.folder() / "debs"
    with image_cache.building(target) as fresh:
        progress(f"Downloading what is missing of {len(packages)} packages.")
        files = debian_packages.download(packages, debs)
        progress("Unpacking.")
        scratch = fresh.parent
        debian_packages.unpack(files, scratch / "stage")
        progress("Putting the guest together.")
        stage = Stage(scratch / "stage")
        tiny_root.make_root(stage, scratch / "root", scratch)
        loader = grub.boot_loader(stage, tiny_root.RECIPE / "grub.cfg", scratch)
        system = boot_disk.FileSystem(scratch / "root", "hanok-tiny", _UUID, inodes=2048)
        boot_disk.write(fresh, SIZE_MIB, loader, system)
    progress(f"Built {target}.")


def cache_path() -> Path:
    """Return where this recipe's image lies, or will: its name changes with what it is made of.

    Raises `image_cache.BuildFailed` when apt has no package lists.
    """
    packages = debian_packages.resolve(_package_names())
    versions = hashlib.sha256("\n".join(package.file for package in packages).encode())
    return image_cache.folder() / f"{_stem()}-{versions.hexdigest()[:8]}.raw"


def cached() -> Path | None:
    """Return the newest image built by this recipe, whatever the packages' versions; ask no apt."""
    found = image_cache.folder().glob(f"{_stem()}-*.raw")
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    return image_cache.command(
        __doc__,
        cache_path,
        lambda target: build(target, progress=image_cache.say),
        arguments,
        cached,
    )


def _package_names() -> list[str]:
    names = debian_packages.with_libraries(tiny_root.PACKAGES + grub.LIBRARIES)
    return sorted({*names, *grub.PACKAGES, debian_packages.newest_of(_KERNEL)})


def _stem() -> str:
    digest = image_cache.recipe_digest(tiny_root.RECIPE, _MODULES)
    return f"tiny-{debian_packages.codename()}-{digest}"


if __name__ == "__main__":
    sys.exit(main())
