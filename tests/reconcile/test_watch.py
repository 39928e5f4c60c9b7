from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanok.model.power import PowerState
from hanok.model.server import Server, VmState
from hanok.reconcile.watch import Seen, verdict

SERVER = Server(
    id="s",
    project_id="p",
    user_id="u",
    name="web",
    flavor_id="f",
    image_id="i",
    key_name=None,
    host_id="h",
    availability_zone="a",
    vm_state=VmState.ACTIVE,
    task_state=None,
    power_state=1,
    generation=3,
    vcpus=1,
    ram_mib=1,
    root_gib=1,
    ephemeral_gib=0,
    config_drive="",
    metadata={},
    image_metadata={},
    reservation_id="r",
    fault=None,
    resized=None,
    created_at=1,
    updated_at=1,
    launched_at=1,
    terminated_at=None,
)
STOPPED = replace(SERVER, vm_state=VmState.STOPPED, power_state=4)


@pytest.mark.parametrize(
    ("server", "power", "changes"),
    [
        (SERVER, PowerState.RUNNING, None),
        (SERVER, PowerState.SHUTDOWN, {"power_state": 4, "vm_state": VmState.STOPPED}),
        (SERVER, PowerState.CRASHED, {"power_state": 6, "vm_state": VmState.STOPPED}),
        (STOPPED, PowerState.SHUTDOWN, None),
        (STOPPED, PowerState.RUNNING, {"power_state": 1, "vm_state": VmState.ACTIVE}),
        (replace(SERVER, vm_state=VmState.BUILDING), PowerState.SHUTDOWN, None),
        (replace(SERVER, vm_state=VmState.ERROR), None, None),
    ],
)
def test_verdict(server: Server, power: PowerState | None, changes: dict[str, Any] | None) -> None:
    assert verdict(server, Seen(power)) == changes


def test_fault_20_a_domain_that_is_gone_is_an_error_with_a_reason() -> None:
    changes = verdict(SERVER, Seen(None))
    assert changes is not None
    assert changes["vm_state"] == VmState.ERROR
    assert "no longer on its host" in changes["fault"]["message"]
