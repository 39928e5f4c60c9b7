from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hanok.drivers.libvirt import host_tree
from hanok.drivers.libvirt.host_tree import (
    HostTree,
    check_reachable,
    closed_folders,
    open_way,
    qemu_user,
    write_file,
)
from hanok.model.errors import HostError

STRANGER = 64055


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_tree_belongs_to_one_deployment(tmp_path: Path) -> None:
    tree = HostTree(tmp_path / "host")
    tree.claim("deployment-1")
    tree.claim("deployment-1")
    with pytest.raises(HostError) as caught:
        tree.claim("deployment-2")
    assert caught.value.permanent
    for folder in (tree.root, tree.disks, tree.domains, tree.networks):
        assert mode(folder) == 0o711


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"old", mode=0o644)
    with path.open("rb") as reader:
        write_file(path, b"new", mode=0o600)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_file(tmp_path / "file", b"new", mode=0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_closed_folders_are_named(tmp_path: Path) -> None:
    inner = tmp_path / "state" / "closed" / "host"
    inner.mkdir(parents=True)
    for folder in (tmp_path / "state", inner):
        folder.chmod(0o711)
    inner.parent.chmod(0o700)
    found = closed_folders(inner, STRANGER)
    assert inner.parent in found
    assert inner not in found
    assert closed_folders(inner, 0) == []
    assert closed_folders(Path("/usr/bin"), STRANGER) == []


def test_an_owner_and_a_group_have_their_own_bits(tmp_path: Path) -> None:
    folder = tmp_path / "host"
    folder.mkdir()
    folder.chmod(0o611)
    uid = os.getuid() or STRANGER
    os.chown(folder, uid, -1)
    assert folder in closed_folders(folder, uid)
    folder.chmod(0o700)
    assert folder not in closed_folders(folder, uid)


def test_the_way_is_opened_for_passing_only(tmp_path: Path) -> None:
    state, host = tmp_path / "state", tmp_path / "state" / "region" / "host"
    host.mkdir(parents=True)
    for folder in (tmp_path, state, state / "region", host):
        folder.chmod(0o700)
    assert open_way(host, state) == [state, state / "region", host]
    assert open_way(host, state) == []
    assert {mode(folder) for folder in (state, state / "region", host)} == {0o701}
    assert mode(tmp_path) == 0o700
    with pytest.raises(ValueError, match="not in the subpath"):
        open_way(tmp_path, state)


def test_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(host_tree, "qemu_user", lambda: "nobody")
    sentence = check_reachable(closed)
    assert sentence is not None
    assert "The user nobody cannot enter " in sentence
    assert str(closed) in sentence
    assert "chmod o+x" in sentence
    assert check_reachable(Path("/usr/bin")) is None
    monkeypatch.setattr(host_tree, "qemu_user", lambda: None)
    assert "does not exist" in (check_reachable(closed) or "")


def test_the_configured_user_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = tmp_path / "qemu.conf"
    monkeypatch.setattr(host_tree, "_QEMU_CONF", conf)
    monkeypatch.setattr(host_tree, "_QEMU_USERS", ("no-such-user", "nobody", "root"))
    assert qemu_user() == "nobody"
    conf.write_text('#user = "commented"\n\nuser = "daemon"\n')
    assert qemu_user() == "daemon"
    conf.write_text('user = "+0"\n')
    assert qemu_user() == "0"
    assert check_reachable(tmp_path) is None
