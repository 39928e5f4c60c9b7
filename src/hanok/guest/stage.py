"""Unpacked Debian packages: find files in them, and run their programs where they lie."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from hanok.guest.image_cache import BuildFailed

LIBRARIES = "lib/x86_64-linux-gnu"
LOADER = "ld-linux-x86-64.so.2"

_PROGRAM_FOLDERS = ("usr/sbin", "usr/bin", "sbin", "bin")
_LIBRARY_FOLDERS = (LIBRARIES, f"usr/{LIBRARIES}")
_PT_INTERP = 3  # the ELF program header that names a dynamic loader
_TIMEOUT = 60  # seconds


class StageIncomplete(BuildFailed):
    """The packages lack something that an image needs, or a program of theirs failed."""


class Stage:
    """A folder into which packages of one release for amd64 were unpacked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, *patterns: str) -> Path:
        """Return the first path that matches one of the patterns; raise `StageIncomplete`."""
        for pattern in patterns:
            for path in sorted(self._folder.glob(pattern)):
                return path
        raise StageIncomplete(f"None of the packages has {patterns[0]}.")

    def program(self, name: str) -> Path:
        """Return the path of a program."""
        return self.find(*(f"{folder}/{name}" for folder in _PROGRAM_FOLDERS))

    def loader(self) -> Path:
        """Return the dynamic loader.

        lib64/ has it too, but as a link to an absolute path: to this machine's own.
        """
        return self.find(*(f"{folder}/{LOADER}" for folder in _LIBRARY_FOLDERS))

    def run(self, name: str, *arguments: str) -> str:
        """Run a program on the staged libraries (the machine need have neither); its output."""
        program = self.program(name)
        if not _is_dynamic(program):
            return _run([str(program), *arguments])
        return self._load(str(program), *arguments)

    def libraries(self, programs: Iterable[Path]) -> dict[str, Path]:
        """Return every shared library that the programs need: the name they ask for, the file."""
        needed: dict[str, Path] = {}
        for program in programs:
            text = self._load("--list", str(program)) if _is_dynamic(program) else ""
            for name, found in re.findall(r"^\s([^/\s]+) => (.+) \(0x", text, re.MULTILINE):
                needed[name] = Path(found)
        for name, path in needed.items():
            if not path.is_relative_to(self._folder):
                raise StageIncomplete(f"None of the packages has {name}.")
        return needed

    def _load(self, *arguments: str) -> str:
        path = ":".join(str(self._folder / folder) for folder in _LIBRARY_FOLDERS)
        return _run([str(self.loader()), "--inhibit-cache", "--library-path", path, *arguments])


def _is_dynamic(program: Path) -> bool:
    """Whether the 64-bit ELF file names a dynamic loader."""
    content = program.read_bytes()
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    kinds = {struct.unpack_from("<I", content, table + size * n)[0] for n in range(count)}
    return _PT_INTERP in kinds


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    if done.returncode != 0:
        raise StageIncomplete(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout
