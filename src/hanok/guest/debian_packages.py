"""Debian packages as the material of guest images: resolve, download, unpack; no root needed.

What apt knows of the release (`apt-get update` by root) decides the versions. Packages are kept
once downloaded, so that the next build needs no network.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hanok.guest.image_cache import BuildFailed

_TIMEOUT = 60  # seconds for a question to apt
_DOWNLOAD_TIMEOUT = 600


class PackageError(BuildFailed):
    """A package cannot be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package in the version that apt would install now.

    `file` is the name under which apt saves it (it carries the version); `digest` is apt's
    algorithm:hex, as in SHA256:1234.
    """

    name: str
    file: str
    digest: str


def codename() -> str:
    """Return the release of Debian that this machine runs: bookworm, trixie."""
    text = Path("/etc/os-release").read_text("utf-8")
    found = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.MULTILINE)
    if found is None:
        raise PackageError("This machine is no Debian: /etc/os-release has no VERSION_CODENAME.")
    return found.group(1)


def sources_list() -> str:
    """Return this machine's own sources of Debian's packages, one `deb` line each."""
    text = _apt(
        *("apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"),
        *("Created-By: Packages", "Origin: Debian"),
    )
    lines = dict.fromkeys(text.splitlines())
    if not lines:
        raise PackageError("apt has no lists of Debian's packages. Run apt-get update as root.")
    return "".join(f"{line}\n" for line in lines)


def with_libraries(names: Iterable[str]) -> list[str]:
    """Return `names` and the packages of shared libraries that they depend on, sorted."""
    wanted = list(dict.fromkeys(names))
    text = _apt("apt-cache", "depends", "--recurse", *_only_depends(), *wanted)
    depends = _depends(text)
    seen = set(wanted)
    queue = list(wanted)
    while queue:
        for name in depends.get(queue.pop(), ()):
            if name.startswith(("lib", "zlib")) and name not in seen:
                seen.add(name)
                queue.append(name)
    return sorted(seen)


def newest_of(metapackage: str) -> str:
    """Return the one package that a metapackage stands for (linux-image-cloud-amd64: a kernel)."""
    text = _apt("apt-cache", "depends", *_only_depends(), metapackage)
    names = _depends(text).get(metapackage, ())
    if len(names) != 1:
        raise PackageError(f"{metapackage} should stand for one package, not {list(names)}.")
    return names[0]


def resolve(names: Iterable[str]) -> list[Package]:
    """Return the named packages in the versions that apt would install, sorted by name."""
    text = _apt("apt-get", "download", "--print-uris", *names)
    found = re.findall(r"^'[^']+' (\S+) \d+ (\w+:[0-9a-f]+)$", text, re.MULTILINE)
    packages = [Package(file.partition("_")[0], file, digest) for file, digest in found]
    return sorted(packages, key=lambda package: package.name)


def download(packages: Iterable[Package], folder: Path) -> list[Path]:
    """Return the packages' files in `folder`, fetching those that are not there intact."""
    packages = list(packages)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages if not _intact(folder / package.file, package)]
    if missing:
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            _fetch(missing, Path(fresh))
            for package in missing:
                arrived = Path(fresh, package.file)
                if not _intact(arrived, package):
                    raise PackageError(f"{package.file} did not arrive intact.")
                arrived.replace(folder / package.file)
    return [folder / package.file for package in packages]


def unpack(files: Iterable[Path], target: Path) -> None:
    """Unpack packages' files over one another below `target`, running nothing of theirs."""
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        subprocess.run(["dpkg-deb", "--extract", file, target], check=True, timeout=_TIMEOUT)


def _only_depends() -> list[str]:
    others = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    return [f"--no-{other}" for other in others]


def _depends(text: str) -> dict[str, list[str]]:
    """Read apt-cache's answer: of several packages that would do, the first counts."""
    depends: dict[str, list[str]] = {}
    names: list[str] = []
    is_choice = False
    for line in text.splitlines():
        found = re.match(r"^ ([ |])(?:Pre)?Depends: (\S+)$", line)
        if found is None:
            if not line.startswith(" "):
                names = depends.setdefault(line, [])
                is_choice = False
            continue
        if not is_choice:
            names.append(found.group(2))
        is_choice = found.group(1) == "|"
    return depends


def _intact(file: Path, package: Package) -> bool:
    if not file.is_file():
        return False
    algorithm, _, expected = package.digest.partition(":")
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm.lower()).hexdigest() == expected


def _fetch(packages: list[Package], folder: Path) -> None:
    # As root apt would become the user _apt, who cannot write to our folder, and warn.
    command = ["apt-get", "download", "--quiet=2", "--option=APT::Sandbox::User=root"]
    done = subprocess.run(
        [*command, *(package.name for package in packages)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_DOWNLOAD_TIMEOUT,
    )
    if done.returncode != 0:
        raise PackageError(
            f"apt could not download {', '.join(package.name for package in packages)}: "
            f"{done.stderr.strip()} Check the network, or run apt-get update as root."
        )


def _apt(*command: str) -> str:
    if shutil.which(command[0]) is None:
        raise PackageError("Guest images are built from Debian's packages, by apt: it is not here.")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_TIMEOUT, env=_english_env()
    )
    if done.returncode != 0:
        raise PackageError(
            f"apt does not know what this image is made of ({done.stderr.strip()}). "
            "Run apt-get update as root, then try again."
        )
    return done.stdout


def _english_env() -> dict[str, str]:
    return os.environ | {"LC_ALL": "C"}
