"""Change the administrator's password in a server's guest, through its agent."""

from __future__ import annotations

from hanok.engine.steps import (
    HostCall,
    HostStep,
    Operation,
    Planned,
    Submission,
    View,
)
from hanok.model.server import Server, TaskState, VmState
from hanok.operations import power
from hanok.operations.submitter import Submitter
from hanok.store.database import Transaction

DEFAULT_USER = "root"


def submit(tx: Transaction, engine: Submitter, server: Server, password: str) -> None:
    """Submit the operation; the password is sealed in the journal and wiped at the end."""
    engine.submit(
        tx,
        Submission(
            kind=KIND.kind,
            project_id=server.project_id,
            server_id=server.id,
            intent={
                "host_id": server.host_id,
                "user": server.image_metadata.get("login_username", DEFAULT_USER),
                "during": TaskState.UPDATING_PASSWORD,
                "ends": VmState.ACTIVE,
            },
            plan=tuple(Planned(step.name, step.name) for step in KIND.steps),
            subjects=(f"server:{server.id}",),
            secrets={"password": password},
        ),
    )


def _set(view: View) -> HostCall:
    arguments = {
        "server_id": view.server_id,
        "user": view.intent["user"],
        "password": view.secrets["password"],
    }
    return HostCall(view.intent["host_id"], "compute.set_password", arguments, secret=True)


KIND = Operation(
    name="change_password",
    version=1,
    deadline=120,
    settle=power.settle,
    steps=(HostStep("set_password", _set), power.FINISH),
)
