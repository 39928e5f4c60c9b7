from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from hanok.drivers.simulated import files
from hanok.drivers.simulated.files import Changes, Folder, append, locked, replace
from hanok.model.errors import HostError


@dataclass(frozen=True)
class Thing:
    number: int
    content: bytes = b""


def test_an_object_is_a_file_for_the_owner_only(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "things", Thing)
    folder.put("one", Thing(1, b"\xff\x00"))
    assert folder.get("one") == Thing(1, b"\xff\x00")
    assert folder.file("one").stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.path.iterdir()] == ["one.json"]


def test_objects_are_listed_and_dropped(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "things", Thing)
    for name in ("b", "a"):
        folder.put(name, Thing(1))
    assert folder.ids() == ["a", "b"]
    assert dict(folder.all()) == {"a": Thing(1), "b": Thing(1)}
    folder.drop("a")
    folder.drop("a")
    assert folder.get("a") is None
    assert folder.ids() == ["b"]


def test_what_a_dead_writer_left_is_no_object_and_is_swept(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "things", Thing)
    folder.put("a", Thing(1))
    (folder.path / ".unfinished-b.json").write_text("{")
    assert folder.ids() == ["a"]
    folder.sweep()
    assert [path.name for path in folder.path.iterdir()] == ["a.json"]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "things", Thing)
    folder.file("a").write_text('{"number": ')
    with pytest.raises(HostError) as caught:
        folder.get("a")
    assert caught.value.permanent
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize("bad", ["", "..", "../a", "a/b", ".hidden", "a\x00", "a" * 129, "a b"])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(HostError):
        Folder(tmp_path / "things", Thing).get(bad)


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "things", Thing)
    sizes = (0, 100_000)
    folder.put("a", Thing(0))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for size in sizes:
                folder.put("a", Thing(size, b"x" * size))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(300):
            thing = folder.get("a")
            assert thing is not None
            assert len(thing.content) == thing.number
    finally:
        stop.set()
        writer.join()


def test_the_lock_is_alone_among_threads(tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")

    def count() -> None:
        for _ in range(50):
            with locked(tmp_path / "lock"):
                number.write_text(str(int(number.read_text()) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert number.read_text() == "200"


HOLD = """
import sys, time
from pathlib import Path
from hanok.drivers.simulated.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock, taken = tmp_path / "lock", threading.Event()

    def take() -> None:
        with locked(lock):
            taken.set()

    with subprocess.Popen([sys.executable, "-c", HOLD, lock], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        threading.Thread(target=take, daemon=True).start()
        assert not taken.wait(0.1)
        holder.kill()
    assert taken.wait(5)


def test_replace_and_append(tmp_path: Path) -> None:
    path = tmp_path / "file"
    append(path, b"a")
    append(path, b"b")
    assert path.read_bytes() == b"ab"
    replace(path, b"c")
    assert path.read_bytes() == b"c"
    assert path.stat().st_mode & 0o777 == 0o600


def test_changes_are_read_from_where_one_was(tmp_path: Path) -> None:
    changes = Changes(tmp_path / "changes.log")
    assert changes.since(changes.end()) == (0, [])
    changes.append("d", "one")
    end, lines = changes.since(0)
    assert lines == [("d", "one")]
    changes.append("e", "two")
    assert changes.since(end)[1] == [("e", "two")]
    assert changes.since(changes.end()) == (changes.end(), [])
    (tmp_path / "changes.log").unlink()
    assert changes.since(end) == (0, [])


def test_a_long_log_of_changes_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LONGEST_LOG", 20)
    changes, end, heard = Changes(tmp_path / "changes.log"), 0, []
    for number in range(50):
        changes.append("d", f"server-{number}")
        end, lines = changes.since(end)
        heard += [server for _, server in lines]
        assert changes.end() < 60
    assert {f"server-{number}" for number in range(50)} <= set(heard)
