"""Finding libvirt's daemon, and starting it where nobody else does.

Machines differ: systemd starts daemons on demand; in a container nobody does; Debian 12 has one
`libvirtd`, later systems may have `virtqemud` instead. Nothing below /etc is ever changed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import libvirt

from hanok.drivers.libvirt.host_command import run
from hanok.drivers.libvirt.kvm_device import share_device
from hanok.model.errors import HostError, HostUnreachable

SYSTEM_URI: Final = "qemu:///system"

FIRST_ANSWER: Final = 60.0
"""Seconds for a started daemon to answer: it examines every QEMU of the host at its first start."""

_ANSWER: Final = 10.0
_LOCK: Final = Path("/run/hanok-libvirtd.lock")
_PROGRAMS: Final = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_FAILED: Final = "The host's hypervisor service could not be started."

Which = Callable[[str], str | None]


def ensure_libvirtd(uri: str = SYSTEM_URI, *, deadline: float = FIRST_ANSWER) -> None:
    """Return when libvirt answers at `uri`; start its daemon where nobody else has.

    It is started only for `qemu:///system` and by root. Processes that call at once start one.
    Raises `HostError` that says what to do, or `HostUnreachable` after `deadline` seconds.
    """
    if uri == SYSTEM_URI:
        share_device()
    failure = connect_failure(uri, _ANSWER)
    if failure is None:
        return
    if uri != SYSTEM_URI or os.geteuid() != 0:
        advice = "start libvirtd, or join the group libvirt" if uri == SYSTEM_URI else "start it"
        detail = f"libvirt does not answer at {uri} ({failure}); {advice}"
        raise HostUnreachable("The host's hypervisor service does not answer.", detail=detail)
    until = time.monotonic() + deadline
    with _alone(until):
        failure = connect_failure(uri, _ANSWER)
        if failure is None:
            return
        for argv in start_commands(systemd=Path("/run/systemd/system").is_dir(), which=_which):
            run(argv, _FAILED, timeout=max(1.0, until - time.monotonic()))
        failure = _wait(uri, until)
    if failure is not None:
        detail = f"libvirt was started and does not answer at {uri} ({failure})"
        raise HostUnreachable(_FAILED, detail=f"{detail}; see /var/log/libvirt")


def connect_failure(uri: str, timeout: float) -> str | None:
    """Try to connect within `timeout` seconds; return what went wrong, None if nothing did."""
    hush()
    result: list[str | None] = []

    def attempt() -> None:
        try:
            libvirt.open(uri).close()
        except libvirt.libvirtError as error:
            result.append(str(error))
        else:
            result.append(None)

    thread = threading.Thread(target=attempt, name="libvirt-attempt", daemon=True)
    thread.start()
    thread.join(timeout)
    return result[0] if result else f"no answer in {timeout:g} s"


@cache
def hush() -> None:
    """Have libvirt's messages in exceptions alone, not on stderr, too."""
    libvirt.registerErrorHandler(_ignore_message, None)


def _ignore_message(_context: object, _error: object) -> None:
    """Drop a message that is also raised as an exception."""


def start_commands(*, systemd: bool, which: Which) -> list[list[str]]:
    """Return what starts libvirt's daemons on this kind of machine, in order.

    Under systemd the units are asked for, so that it keeps owning them; otherwise virtlogd (which
    holds the consoles' logs) and libvirtd, or the modular virtqemud where that is what there is.
    Raises a permanent `HostError` if libvirt is not installed.
    """
    daemon = which("libvirtd") or which("virtqemud")
    logger = which("virtlogd")
    if daemon is None or logger is None:
        detail = "libvirt's daemons are not installed: apt install libvirt-daemon-system"
        raise HostError(_FAILED, detail=detail, permanent=True)
    if systemd:
        return [["systemctl", "start", "virtlogd.socket", f"{Path(daemon).name}.service"]]
    return [[logger, "-d"], [daemon, "-d"]]


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_PROGRAMS}")


def _wait(uri: str, until: float) -> str | None:
    """Try until it answers or the time is over; return the last failure."""
    while True:
        failure = connect_failure(uri, max(1.0, until - time.monotonic()))
        if failure is None or time.monotonic() >= until:
            return failure
        time.sleep(0.1)


@contextmanager
def _alone(until: float) -> Iterator[None]:
    """Hold the machine's lock on starting libvirt; raises `HostUnreachable` past the time."""
    with _LOCK.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    detail = f"another process holds {_LOCK}"
                    raise HostUnreachable(_FAILED, detail=detail) from None
                time.sleep(0.05)
            else:
                break
        yield
