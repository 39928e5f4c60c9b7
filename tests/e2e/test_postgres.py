"""The whole process on PostgreSQL: the same API, and the same after kill -9."""

from __future__ import annotations

import pytest

from tests.e2e.inventory import Need, check_rows, check_simulated, need
from tests.e2e.region import region

pytestmark = pytest.mark.postgres


def test_create_list_kill_and_delete(postgres_url: str) -> None:
    with region("simulated", "--database", postgres_url) as running:
        cloud = running.cloud()
        made = {cloud.create(name, name) for name in ("m2.c1m2", "u2.c1m1")}
        for server_id in made:
            cloud.wait_status(server_id, "ACTIVE")
        listed = cloud.get("compute", "/servers")["servers"]
        assert {one["id"] for one in listed} == made
        assert not list(running.state.rglob("*.db")), "everything is in PostgreSQL"

        half_done = cloud.create("cut short", "m2.c2m4")
        running.kill()
        running.start()
        cloud = running.cloud()
        assert cloud.wait_status(half_done, "ACTIVE")["name"] == "cut short"
        wanted = need(cloud)
        assert wanted.servers == made | {half_done}
        check_simulated(running, wanted)
        check_rows(running, wanted)

        for server_id in wanted.servers:
            cloud.delete(server_id)
        running.kill()
        running.start()
        cloud = running.cloud()
        for server_id in wanted.servers:
            cloud.wait_gone(server_id)
        assert need(cloud) == Need()
        check_simulated(running, Need())
        check_rows(running, Need())
        assert running.terminate()[0] == 0
