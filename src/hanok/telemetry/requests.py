"""One line and two metrics for each request."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

log = structlog.get_logger("hanok.request")
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answered request; never its query, headers or body (they hold secrets)."""

    service: str
    method: str
    route: str
    path: str
    status: int
    seconds: float
    request_id: str


class RequestLog:
    """Counts requests by service, method, route and status, and writes the access log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "hanok_requests",
            "Requests answered",
            ("service", "method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "hanok_request_seconds",
            "Time from the request's head to its answer",
            ("service",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._numbers = itertools.count(int.from_bytes(os.urandom(5), "big"))
        self._prefix = os.urandom(10).hex()

    def new_id(self) -> str:
        """Return a new request id in OpenStack's form, req-<uuid>."""
        p, n = self._prefix, next(self._numbers) & 0xFFFFFFFFFFFF
        return f"req-{p[:8]}-{p[8:12]}-{p[12:16]}-{p[16:20]}-{n:012x}"

    def note(self, answered: Answered) -> None:
        """Record one answered request."""
        self._count.labels(
            answered.service, answered.method, answered.route, str(answered.status)
        ).inc()
        self._seconds.labels(answered.service).observe(answered.seconds)
        log.info(
            "request",
            method=answered.method,
            path=answered.path,
            status=answered.status,
            ms=round(answered.seconds * 1000, 2),
            request_id=answered.request_id,
        )
