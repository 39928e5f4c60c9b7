"""GRUB for a disk whose first partition holds /boot, made by GRUB's own tools from packages."""

from __future__ import annotations

from pathlib import Path

from hanok.guest.boot_disk import BootLoader
from hanok.guest.stage import Stage

PACKAGES = ("grub-common", "grub-pc-bin")
LIBRARIES = ("libdevmapper1.02.1", "liblzma5")
"""What must be in the stage, with the libraries that these need; GRUB need not be installed."""

# linux16, not linux: the latter moves all the memory that the kernel will ever need to decompress
# itself, byte by byte, which takes 2 s without KVM.
_MODULES = ("biosdisk", "boot", "ext2", "linux16", "part_msdos", "serial", "terminal")


def boot_loader(stage: Stage, config: Path, work: Path) -> BootLoader:
    """Make GRUB with `config` built in: its commands run at once, without a menu.

    `work` is a folder for a temporary file.
    """
    core = work / "core.img"
    boot_code = stage.find("usr/lib/grub/i386-pc/boot.img")
    stage.run(
        "grub-mkimage",
        *("--format=i386-pc", f"--directory={boot_code.parent}", f"--output={core}"),
        *(f"--config={config}", "--prefix=(,msdos1)/boot/grub", *_MODULES),
    )
    return BootLoader(boot_code.read_bytes(), core.read_bytes())
