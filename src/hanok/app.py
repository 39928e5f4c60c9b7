"""The wiring: one process that runs identity and one or several regions."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import falcon
import falcon.asgi
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from hanok.api import _serve
from hanok.api._addresses import Addresses
from hanok.api._call import Service
from hanok.api._region import Region
from hanok.api.compute import service as compute
from hanok.api.identity import endpoints as identity_endpoints
from hanok.api.identity.passwords import Passwords
from hanok.api.identity.service import Identity
from hanok.api.image import recovery
from hanok.api.image import service as image
from hanok.api.network import service as network
from hanok.api.volume import service as volume
from hanok.config import Config
from hanok.drivers.hosts import Hosts
from hanok.engine.clock import EngineClock, SystemClock
from hanok.engine.dispatch import Engine
from hanok.engine.job import Context
from hanok.engine.sealing import Sealer
from hanok.machine import Machine, MachineReport
from hanok.media.image_store import ImageStore
from hanok.model.errors import HanokError
from hanok.operations.kinds import KINDS
from hanok.operations.park import parked
from hanok.reconcile.confirm import Confirmations
from hanok.reconcile.leftovers import LeftoverRemoval
from hanok.reconcile.watch import Watch
from hanok.store import first_start, migrate, quotas, server_time, volumes
from hanok.store import hosts as host_rows
from hanok.store.database import Database
from hanok.telemetry.requests import RequestLog

log = structlog.get_logger("hanok.app")
WORKERS = 4
"""Threads that serve requests: enough to hide waits, few enough to share two cores."""
SLOW_WORKERS = 8
"""Threads for log-ins, of which two hash at once and the others wait or are told to come back."""
STREAM_WORKERS = 8
"""Threads that store uploads: one for each that is under way at the same time."""
JOIN_AGAIN = 10.0
"""Seconds until a host that could not be proven is tried again: its libvirt may come up late."""
NETWORK_CIDR = "192.168.0.0/24"
"""The default network's subnet, as NHN Cloud's own default VPC; isolated, so it meets no other."""


class StateDirectoryInUse(HanokError):
    """Another process works on the same state directory."""


class StateDirectory:
    """The directory that holds everything; locked while this process lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StateDirectoryInUse(
                f"Another hanok works on {path}. Stop it, or use another --state."
            ) from error

    def region(self, name: str) -> Path:
        """Return (and make) the folder of a region."""
        folder = self.path / "regions" / name.lower()
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        return folder


class IdentityAlone:
    """Identity without regions and without the directory's lock: beside a running process, too.

    Migrates nothing. Raises HanokError where there is no store of this release's form.
    """

    def __init__(self, config: Config) -> None:
        path = config.state / "identity.db"
        if config.database is None and not path.is_file():
            raise HanokError(f"{config.state} holds no region yet: run `hanok up` first.")
        clock = SystemClock()
        self._store = Database(config.database or f"sqlite:///{path}", schema="hanok_identity")
        if migrate.revision(self._store) != migrate.IDENTITY.head:
            self._store.close()
            raise HanokError("The identity store is of another release: run `hanok up` first.")
        if not self._store.is_sqlite:
            clock.calibrate(lambda: server_time.now(self._store))
        self.identity = Identity(self._store, clock)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()


@dataclass(slots=True)
class RunningRegion:
    """A region with everything that runs for it."""

    region: Region
    store: Database
    engine: Engine
    hosts: Hosts
    watch: Watch
    machine: Machine


class App:
    """Opens every part in order and closes it in the other; `asgi` serves the API.

    `say` shows the operator one line.
    """

    def __init__(self, config: Config, public_url: str, say: Callable[[str], None]) -> None:
        self.config = config
        self._say = say
        self._clock: EngineClock = SystemClock()
        self.state = StateDirectory(config.state)
        self._sealer = Sealer.from_file(self.state.path / "key", self._clock.random_bytes)
        self.registry = CollectorRegistry()
        self.addresses = Addresses(public_url, config.regions)
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="request")
        self._slow_workers = ThreadPoolExecutor(SLOW_WORKERS, thread_name_prefix="log-in")
        self._stream_workers = ThreadPoolExecutor(STREAM_WORKERS, thread_name_prefix="upload")
        identity_store = self._open("identity", self.state.path / "identity.db", migrate.IDENTITY)
        self.identity = Identity(
            identity_store,
            self._clock,
            token_seconds=config.token_seconds,
            passwords=Passwords(waiting=SLOW_WORKERS - 2),
            in_use=self._in_use,
        )
        self._identity_store = identity_store
        self.regions: list[RunningRegion] = []
        self._stopping = threading.Event()
        self._said: set[str] = set()

    def _open(self, name: str, path: Path, schema: migrate.Schema) -> Database:
        """Open a store and bring its tables to this release's form."""
        url = self.config.database or f"sqlite:///{path}"
        database = Database(url, schema=f"hanok_{name}")
        if database.is_sqlite:
            path.touch(mode=0o600, exist_ok=True)
        done = migrate.prepare(database, schema)
        if done == "migrated":
            self._say(f"hanok: the {name} store was migrated; a backup lies beside it")
        if not database.is_sqlite and isinstance(self._clock, SystemClock):
            self._clock.calibrate(lambda: server_time.now(database))
        return database

    def _in_use(self, project_id: str) -> bool:
        """Tell whether a project has live servers or volumes in any region."""
        for running in self.regions:
            with running.store.read() as reader:
                if quotas.usage_of(reader, project_id).instances:
                    return True
                if volumes.usage(reader, project_id).volumes:
                    return True
        return False

    def start(self, projects: tuple[str, ...]) -> None:
        """Open every region and let operations run; hosts join when they are proven."""
        for name in self.config.regions:
            running = self._start_region(name, projects)
            self.regions.append(running)
            running.engine.start()
            running.watch.start()
            threading.Thread(
                target=self._join, args=(running,), name=f"join-{name}", daemon=True
            ).start()

    def _start_region(self, name: str, projects: tuple[str, ...]) -> RunningRegion:
        folder = self.state.region(name)
        store = self._open(name.lower(), folder / "region.db", migrate.REGION)
        hosts = Hosts()
        context = Context(store, self._clock, self._sealer, hosts.perform)
        engine = Engine(context, KINDS, parked)
        images = ImageStore(folder / "images")
        region = Region(
            name=name,
            store=store,
            engine=engine,
            hosts=hosts,
            clock=self._clock,
            images=images,
            largest_image=self.config.image_limit_gib << 30,
        )
        watch = self._watch(region, hosts, engine)
        machine = Machine(self.config, folder, images, self._say)
        with store.write() as tx:
            first_start.seed(
                tx,
                clock=self._clock,
                region=name,
                projects=projects,
                network_cidr=NETWORK_CIDR,
            )
        machine.prepare(store, self._clock)
        recovery.recover(region)
        return RunningRegion(region, store, engine, hosts, watch, machine)

    def _watch(self, region: Region, hosts: Hosts, engine: Engine) -> Watch:
        """Make what looks after a region, and after what is due in it."""
        store, after = region.store, self.config.confirm_resize_after
        confirmations = Confirmations(store, engine, self._clock, after)
        removal = LeftoverRemoval(store, hosts, engine, self._clock)
        return Watch(
            store,
            hosts,
            self._clock,
            keep_days=self.config.keep_deleted_days,
            chores=[confirmations.run, removal.run, partial(recovery.tend, region)],
        )

    def _join(self, running: RunningRegion) -> None:
        """Let the machine's host join the region, behind the API; tried until it does."""
        report = self._open_host(running)
        while report is None:
            if self._stopping.wait(JOIN_AGAIN):
                return
            report = self._open_host(running)
        running.hosts.add(report.host.id, report.drivers)
        running.machine.register(running.store, report.host)
        running.engine.serve(report.host.id)
        self._say(f"hanok: {running.region.name}: {report.sentence}")

    def _open_host(self, running: RunningRegion) -> MachineReport | None:
        """Prove the machine's host; None, and the host is down, where that fails."""
        try:
            return running.machine.open(running.watch.hear)
        except Exception as error:
            line = f"hanok: the host of {running.region.name} cannot join: {error}"
            if line not in self._said and not self._stopping.is_set():
                self._said.add(line)
                log.exception("the host cannot join", region=running.region.name)
                self._say(f"{line}; it is tried again every {JOIN_AGAIN:g} s")
                with running.store.write() as tx:
                    host_rows.set_state(tx, running.machine.host.id, "down", self._clock.now())
            return None

    def asgi(self) -> Any:
        """Return the ASGI application."""
        application: falcon.asgi.App[Any, Any] = _serve.application()
        server = _serve.Server(
            identity=self.identity,
            addresses=self.addresses,
            workers=self._workers,
            slow_workers=self._slow_workers,
            stream_workers=self._stream_workers,
            requests=RequestLog(self.registry),
        )
        identity = identity_endpoints.service(self.config.regions)
        _serve.mount(application, server, identity, None)
        services: dict[str, Service] = {}
        for running in self.regions:
            for one in (compute.service(), image.service(), volume.service(), network.service()):
                _serve.mount(application, server, one, running.region)
                services[f"/{running.region.name.lower()}/{one.name}"] = one
        application.add_route("/metrics", _Metrics(self.registry))
        application.add_error_handler(
            falcon.HTTPError, _serve.not_found(server, services, identity)
        )
        return _by_host(application, self.addresses)

    def stop(self) -> None:
        """Finish the commits in hand and close the stores; never waits for a host."""
        self._stopping.set()
        for running in self.regions:
            running.watch.stop()
            running.engine.stop()
        for running in self.regions:
            running.hosts.close()
            running.store.close()
        self._identity_store.close()


class _Metrics:
    """Prometheus's text format, for whoever can reach the port."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    async def on_get(self, _request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """Serve the metrics."""
        response.content_type = "text/plain; version=0.0.4"
        response.data = generate_latest(self._registry)


def _by_host(application: Any, addresses: Addresses) -> Any:
    """Route by NHN Cloud's host names, too: the path of `kr1-api-image-…` is /kr1/image."""

    async def route(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            host = next((v for k, v in scope["headers"] if k == b"host"), b"").decode("latin-1")
            prefix, _ = addresses.resolve(host)
            if prefix:
                scope = {**scope, "path": prefix + scope["path"]}
        await application(scope, receive, send)

    return route
