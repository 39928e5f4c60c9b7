"""A guest on QEMU alone: the command of a running domain, without what only libvirt needs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ALONE = {"-S", "-no-user-config", "-nodefaults", "-no-shutdown"}
"""Options of a domain's command that take no value."""
_STOP_SECONDS = 10


class BareQemuError(Exception):
    """The domain's command has something that cannot be carried over."""


def domain_process(name: str) -> tuple[int, list[str]]:
    """Return the process id and the command of a running domain; raises BareQemuError."""
    wanted = f"guest={name},"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace").split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(word.startswith(wanted) for word in command):
            return int(path.parent.name), command
    raise BareQemuError(f"no process runs the domain {name}")


def bare_command(domain: list[str], files: Mapping[str, str], tap: str, folder: Path) -> list[str]:
    """Return the domain's command with the same devices, to be run without libvirt.

    `files` maps the paths of disks to those that the bare guest has. Gone are the monitor, the
    secret that it is given, the stop before the first instruction, and descriptors that libvirt
    opened: the tap is named, sockets and the console's log lie in `folder`.
    """
    command = domain[:1]
    for option, value in _options(domain):
        if option == "-S" or option in ("-mon", "-add-fd"):
            continue
        if value is None:
            command.append(option)
            continue
        carried = _carried(option, value, files, tap, folder)
        if carried is not None:
            command += [option, carried]
    text = " ".join(command)
    if ",fd=" in text or '"fd"' in text:
        raise BareQemuError(f"a descriptor of libvirt's is left: {text}")
    return command


def _options(domain: list[str]) -> Iterator[tuple[str, str | None]]:
    words = iter(domain[1:])
    for option in words:
        yield option, None if option in _ALONE else next(words)


def _carried(
    option: str, value: str, files: Mapping[str, str], tap: str, folder: Path
) -> str | None:
    """Return an option's value for the bare guest; None where the option goes."""
    if option == "-vnc":
        return f"unix:{folder}/vnc.sock,{value.partition(',')[2]}"
    if option == "-chardev":
        return _chardev(value, folder)
    if not value.startswith("{"):
        return value
    told: dict[str, Any] = json.loads(value)
    if told.get("qom-type") == "secret":
        return None
    if option == "-netdev":
        told.pop("fd", None)
        told |= {"ifname": tap, "script": "no", "downscript": "no"}
    if "filename" in told:
        told["filename"] = files.get(told["filename"], told["filename"])
    return json.dumps(told)


def _chardev(value: str, folder: Path) -> str | None:
    kind, _, rest = value.partition(",")
    fields = dict(part.split("=", 1) for part in rest.split(","))
    name = fields["id"]
    if name == "charmonitor":
        return None
    if kind == "socket":
        return f"socket,id={name},path={folder}/{name}.sock,server=on,wait=off"
    return f"{kind},id={name},logfile={folder}/{name}.log,logappend=on"


@contextmanager
def running(command: list[str], log: Path) -> Iterator[int]:
    """Run QEMU for as long as the block lasts; give its process id."""
    with log.open("wb") as output:
        # In a session of its own, as libvirt's: the scheduler shares processors out by session.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process.pid
        if process.poll() is not None:
            raise BareQemuError(f"QEMU ended: {log.read_text()[-1000:]}")
    finally:
        process.kill()
        process.wait(_STOP_SECONDS)
