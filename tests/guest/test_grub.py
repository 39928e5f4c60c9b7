from __future__ import annotations

from pathlib import Path

from hanok.guest import grub
from hanok.guest.stage import Stage


def test_boot_loader_has_both_parts_and_the_configuration(stage: Stage, tmp_path: Path) -> None:
    config = tmp_path / "grub.cfg"
    config.write_text("linux16 /boot/some-kernel\nboot\n")
    loader = grub.boot_loader(stage, config, tmp_path)
    assert len(loader.boot_code) == 512
    assert loader.boot_code[510:] == b"\x55\xaa"
    # The first sector of the core image says how many sectors follow it, from sector 2 on.
    first = int.from_bytes(loader.core[500:508], "little")
    count = int.from_bytes(loader.core[508:510], "little")
    assert first == 2
    assert count == -(-len(loader.core) // 512) - 1
    assert len(loader.core) < 2047 * 512
