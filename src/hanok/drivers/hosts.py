"""The place where calls to hosts happen: each host's own threads, every call with a deadline.

A host that hangs stops itself alone. Its hung calls are left behind, in daemon threads of a
bounded number, and the process never waits for them, not even at its end.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from hanok.drivers.base import Drivers
from hanok.drivers.lanes import UNREACHABLE, Lane
from hanok.drivers.verbs import PARTS, Verb, verb
from hanok.model.errors import HanokError, HostError, HostUnreachable

_QUESTIONS = 2  # threads a host for read-only questions
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Hosts:
    """The hosts that this process reaches.

    `patience` is in seconds: a host of which a call has timed out is asked whether it is there,
    and counts as not answering when it takes longer than that to say so.
    """

    def __init__(self, *, patience: float = 2.0) -> None:
        self._patience = patience
        self._hosts: dict[str, _Host] = {}
        self._guard = threading.Lock()

    def add(self, host_id: str, drivers: Drivers, threads: int = 4) -> None:
        """Take a host in; at most `threads` calls run on it at one time.

        Raises ValueError when the host is there already, TypeError when its drivers lack a method
        (`check_parity`).
        """
        with self._guard:
            if host_id in self._hosts:
                raise ValueError(f"the host {host_id} is there already")
            check_parity(drivers, *(host.drivers for host in self._hosts.values()))
            self._hosts[host_id] = _Host(host_id, drivers, threads, self._patience)

    def remove(self, host_id: str) -> None:
        """Let a host go and close its drivers; absent is success."""
        with self._guard:
            host = self._hosts.pop(host_id, None)
        if host is not None:
            host.close()

    def perform(self, host_id: str, verb: str, args: Mapping[str, Any], timeout: float) -> Any:
        """Make a call on a host and return its result as JSON-able builtins.

        `args` are JSON (`verbs.encode_args`), `timeout` is in seconds and counts from the call.
        Raises what the driver raises; HostUnreachable when there is no answer in time, at once
        when the host is unknown or does not answer; HostError for whatever else goes wrong there.
        """
        host = self._host(host_id)
        return host.ask(host.work, verb, args, timeout)

    def query(self, host_id: str, verb: str, args: Mapping[str, Any], deadline: float) -> Any:
        """Ask a host a read-only question: `perform`, but never behind long work.

        `deadline` is in seconds from the call.
        """
        host = self._host(host_id)
        return host.ask(host.questions, verb, args, deadline)

    def answering(self, host_id: str) -> bool:
        """Whether the host is known and answers, as far as the last calls tell; never waits."""
        host = self._hosts.get(host_id)
        return host is not None and host.answering()

    def hosts(self) -> list[str]:
        """List the hosts' ids."""
        return list(self._hosts)

    def close(self) -> None:
        """Let every host go; calls that are waited for fail, and no thread is waited for."""
        for host_id in self.hosts():
            self.remove(host_id)

    def _host(self, host_id: str) -> _Host:
        host = self._hosts.get(host_id)
        if host is None:
            raise HostUnreachable(UNREACHABLE, detail=f"no such host here: {host_id}")
        return host


class _Host:
    """One host: its drivers, its two lanes, and whether it answers."""

    def __init__(self, host_id: str, drivers: Drivers, threads: int, patience: float) -> None:
        self.host_id = host_id
        self.drivers = drivers
        self.work = Lane(f"host-{host_id}-work", threads, spares=2 * threads)
        self.questions = Lane(f"host-{host_id}-ask", _QUESTIONS, spares=2 * _QUESTIONS)
        self._patience = patience
        self._guard = threading.Lock()
        self._silent = False
        self._closed = False
        self._probed_at: float | None = None

    def ask(self, lane: Lane, name: str, args: Mapping[str, Any], timeout: float) -> Any:
        """Make one call in a lane."""
        asked = verb(name)
        kwargs = asked.decode_args(args)
        if self._probe_is_overdue():
            raise self._unreachable(name)
        try:
            result = lane.run(name, lambda: self._carry_out(asked, kwargs), timeout)
        except HostUnreachable:
            self._suspect()
            raise
        except HanokError:
            self._silent = False
            raise
        self._silent = False
        return result

    def answering(self) -> bool:
        """Whether it answers; a host that was silent is asked again, in a thread."""
        if self._silent:
            self._suspect()
        hangs = self.work.exhausted or self.questions.exhausted
        return not (self._silent or hangs or self._probe_is_overdue())

    def close(self) -> None:
        """Fail the calls and close the drivers, which may hang: in a thread of its own."""
        self._closed = True
        self.work.close()
        self.questions.close()
        self._spawn("close", self.drivers.compute.close)

    def _carry_out(self, asked: Verb, kwargs: Mapping[str, Any]) -> Any:
        try:
            return asked.encode_result(asked.call(self.drivers, kwargs))
        except HanokError as error:
            if isinstance(error, HostUnreachable):
                self._silent = True
            raise
        except Exception as error:
            raise HostError(
                "The host could not carry out the request.",
                detail=f"{self.host_id}: {asked.name}: {error!r}",
            ) from error

    def _suspect(self) -> None:
        """Ask the host whether it is there, unless it is being asked or let go."""
        with self._guard:
            if self._probed_at is None and not self._closed:
                self._probed_at = time.monotonic()
                self._spawn("probe", self._probe)

    def _probe(self) -> None:
        # A domain that is nowhere: the cheapest question that a driver can't answer by itself.
        try:
            self.drivers.compute.power_state(_NOBODY)
            silent = False
        except Exception as error:  # noqa: BLE001 - any other error is an answer, too
            silent = isinstance(error, HostUnreachable)
        with self._guard:
            self._silent = silent
            self._probed_at = None

    def _probe_is_overdue(self) -> bool:
        probed_at = self._probed_at
        return probed_at is not None and time.monotonic() - probed_at > self._patience

    def _unreachable(self, name: str) -> HostUnreachable:
        return HostUnreachable(UNREACHABLE, detail=f"{self.host_id}: {name}: the host hangs")

    def _spawn(self, name: str, target: Callable[[], None]) -> None:
        name = f"host-{self.host_id}-{name}"
        threading.Thread(target=target, name=name, daemon=True).start()


def check_parity(*bundles: Drivers) -> None:
    """Refuse drivers that differ in what can be asked of them.

    Each must have every public method of the protocols and of every other bundle, with parameters
    of the same names, as calls are made by name. Raises TypeError, which says what is missing.
    """
    wrong: list[str] = []
    for part, protocol in PARTS.items():
        drivers = [getattr(bundle, part) for bundle in bundles]
        wanted = {name: _parameters(method)[1:] for name, method in _methods(protocol).items()}
        for driver in drivers:
            for name, method in _methods(driver).items():
                wanted.setdefault(name, _parameters(method))
        wrong += [text for driver in drivers for text in _differences(driver, part, wanted)]
    if wrong:
        raise TypeError("; ".join(wrong))


def _differences(driver: object, part: str, wanted: Mapping[str, list[str]]) -> list[str]:
    kind = type(driver).__name__
    methods = _methods(driver)
    return [
        f"{kind} lacks {part}.{name}"
        if name not in methods
        else f"{kind}: {part}.{name} takes {', '.join(parameters)}"
        for name, parameters in wanted.items()
        if name not in methods or _parameters(methods[name]) != parameters
    ]


def _methods(owner: object) -> dict[str, Callable[..., Any]]:
    found = inspect.getmembers(owner, inspect.isroutine)
    return {name: method for name, method in found if not name.startswith("_")}


def _parameters(method: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(method).parameters)
