"""A way to libvirt that can fall silent: a UNIX socket whose bytes are handed on, or are not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SOCKETS = ("libvirt-sock", "virtqemud-sock")
_BLOCK = 1 << 16


class Relay:
    """Hands on what its clients and libvirt say, unless it is silent."""

    def __init__(self, path: Path) -> None:
        self.uri = f"qemu+unix:///system?socket={path}"
        self._speaks = threading.Event()
        self._speaks.set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Keep every byte back from now on, as a host does that hangs."""
        self._speaks.clear()

    def speak(self) -> None:
        """Hand on what was kept back, and all that follows."""
        self._speaks.set()

    def close(self) -> None:
        """End every connection."""
        self._speaks.set()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            libvirt = socket.socket(socket.AF_UNIX)
            libvirt.connect(str(_libvirt()))
            self._open += [client, libvirt]
            for source, target in ((client, libvirt), (libvirt, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                self._speaks.wait()
                target.sendall(block)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


def _libvirt() -> Path:
    """The socket of the machine's own libvirt."""
    return next(path for name in SOCKETS if (path := Path("/run/libvirt") / name).is_socket())


@contextmanager
def relay(folder: Path) -> Iterator[Relay]:
    """Open a way to libvirt for the block."""
    one = Relay(folder / "libvirt.sock")
    try:
        yield one
    finally:
        one.close()
