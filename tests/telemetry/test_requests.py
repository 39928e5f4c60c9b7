from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from hanok.telemetry.requests import Answered, RequestLog

ONE = Answered(
    service="compute",
    method="GET",
    route="/v2/{tenant}/servers/{server}",
    path="/v2/a/servers/b",
    status=404,
    seconds=0.0021,
    request_id="req-1",
)


def test_a_request_is_counted_by_its_route_timed_by_its_service_and_logged_by_its_path() -> None:
    registry = CollectorRegistry()
    requests = RequestLog(registry)
    with capture_logs() as logged:
        requests.note(ONE)
        requests.note(ONE)
    labels = {
        "service": "compute",
        "method": "GET",
        "route": "/v2/{tenant}/servers/{server}",
        "status": "404",
    }
    assert registry.get_sample_value("hanok_requests_total", labels) == 2

    def within(seconds: str) -> float | None:
        name = "hanok_request_seconds_bucket"
        return registry.get_sample_value(name, {"service": "compute", "le": seconds})

    assert (within("0.002"), within("0.005"), within("+Inf")) == (0, 2, 2)
    assert logged[0] == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": "/v2/a/servers/b",
        "status": 404,
        "ms": 2.1,
        "request_id": "req-1",
    }


def test_ids_are_openstacks_and_never_the_same() -> None:
    first, second = RequestLog(CollectorRegistry()), RequestLog(CollectorRegistry())
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: (first, second)[n % 2].new_id(), range(2000)))
    assert len(set(made)) == 2000
    for one in made[:10]:
        assert one.startswith("req-")
        assert str(uuid.UUID(one.removeprefix("req-"))) == one.removeprefix("req-")
