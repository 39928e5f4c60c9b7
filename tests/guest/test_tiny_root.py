from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hanok.guest import tiny_root
from hanok.guest.stage import Stage

SCRIPTS = sorted(
    path
    for path in tiny_root.RECIPE.rglob("*")
    if path.is_file() and path.read_bytes().startswith(b"#!")
)


def test_root_holds_all_that_its_programs_need(stage: Stage, tmp_path: Path) -> None:
    root = tmp_path / "root"
    tiny_root.make_root(stage, root, tmp_path)
    for name in ("mkfs.ext4", "wget", "lsblk", "qemu-ga", "chpasswd", "shutdown", "init"):
        program = root / "usr/bin" / name
        assert program.stat().st_mode & 0o111, name
    assert (root / "usr/lib/tiny/start").stat().st_mode & 0o777 == 0o755
    assert (root / "etc/inittab").stat().st_mode & 0o777 == 0o644
    assert (root / "etc/shadow").stat().st_mode & 0o777 == 0o600
    assert (root / "root").stat().st_mode & 0o777 == 0o700
    assert (root / "usr/lib/x86_64-linux-gnu/libc.so.6").is_file()
    (modules,) = (root / "usr/lib/modules").iterdir()
    assert "kernel/virtio_net.ko:" in (modules / "modules.dep").read_text()
    initrd = (root / "boot/initrd").read_bytes()
    for held in (b"init\0", b"bin/busybox\0", b"modules/virtio_blk.ko\0", b"modules/order\0"):
        assert held in initrd
    assert len(initrd) < 4 << 20


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_sound_for_the_guests_shell(stage: Stage, script: Path) -> None:
    stage.run("busybox", "sh", "-n", str(script))


def test_every_program_of_the_inittab_is_there(stage: Stage) -> None:
    applets = set(stage.run("busybox", "--list").split())
    lines = (tiny_root.RECIPE / "root/etc/inittab").read_text().splitlines()
    for line in lines:
        program = Path(line.split(":", 3)[3].split()[0])
        ours = tiny_root.RECIPE / "root" / program.relative_to("/")
        assert ours.is_file() or program.name in applets | {"dropbear"}, line


def test_chpasswd_changes_one_line(stage: Stage, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text("root:*:1:::\nother:*:1:::\n")
    script = (tiny_root.RECIPE / "root/usr/bin/chpasswd").read_text()
    local = tmp_path / "chpasswd"
    local.write_text(script.replace("/etc/shadow", str(shadow)))

    def run(lines: str, *options: str) -> int:
        return subprocess.run(
            [stage.program("busybox"), "sh", str(local), *options],
            input=lines,
            text=True,
            capture_output=True,
            check=False,
            timeout=20,
        ).returncode

    assert run("root:a:b$c\\d\n") == 0
    root, other = shadow.read_text().splitlines()
    assert root.startswith("root:$6$")
    assert other == "other:*:1:::"
    assert run("other:$6$x$y\n", "-e") == 0
    assert shadow.read_text().splitlines() == [root, "other:$6$x$y:1:::"]
    before = shadow.read_text()
    assert run("nobody:x\n") != 0
    assert shadow.read_text() == before
