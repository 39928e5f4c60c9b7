"""What the tiny guest's disk holds: programs, libraries, modules and the scripts of `tiny/`."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from hanok.guest import boot_disk
from hanok.guest.kernel_modules import KernelModules

RECIPE = Path(__file__).parent / "tiny"

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
_GRUB_MODULES = ("biosdisk", "boot", "ext2", "linux16", "part_msdos", "serial", "terminal")
_LIBRARIES = "lib/x86_64-linux-gnu"
_LOADER = "ld-linux-x86-64.so.2"
_LINKS = (
    *(("bin", "usr/bin"), ("sbin", "usr/bin"), ("usr/sbin", "bin")),
    *(("lib", "usr/lib"), ("lib64", "usr/lib64"), ("var/run", "/run"), ("var/tmp", "../tmp")),
    *(("etc/resolv.conf", "/run/resolv.conf"), ("etc/mtab", "/proc/mounts")),
)
_PT_INTERP = 3
_TIMEOUT = 60  # seconds


class StageIncomplete(Exception):
    """The unpacked packages lack something that the image needs."""


def make_root(stage: Path, root: Path) -> None:
    """Fill the new folder `root` with the guest's root, out of packages unpacked in `stage`."""
    _make_skeleton(root)
    programs = [_program(stage, name) for name in _PROGRAMS]
    for program in programs:
        shutil.copy(program, root / "usr/bin" / program.name)
    (root / "usr/bin/mkfs.ext4").symlink_to("mke2fs")
    shutil.copy(stage / "etc/mke2fs.conf", root / "etc/mke2fs.conf")
    _copy_libraries(stage, programs, root)
    _copy_tree(RECIPE / "root", root)
    (root / "etc/shadow").chmod(0o600)
    for applet in _applets(_program(stage, "busybox")):
        link = root / "usr/bin" / applet
        if not link.exists():
            link.symlink_to("busybox")
    kernel = next(stage.glob("boot/vmlinuz-*"))
    release = kernel.name.removeprefix("vmlinuz-")
    modules = KernelModules(_first(stage, f"lib/modules/{release}", f"usr/lib/modules/{release}"))
    modules.install(_ROOT_MODULES, root / "usr/lib/modules" / release)
    shutil.copy(kernel, root / "boot/vmlinuz")
    (root / "boot/initrd").write_bytes(_initrd(stage, root.with_name("initrd"), modules))


def grub(stage: Path, work: Path) -> boot_disk.BootLoader:
    """Make GRUB's two parts with the staged packages' own tools; `work` is a folder to use."""
    core = work / "core.img"
    folder = stage / "usr/lib/grub/i386-pc"
    _run_staged(
        *(stage, _program(stage, "grub-mkimage")),
        *("--format=i386-pc", f"--directory={folder}", f"--output={core}"),
        *(f"--config={RECIPE / 'grub.cfg'}", "--prefix=(,msdos1)/boot/grub"),
        *_GRUB_MODULES,
    )
    return boot_disk.BootLoader((folder / "boot.img").read_bytes(), core.read_bytes())


def _make_skeleton(root: Path) -> None:
    for folder in (
        *("boot", "dev", "etc/dropbear", "mnt", "proc", "root", "run", "sys", "tmp"),
        *("usr/bin", "usr/lib64", f"usr/{_LIBRARIES}", "var/lib/tiny", "var/log"),
    ):
        (root / folder).mkdir(parents=True)
    (root / "root").chmod(0o700)
    (root / "tmp").chmod(0o1777)
    for link, target in _LINKS:
        (root / link).symlink_to(target)


def _initrd(stage: Path, root: Path, modules: KernelModules) -> bytes:
    busybox = _program(stage, "busybox")
    for folder in ("bin", "dev", "modules", "proc", "root", "sys"):
        (root / folder).mkdir(parents=True)
    shutil.copy(busybox, root / "bin/busybox")
    for applet in _INITRD_APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    order = modules.closure(_BOOT_MODULES)
    for name in order:
        (root / "modules" / f"{name}.ko").write_bytes(modules.read(name))
    (root / "modules/order").write_text("".join(f"{name}.ko\n" for name in order), "ascii")
    _copy_tree(RECIPE, root, only="init")
    return boot_disk.initrd(root)


def _copy_tree(source: Path, target: Path, only: str = "*") -> None:
    """Copy files; those that begin with #! become programs (a wheel keeps no file modes)."""
    for path in sorted(source.glob(only) if only != "*" else source.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            copy.write_bytes(content)
            copy.chmod(0o755 if content.startswith(b"#!") else 0o644)


def _copy_libraries(stage: Path, programs: Iterable[Path], root: Path) -> None:
    """Copy the dynamic loader and every shared library that the programs need."""
    shutil.copy(_loader(stage), root / "lib64" / _LOADER)
    needed: dict[str, Path] = {}
    for program in programs:
        text = _run_loader(stage, "--list", str(program)) if _is_dynamic(program) else ""
        for name, found in re.findall(r"^\s([^/\s]+) => (.+) \(0x", text, re.MULTILINE):
            needed[name] = Path(found)
    for name, path in needed.items():
        if not path.is_relative_to(stage):
            raise StageIncomplete(f"None of the packages has {name}.")
        shutil.copy(path, root / _LIBRARIES / name)


def _is_dynamic(program: Path) -> bool:
    """Whether the 64-bit ELF file names a dynamic loader (a program header PT_INTERP)."""
    content = program.read_bytes()
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    kinds = {struct.unpack_from("<I", content, table + size * n)[0] for n in range(count)}
    return _PT_INTERP in kinds


def _applets(busybox: Path) -> list[str]:
    done = subprocess.run(
        [busybox, "--list"], capture_output=True, text=True, check=True, timeout=_TIMEOUT
    )
    return done.stdout.split()


def _program(stage: Path, name: str) -> Path:
    return _first(stage, *(f"{folder}/{name}" for folder in ("usr/sbin", "usr/bin", "sbin", "bin")))


def _first(stage: Path, *paths: str) -> Path:
    for path in paths:
        if (stage / path).exists():
            return stage / path
    raise StageIncomplete(f"None of the packages has {paths[0]}.")


def _loader(stage: Path) -> Path:
    # Not lib64/: that is a link to an absolute path, so to this machine's own loader.
    return _first(stage, *(f"{folder}/{_LOADER}" for folder in _library_folders()))


def _library_folders() -> tuple[str, str]:
    return _LIBRARIES, f"usr/{_LIBRARIES}"


def _run_staged(stage: Path, program: Path, *arguments: str) -> str:
    """Run a staged program on the staged libraries: the machine need not have either installed."""
    return _run_loader(stage, str(program), *arguments)


def _run_loader(stage: Path, *arguments: str) -> str:
    libraries = ":".join(str(stage / folder) for folder in _library_folders())
    loader = [str(_loader(stage)), "--inhibit-cache", "--library-path", libraries]
    done = subprocess.run(
        [*loader, *arguments], capture_output=True, text=True, check=False, timeout=_TIMEOUT
    )
    if done.returncode != 0:
        raise StageIncomplete(f"{' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return done.stdout
