"""One connection to libvirt that heals itself, and calls on it that end.

libvirt's calls block for as long as its daemon pleases. Here each runs in a thread of its own,
and the caller waits for it with a deadline; a thread that never comes back costs one of a few
places, not the caller. Keep-alives end the calls of a daemon that hangs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from typing import Any, Final, TypeVar

import libvirt

from hanok.drivers.libvirt.daemon import ensure_libvirtd, hush
from hanok.model.errors import HostError, HostUnreachable

T = TypeVar("T")

DEADLINE: Final = 30.0
"""Seconds that a call may take, unless the caller says otherwise."""

_PLACES: Final = 16
_KEEPALIVE_SECONDS: Final = 5
_KEEPALIVE_COUNT: Final = 3

# What no repetition can change: libvirt's VIR_ERR_* of requests that are wrong in themselves.
_PERMANENT: Final = frozenset(
    {
        libvirt.VIR_ERR_INVALID_ARG,
        libvirt.VIR_ERR_NO_SUPPORT,
        libvirt.VIR_ERR_XML_ERROR,
        libvirt.VIR_ERR_XML_DETAIL,
        libvirt.VIR_ERR_XML_INVALID_SCHEMA,
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
        libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
    }
)


class Connection:
    """A connection to libvirt at `uri`; opened when first used, and again whenever it is lost."""

    def __init__(self, uri: str, *, deadline: float = DEADLINE) -> None:
        self.uri = uri
        self._deadline = deadline
        self._places = threading.BoundedSemaphore(_PLACES)
        self._lock = threading.Lock()
        self._live: Any = None
        self._closed = False
        self._on_open: list[Callable[[Any], None]] = []

    def call(
        self, failed: str, function: Callable[[Any], T], *, deadline: float | None = None
    ) -> T:
        """Return `function(virConnect)`, called again once if the connection is lost meanwhile.

        `failed` is the sentence for the tenant. Raises `HostError`, or `HostUnreachable` after
        `deadline` seconds, when what was done is not known.
        """
        wait = self._deadline if deadline is None else deadline
        return self.result(self.begin(function, wait), failed, wait)

    def result(self, future: Future[T], failed: str, wait: float) -> T:
        """Return what a call that was begun gave, with the errors of `call`."""
        try:
            return future.result(wait)
        except TimeoutError as error:
            detail = f"libvirt gave no answer in {wait:g} s"
            raise HostUnreachable(failed, detail=detail) from error
        except libvirt.libvirtError as error:
            raise self._as_host_error(failed, error) from error

    def begin(self, function: Callable[[Any], T], wait: float) -> Future[T]:
        """Start a call and return its future; waits at most `wait` seconds for a free place."""
        if not self._places.acquire(timeout=wait):
            detail = f"{_PLACES} calls to libvirt have no answer yet"
            raise HostUnreachable("The host does not answer.", detail=detail)
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(self._call_twice(function))
            except BaseException as error:  # noqa: BLE001  # it is the waiting caller's
                future.set_exception(error)
            finally:
                self._places.release()

        threading.Thread(target=work, name="libvirt-call", daemon=True).start()
        return future

    def when_opened(self, register: Callable[[Any], None]) -> None:
        """Call `register(virConnect)` on each connection that is opened from now on."""
        with self._lock:
            self._on_open.append(register)

    def close(self) -> None:
        """Close the connection for good; calls in hand end by themselves."""
        self._closed = True
        live, self._live = self._live, None
        if live is not None:
            _close_aside(live)

    def _call_twice(self, function: Callable[[Any], T]) -> T:
        connection = self._open()
        try:
            return function(connection)
        except libvirt.libvirtError:
            # A connection that lives has said no; a dead one has said nothing.
            if is_alive(connection):
                raise
        return function(self._open())

    def _open(self) -> Any:
        with self._lock:
            if self._closed:
                raise HostUnreachable("The host does not answer.", detail="the driver is closed")
            if not is_alive(self._live):
                # A dead connection is only let go of: calls in hand may still look at it.
                self._live = None
                self._live = self._open_new()
            return self._live

    def _open_new(self) -> Any:
        run_event_loop()
        try:
            fresh = libvirt.open(self.uri)
        except libvirt.libvirtError:
            ensure_libvirtd(self.uri)
            fresh = libvirt.open(self.uri)
        fresh.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT)
        for register in self._on_open:
            register(fresh)
        return fresh

    def _as_host_error(self, failed: str, error: libvirt.libvirtError) -> HostError:
        code = error.get_error_code()
        if not is_alive(self._live):
            return HostUnreachable(failed, detail=f"libvirt's connection is lost: {error}")
        return HostError(failed, detail=f"libvirt: {error}", permanent=code in _PERMANENT)


def is_alive(connection: Any) -> bool:
    """Tell whether libvirt can still be asked through a connection (no round trip)."""
    try:
        return connection is not None and bool(connection.isAlive())
    except libvirt.libvirtError:
        return False


@cache
def run_event_loop() -> None:
    """Run libvirt's event loop in one thread of this process; it must stand before `open`.

    Events and keep-alives depend on it.
    """
    hush()
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_event_loop, name="libvirt-events", daemon=True).start()


def _event_loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _close_aside(connection: Any) -> None:
    """Close a connection in a thread of its own, since a daemon that hangs lets it wait."""

    def close() -> None:
        with suppress(libvirt.libvirtError):
            connection.close()

    threading.Thread(target=close, name="libvirt-close", daemon=True).start()
