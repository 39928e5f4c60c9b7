"""fault_60: every action in every state, through the API's own handlers, as the table says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from hanok.api._call import Answer
from hanok.api._errors import status_of
from hanok.api.compute import server_actions
from hanok.api.dialects.nhn import NHN
from hanok.model.credentials import Credentials
from hanok.model.errors import HanokError
from hanok.model.lifecycle import ACTIONS, ANY_STATE, Action
from hanok.model.server import TaskState, VmState
from hanok.store import volumes
from hanok.store.database import Database, Reader, Transaction
from hanok.store.region_tables import servers as table
from tests.operations.world import ADMIN, IMAGE, MEMBER, World, by, endpoint_of

ONE = "/v2/{tenant}/servers/{server}"
ATTACHMENTS = f"{ONE}/os-volume_attachments"
STATES = list(itertools.product(sorted(ANY_STATE), (None, *sorted(TaskState))))
DESPITE_LOCK = {"createImage"}
"""The rows that Nova lets a locked server's owner do."""
IN_ANY_STATE: dict[str, Any] = {
    "addSecurityGroup": {"name": "default"},
    "removeSecurityGroup": {"name": "default"},
    "lock": None,
    "unlock": None,
    "os-resetState": {"state": "error"},
}
"""The actions that no state forbids."""


class _OverError(Exception):
    """Ends a rehearsal's transaction."""


@dataclass
class Rehearsal:
    """A store whose transactions begin with `prepare` and leave nothing behind.

    What `look` finds at the end of one is `seen`.
    """

    store: Database
    prepare: Callable[[Transaction], object] = field(default=lambda _: None)
    look: Callable[[Transaction], Any] = field(default=lambda _: None)
    seen: Any = None

    @contextmanager
    def read(self) -> Iterator[Reader]:
        with self.store.read() as reader:
            yield reader

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with suppress(_OverError), self.store.write() as tx:
            self.prepare(tx)
            yield tx
            self.seen = self.look(tx)
            raise _OverError


@dataclass(frozen=True)
class Ask:
    """How an action is asked for; `local`: of a server with a disk of its own."""

    body: Any = None
    method: str = "POST"
    path: str = f"{ONE}/action"
    code: int = 202
    local: bool = False
    volume: str = ""


class Scene:
    """Two servers at rest, one of them with a disk attached, and a disk that is free."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.local = world.create(local=True)
        self.server = world.create(availability_zone="kr-pub-a")
        made = [self._volume() for _ in range(2)]
        world.settle()
        self.free, self.attached = made
        self._attach(self.attached)
        world.settle()
        world.engine.stop()
        self.rehearsal = Rehearsal(world.store)
        world.region = replace(world.region, store=cast(Database, self.rehearsal))
        self.rows = {name: self._ask(name) for name in ACTIONS}

    def _volume(self) -> str:
        made = self.world.block_storage("POST", "volumes", {"volume": {"size": 1}})
        return str(made.body["volume"]["id"])

    def _attach(self, volume_id: str) -> None:
        body = {"volumeAttachment": {"volumeId": volume_id}}
        endpoint_of("POST", ATTACHMENTS).handler(self.world.call(body, server=self.server))

    def _ask(self, name: str) -> Ask:
        """How a row's action is asked for: by its name and no value, where nothing else is said."""
        if name in ("delete", "attach_volume", "detach_volume"):
            return {
                "delete": Ask(method="DELETE", path=ONE, code=204),
                "attach_volume": Ask(
                    {"volumeAttachment": {"volumeId": self.free}}, path=ATTACHMENTS, code=200
                ),
                "detach_volume": Ask(
                    method="DELETE", path=f"{ATTACHMENTS}/{{volume}}", volume=self.attached
                ),
            }[name]
        values = {
            "reboot": {"type": "SOFT"},
            "hard reboot": {"type": "HARD"},
            "resize": {"flavorRef": self.world.flavor(local=False, number=1)},
            "createImage": {"name": "copy"},
            "changePassword": {"adminPass": "new-word"},
            "rebuild": {"imageRef": IMAGE},
        }
        keys = {"start": "os-start", "stop": "os-stop"}
        codes = {"confirmResize": 204, "rescue": 200}
        body = {keys.get(name, ACTIONS[name].verb): values.get(name)}
        return Ask(body, code=codes.get(name, 202), local=name == "createImage")

    def server_of(self, ask: Ask) -> str:
        return self.local if ask.local else self.server

    def send(
        self, ask: Ask, state: Mapping[str, str | None], caller: Credentials = MEMBER
    ) -> tuple[int, str]:
        """Send a request to a server in a state; return the code and the message of a refusal."""
        server_id = self.server_of(ask)
        put = update(table).where(table.c.id == server_id).values(**state)
        look = select(table.c.task_state).where(table.c.id == server_id)
        self.rehearsal.prepare = lambda tx: tx.run(put)
        self.rehearsal.look = lambda tx: tx.scalar(look)
        params = {"server": server_id, **({"volume": ask.volume} if ask.volume else {})}
        call = by(caller, self.world.call(ask.body, **params))
        try:
            answer: Answer = endpoint_of(ask.method, ask.path).handler(call)
        except HanokError as error:
            return status_of(error), error.message
        return answer.status, ""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("states")
    world = World(f"sqlite:///{folder / 'region.db'}", folder).open().start()
    yield Scene(world)
    world.close()


def refusal(row: Action, server_id: str, vm_state: str, task_state: str | None) -> str:
    """What the guide's 409 says, None where the table allows the action."""
    if vm_state not in row.vm_states:
        found = f"vm_state {vm_state}"
    elif row.task_states is not None and task_state not in row.task_states:
        found = f"task_state {task_state}"
    else:
        return ""
    return f"Cannot '{row.verb}' instance {server_id} while it is in {found}"


def differing(scene: Scene, row: Action, ask: Ask) -> list[Any]:
    """The states in which the API does not do what the table says, with what it did."""
    found = []
    for vm_state, task_state in STATES:
        got = scene.send(ask, {"vm_state": vm_state, "task_state": task_state})
        text = refusal(row, scene.server_of(ask), vm_state, task_state)
        if got != ((409, text) if text else (ask.code, "")):
            found.append((vm_state, task_state, got))
        elif not text and scene.rehearsal.seen != (row.during or task_state):
            found.append((vm_state, task_state, scene.rehearsal.seen))
    return found


@pytest.mark.parametrize("name", ACTIONS)
def test_fault_60_every_action_in_every_state_is_as_the_table_says(scene: Scene, name: str) -> None:
    assert differing(scene, ACTIONS[name], scene.rows[name]) == []


def test_fault_60_a_forced_delete_is_legal_where_a_delete_is(scene: Scene) -> None:
    assert differing(scene, ACTIONS["delete"], Ask({"forceDelete": None})) == []


@pytest.mark.parametrize("name", IN_ANY_STATE)
def test_fault_60_what_no_state_forbids(scene: Scene, name: str) -> None:
    ask = Ask({name: IN_ANY_STATE[name]})
    for vm_state, task_state in STATES:
        state = {"vm_state": vm_state, "task_state": task_state}
        assert scene.send(ask, state, ADMIN) == (202, ""), state


@pytest.mark.parametrize("name", [*ACTIONS, "forceDelete"])
def test_a_lock_comes_before_the_state_and_administrators_pass(scene: Scene, name: str) -> None:
    row = ACTIONS.get(name, ACTIONS["delete"])
    ask = scene.rows.get(name, Ask({name: None}))
    server_id = scene.server_of(ask)
    for vm_state in sorted(ANY_STATE):
        state: Mapping[str, str | None] = {"vm_state": vm_state, "locked_by": "owner"}
        text = refusal(row, server_id, vm_state, None)
        unlocked = (409, text) if text else (ask.code, "")
        locked = unlocked if name in DESPITE_LOCK else (409, f"Instance {server_id} is locked")
        assert scene.send(ask, state) == locked
        assert scene.send(ask, state, ADMIN) == unlocked


def test_every_action_of_the_api_is_among_them(scene: Scene) -> None:
    """Whoever adds an action adds its row, or says that no state forbids it."""
    asked = {key for ask in scene.rows.values() if ask.path.endswith("/action") for key in ask.body}
    assert asked | set(IN_ANY_STATE) | {"forceDelete"} == set(server_actions.actions(NHN))


def test_a_rehearsal_leaves_nothing_behind(scene: Scene) -> None:
    state: Mapping[str, str | None] = {"vm_state": VmState.STOPPED, "task_state": None}
    assert scene.send(scene.rows["start"], state) == (202, "")
    assert scene.send(scene.rows["attach_volume"], state) == (200, "")
    server = scene.world.server(scene.server)
    assert (server.vm_state, server.task_state) == ("active", None)
    with scene.world.store.read() as reader:
        found = volumes.find(reader, scene.free)
    assert found is not None
    assert found.status == "available"
