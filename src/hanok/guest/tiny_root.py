"""What the tiny guest's disk holds: programs, libraries, modules and the scripts of `tiny/`."""

from __future__ import annotations

import shutil
from pathlib import Path

from hanok.guest import boot_disk
from hanok.guest.kernel_modules import KernelModules
from hanok.guest.stage import LIBRARIES, LOADER, Stage

RECIPE = Path(__file__).parent / "tiny"

PACKAGES = (
    *("busybox-static", "dropbear-bin", "e2fsprogs", "jq", "qemu-guest-agent", "util-linux"),
)
"""What must be in the stage, with the libraries they need, and a kernel."""

# busybox is the static one: starting a static program takes a fifth of the time without KVM, and
# its shell runs applets without starting anything.
_PROGRAMS = (
    *("busybox", "dropbear", "dropbearkey", "e2fsck", "jq", "lsblk", "mke2fs", "qemu-ga"),
    *("resize2fs", "tune2fs"),
)
_INITRD_APPLETS = ("blockdev", "dd", "insmod", "mount", "sh", "switch_root", "usleep")
_BOOT_MODULES = ("crc32c_generic", "virtio_pci", "virtio_blk")
_ROOT_MODULES = (
    *("virtio_net", "virtio_scsi", "sr_mod", "isofs", "virtio_console", "virtio_rng"),
    *("virtio_balloon", "evdev", "button"),
)
_FOLDERS = (
    *("boot", "dev", "etc/dropbear", "mnt", "proc", "root", "run", "sys", "tmp"),
    *("usr/bin", "usr/lib64", f"usr/{LIBRARIES}", "var/lib/tiny", "var/log"),
)
_LINKS = (
    *(("bin", "usr/bin"), ("sbin", "usr/bin"), ("usr/sbin", "bin")),
    *(("lib", "usr/lib"), ("lib64", "usr/lib64"), ("var/run", "/run"), ("var/tmp", "../tmp")),
    *(("etc/resolv.conf", "/run/resolv.conf"), ("etc/mtab", "/proc/mounts")),
)


def make_root(stage: Stage, root: Path, work: Path) -> None:
    """Fill the new folder `root` with the guest's root; `work` is a folder for the initrd's."""
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True)
    for link, target in _LINKS:
        (root / link).symlink_to(target)
    _copy_programs(stage, root)
    _copy_scripts(RECIPE / "root", root)
    for path, mode in (("root", 0o700), ("tmp", 0o1777), ("etc/shadow", 0o600)):
        (root / path).chmod(mode)
    kernel = stage.find("boot/vmlinuz-*")
    release = kernel.name.removeprefix("vmlinuz-")
    modules = KernelModules(stage.find(f"lib/modules/{release}", f"usr/lib/modules/{release}"))
    modules.install(_ROOT_MODULES, root / "usr/lib/modules" / release)
    shutil.copy(kernel, root / "boot/vmlinuz")
    (root / "boot/initrd").write_bytes(_initrd(stage, modules, work / "initrd"))


def _copy_programs(stage: Stage, root: Path) -> None:
    programs = [stage.program(name) for name in _PROGRAMS]
    for program in programs:
        shutil.copy(program, root / "usr/bin" / program.name)
    (root / "usr/bin/mkfs.ext4").symlink_to("mke2fs")
    shutil.copy(stage.find("etc/mke2fs.conf"), root / "etc/mke2fs.conf")
    shutil.copy(stage.loader(), root / "lib64" / LOADER)
    for name, path in stage.libraries(programs).items():
        shutil.copy(path, root / LIBRARIES / name)
    for applet in stage.run("busybox", "--list").split():
        link = root / "usr/bin" / applet
        if not link.exists():
            link.symlink_to("busybox")


def _initrd(stage: Stage, modules: KernelModules, root: Path) -> bytes:
    for folder in ("bin", "dev", "modules", "proc", "root", "sys"):
        (root / folder).mkdir(parents=True)
    shutil.copy(stage.program("busybox"), root / "bin/busybox")
    for applet in _INITRD_APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    order = modules.closure(_BOOT_MODULES)
    for name in order:
        (root / "modules" / f"{name}.ko").write_bytes(modules.read(name))
    (root / "modules/order").write_text("".join(f"{name}.ko\n" for name in order), "ascii")
    _copy_script(RECIPE / "init", root / "init")
    return boot_disk.initrd(root)


def _copy_scripts(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            _copy_script(path, target / path.relative_to(source))


def _copy_script(source: Path, target: Path) -> None:
    """Copy a file; one that begins with #! becomes a program (a wheel may lose file modes)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    target.write_bytes(content)
    target.chmod(0o755 if content.startswith(b"#!") else 0o644)
