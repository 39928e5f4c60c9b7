from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hanok.guest import image_cache


def test_what_was_built_replaces_the_target(tmp_path: Path) -> None:
    target = tmp_path / "cache" / "a.raw"
    (tmp_path / "cache" / ".build-killed" / "root").mkdir(parents=True)
    with image_cache.building(target) as fresh:
        fresh.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in target.parent.iterdir()) == [".build.lock", "a.raw"]


def test_a_failed_build_leaves_the_old_image(tmp_path: Path) -> None:
    target = tmp_path / "a.raw"
    target.write_bytes(b"old")

    def build() -> None:
        with image_cache.building(target) as fresh:
            fresh.write_bytes(b"half")
            raise image_cache.BuildFailed("no more")

    with pytest.raises(image_cache.BuildFailed, match="no more"):
        build()
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".build.lock", "a.raw"]


def test_two_builds_do_not_overlap(tmp_path: Path) -> None:
    target = tmp_path / "a.raw"
    second_began = threading.Event()

    def build_again() -> None:
        with image_cache.building(target) as fresh:
            second_began.set()
            fresh.write_bytes(b"second")

    second = threading.Thread(target=build_again)
    with image_cache.building(target) as fresh:
        second.start()
        assert not second_began.wait(0.2)
        fresh.write_bytes(b"first")
    second.join(10)
    assert target.read_bytes() == b"second"


def test_command_tells_why_a_build_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(target: Path) -> None:
        raise image_cache.BuildFailed(f"No room for {target.name}.")

    target = tmp_path / "a.raw"
    assert image_cache.command("d", lambda: target, build, []) == 1
    assert "No room for a.raw." in capsys.readouterr().err
    target.touch()
    assert image_cache.command("d", lambda: target, build, ["--if-missing"]) == 0
    assert image_cache.command("d", lambda: target, build, ["--output", str(target)]) == 1


def test_a_digest_changes_with_the_recipe_and_the_modules(tmp_path: Path) -> None:
    recipe = Path(image_cache.__file__).parent / "tiny"
    first = image_cache.recipe_digest(recipe, ["stage"])
    assert len(first) == 8
    assert image_cache.recipe_digest(recipe, ["stage"]) == first
    assert image_cache.recipe_digest(recipe, ["stage", "grub"]) != first
    assert image_cache.recipe_digest(recipe.with_name("debian"), ["stage"]) != first


def test_only_root_uses_the_machines_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert image_cache.folder() == Path("/var/cache/hanok/images")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert image_cache.folder() == Path("/somewhere/hanok/images")
