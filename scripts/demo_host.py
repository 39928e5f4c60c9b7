"""What a deployment has on this machine, seen without Hanok: virsh, ip, nft, /proc, the files.

A deployment's names: with tag = the first 8 digits of its digest, its domains are
`hk-<tag>-<server>`, its namespaces `hk-<tag>-<digest>`, its nftables table `hanok_<tag>`; its links
have the alias `hanok <deployment> <kind> <id>`. A digest is BLAKE2s of 6 bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from pathlib import Path

from scripts.demo_show import DemoError

LIBVIRT = "qemu:///system"
COMMAND_SECONDS = 30
PROGRAMS = ("qemu-", "dnsmasq", "python", "hanok")
"""What a region runs and may be ended; nobody's shell or pager in its directory is."""
LIBVIRT_LOGS = "/var/log/libvirt/qemu"
LIBVIRT_FOLDERS = ("/etc/libvirt/qemu", "/run/libvirt/qemu", "/var/lib/libvirt/qemu")


def run(*command: str, seconds: float = COMMAND_SECONDS) -> str:
    """Run a program and return what it prints; raises DemoError when it fails."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DemoError(f"{command[0]} failed: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise DemoError(f"{' '.join(command[:4])} … ended with {done.returncode}: {said}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Presence:
    """Everything of one deployment on this machine."""

    domains: tuple[str, ...] = ()
    taps: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    veths: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def counts(self) -> str:
        """Write the numbers: `domains 1, taps 1`."""
        counted = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        return ", ".join(f"{name} {count}" for name, count in counted.items())

    def names(self) -> str:
        """Write the names of all that is there."""
        return ", ".join(name for field in fields(self) for name in getattr(self, field.name))


class Deployment:
    """One region's things on this machine. `state` is its state directory."""

    def __init__(self, deployment_id: str, state: Path) -> None:
        self.id = deployment_id
        self.tag = hashlib.blake2s(deployment_id.encode(), digest_size=6).hexdigest()[:8]
        self._state = state
        self._known_links: set[str] = set()
        self._before = frozenset[str]()

    @classmethod
    def of(cls, state: Path) -> Deployment | None:
        """Read the id that a region chose at its first start; None where it came to none."""
        for path in state.glob("regions/*/region.db"):
            with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as store:
                row = store.execute("SELECT value FROM deployment WHERE name = 'id'").fetchone()
                if row is not None:
                    return cls(str(row[0]), state)
        return None

    def note_files(self) -> None:
        """Take the files that are there now for the host's own, not a server's."""
        self._before = frozenset(self._host_files())

    def look(self, *, besides: int | None = None, libvirt: bool = True) -> Presence:
        """Look at everything; `besides` is the id of a process that does not count.

        Without `libvirt` no domain is looked for, but QEMU's processes are.
        """
        links = dict(self._links())
        self._known_links |= set(links)
        by_kind: dict[str, list[str]] = {}
        for name, kind in links.items():
            by_kind.setdefault(kind, []).append(name)
        return Presence(
            domains=tuple(self._domains()) if libvirt else (),
            taps=tuple(by_kind.pop("tun", ())),
            bridges=tuple(by_kind.pop("bridge", ())),
            veths=tuple(name for names in by_kind.values() for name in names),
            namespaces=tuple(self._namespaces()),
            rules=tuple(self._rules()),
            processes=tuple(f"{name}[{pid}]" for pid, name in self._processes(besides)),
            files=tuple(self._files()),
        )

    def namespace(self) -> str:
        """Return the namespace of the deployment's one network; raises DemoError."""
        found = list(self._namespaces())
        if len(found) != 1:
            raise DemoError(f"There should be one network namespace of it, not {found}.")
        return found[0]

    def logs(self) -> list[str]:
        """List the logs that libvirt itself keeps of domains that are gone, as it does of any."""
        return sorted(str(path) for path in Path(LIBVIRT_LOGS).glob(f"hk-{self.tag}-*"))

    def _domains(self) -> Iterator[str]:
        for name in run("virsh", "-c", LIBVIRT, "list", "--all", "--name").split():
            if name.startswith(f"hk-{self.tag}-"):
                yield name

    def _links(self) -> Iterator[tuple[str, str]]:
        """Yield names and kinds of links, by their alias; of one seen before by its name, too."""
        for link in json.loads(run("ip", "-j", "-details", "link", "show")):
            alias, name = link.get("ifalias", ""), str(link["ifname"])
            if alias.startswith(f"hanok {self.id} ") or name in self._known_links:
                yield name, str(link.get("linkinfo", {}).get("info_kind", ""))

    def _namespaces(self) -> Iterator[str]:
        for line in run("ip", "netns", "list").splitlines():
            if line.startswith(f"hk-{self.tag}-"):
                yield line.split()[0]

    def _rules(self) -> Iterator[str]:
        """Yield the lines of the rule set that name the deployment's table or links."""
        names = {f"hanok_{self.tag}", *self._known_links}
        for line in run("nft", "list", "ruleset").splitlines():
            if any(name in line for name in names):
                yield line.strip()

    def _tables(self) -> Iterator[tuple[str, str]]:
        for item in json.loads(run("nft", "-j", "list", "tables"))["nftables"]:
            table = item.get("table")
            if table and table["name"].startswith(f"hanok_{self.tag}"):
                yield table["family"], table["name"]

    def _processes(self, besides: int | None) -> Iterator[tuple[int, str]]:
        """Yield those whose command line has the state directory, the tag or a domain's name."""
        marks = (str(self._state).encode(), f"hk-{self.tag}-".encode())
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) in (besides, os.getpid()):
                continue
            try:
                line = (folder / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            if any(mark in line for mark in marks):
                yield int(folder.name), Path(line.split(b"\0", 1)[0].decode()).name

    def _files(self) -> Iterator[str]:
        """Yield disks and folders made in the hosts' trees since the start, and libvirt's files."""
        yield from sorted(self._host_files() - self._before)
        for folder in LIBVIRT_FOLDERS:
            yield from (str(path) for path in Path(folder).rglob(f"*hk-{self.tag}-*"))

    def _host_files(self) -> set[str]:
        """List the files below the hosts' folders; folders too, where they are a server's."""
        found = set()
        for folder in self._state.glob("regions/*/host"):
            for path in folder.rglob("*"):
                if not path.is_dir() or "-" in path.name:
                    found.add(str(path.relative_to(self._state)))
        return found

    def remove(self, *, libvirt: bool) -> None:
        """Take away whatever is there, without Hanok: for a demo that failed."""
        for name in self._domains() if libvirt else ():
            _attempt("virsh", "-c", LIBVIRT, "destroy", name)
            _attempt("virsh", "-c", LIBVIRT, "undefine", name, "--nvram", "--managed-save")
        for pid, program in self._processes(None):
            if program.startswith(PROGRAMS):
                _end(pid)
        for name in self._namespaces():
            _attempt("ip", "netns", "delete", name)
        for name, _ in self._links():
            _attempt("ip", "link", "delete", name)
        for family, name in self._tables():
            _attempt("nft", "delete", "table", family, name)
        for folder in self._state.glob("regions/*/host"):
            shutil.rmtree(folder, ignore_errors=True)


def _attempt(*command: str) -> None:
    """Run a program whose failure a later look will show."""
    subprocess.run(
        command, capture_output=True, timeout=COMMAND_SECONDS, stdin=subprocess.DEVNULL, check=False
    )


def _end(pid: int) -> None:
    """End a process, and wait until it has ended, for 5 s at most."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], 5)
        finally:
            os.close(handle)
