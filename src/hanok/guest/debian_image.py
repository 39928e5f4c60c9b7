"""A genuine Debian guest image with cloud-init, made by mmdebstrap.

`python -m hanok.guest.debian_image [--output PATH] [--if-missing]` makes this machine's release of
Debian for amd64: systemd, cloud-init (config drive first), OpenSSH, QEMU's guest agent, sudo; the
login is `debian`. It boots in a minute without KVM; the tiny image is for everything quick. Needs
root (mmdebstrap runs the packages' own scripts) and the packages of `BUILD_PACKAGES`; mounts
nothing from a loop device. The result is a sparse raw disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hanok.guest import boot_disk, debian_packages, grub, image_cache
from hanok.guest.stage import Stage

BUILD_PACKAGES = ("apt", "dpkg", "e2fsprogs", "mmdebstrap")
"""Debian packages that a build needs on the machine."""

SIZE_MIB = 2048
LOGIN = "debian"

RECIPE = Path(__file__).parent / "debian"
_PACKAGES = (
    *("linux-image-cloud-amd64", "systemd-sysv", "systemd-resolved", "dbus", "udev"),
    *("cloud-init", "cloud-guest-utils", "fdisk", "openssh-server", "qemu-guest-agent", "sudo"),
    *("ca-certificates", "iproute2", "iputils-ping", "netbase", "wget"),
)
_SERVICES = ("systemd-networkd", "systemd-resolved")
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
_UUID = "68616e6f-6b64-4562-b900-000000000001"
_INODES = 131_072
_TIMEOUT = 1800  # seconds for the whole of mmdebstrap
_MODULES = ("boot_disk", "debian_image", "grub", "stage")


def build(target: Path, *, progress: Callable[[str], None]) -> None:
    """Build the image at `target`, replacing it at once when done; takes a few minutes.

    Raises `image_cache.BuildFailed`.
    """
    if os.geteuid() != 0:
        raise image_cache.BuildFailed("The Debian image must be built by root.")
    if shutil.which("mmdebstrap") is None:
        raise image_cache.BuildFailed("mmdebstrap is not installed: apt-get install mmdebstrap.")
    with image_cache.building(target) as fresh:
        scratch = fresh.parent
        root = scratch / "root"
        progress("Installing Debian into a folder.")
        _bootstrap(root)
        _configure(root)
        progress("Writing the disk.")
        packages = debian_packages.resolve(
            [*grub.PACKAGES, *debian_packages.with_libraries(grub.LIBRARIES)]
        )
        files = debian_packages.download(packages, image_cache.folder() / "debs")
        debian_packages.unpack(files, scratch / "stage")
        loader = grub.boot_loader(Stage(scratch / "stage"), RECIPE / "grub.cfg", scratch)
        system = boot_disk.FileSystem(root, "hanok-debian", _UUID, inodes=_INODES)
        boot_disk.write(fresh, SIZE_MIB, loader, system)
    progress(f"Built {target}.")


def cache_path() -> Path:
    """Return where this recipe's image for this release lies, or will."""
    digest = image_cache.recipe_digest(RECIPE, _MODULES)
    return image_cache.folder() / f"debian-{debian_packages.codename()}-{digest}.raw"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    return image_cache.command(
        __doc__, cache_path, lambda target: build(target, progress=image_cache.say), arguments
    )


def _bootstrap(root: Path) -> None:
    command = ["mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", "--quiet"]
    command += [f"--include={','.join(_PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    done = subprocess.run(
        [*command, debian_packages.codename(), root, "-"],
        input=debian_packages.sources_list(),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if done.returncode != 0:
        raise image_cache.BuildFailed(f"mmdebstrap failed: {done.stderr.strip()[-2000:]}")


def _configure(root: Path) -> None:
    """Make the installation an image: no identity of its own, services on, configuration in."""
    shutil.copytree(RECIPE / "root", root, dirs_exist_ok=True)
    for key in root.glob("etc/ssh/ssh_host_*"):
        key.unlink()
    (root / "etc/machine-id").write_text("", "ascii")
    (root / "etc/hostname").write_text("debian\n", "ascii")
    resolver = root / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    _in_root(root, "systemctl", "enable", *_SERVICES)


def _in_root(root: Path, *command: str) -> None:
    done = subprocess.run(
        ["chroot", root, *command], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode != 0:
        raise image_cache.BuildFailed(f"{' '.join(command)} failed: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(main())
