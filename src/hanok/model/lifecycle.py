"""What may be done to a server in which state: one table.

The 409 texts, the policy matrix, the state diagram in the documents and the test of every action
in every state are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hanok.model.errors import Conflict
from hanok.model.server import Server, TaskState, VmState

NOT_DELETING = frozenset({None, *TaskState}) - {TaskState.DELETING}
NO_TASK: frozenset[str | None] = frozenset({None})
ANY_STATE = frozenset(VmState) - {VmState.DELETED}


@dataclass(frozen=True, slots=True)
class Action:
    """A row: the verb, where it is legal, what it shows meanwhile, where it ends.

    `vm_states` are the resting states that allow it; `task_states` the tasks that do (None stands
    for no task), or None for any. `ends` None means where it was; `also` are further states where
    it may end, each by staying there if it is legal there. `overtakes` means that it ends what runs
    and goes first.
    """

    name: str
    permission: str
    vm_states: frozenset[VmState]
    task_states: frozenset[str | None] | None
    during: str
    ends: VmState | None
    operation: str
    overtakes: bool = False
    also: frozenset[VmState] = frozenset()

    @property
    def verb(self) -> str:
        """The word that clients and Nova's messages have for it; reboot has one for two rows."""
        return self.name.removeprefix("hard ")

    def ends_from(self, vm_state: VmState) -> frozenset[VmState]:
        """Return the states in which it may leave a server that rested in `vm_state`."""
        kept = self.also & self.vm_states
        if vm_state in kept:
            return frozenset({vm_state})
        return (frozenset({self.ends or vm_state}) | self.also) - kept


def _action(
    name: str,
    states: Iterable[VmState],
    during: TaskState | None,
    ends: VmState | None,
    operation: str,
) -> Action:
    """Make the row of an action that waits its turn: no other task may be in hand."""
    shown = during or ""
    return Action(name, "servers:actions", frozenset(states), NO_TASK, shown, ends, operation)


_ACTIVE, _STOPPED, _PAUSED = VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED
_SUSPENDED, _ERROR, _RESIZED = VmState.SUSPENDED, VmState.ERROR, VmState.RESIZED
_RESCUED = VmState.RESCUED
_REBUILDABLE = (_ACTIVE, _STOPPED, _ERROR)
_SHELVED = VmState.SHELVED_OFFLOADED


def _or_off(
    name: str, states: Iterable[VmState], during: TaskState | None, operation: str
) -> Action:
    """Make the row of an action after which what was stopped before is stopped again."""
    row = _action(name, states, during, _ACTIVE, operation)
    return replace(row, also=frozenset({_STOPPED}))


_ROWS = (
    Action(
        name="delete",
        permission="servers:delete",
        vm_states=ANY_STATE,
        task_states=None,
        during=TaskState.DELETING,
        ends=VmState.DELETED,
        operation="delete_server",
        overtakes=True,
    ),
    _action("start", [_STOPPED], TaskState.POWERING_ON, _ACTIVE, "start_server"),
    _action("stop", [_ACTIVE, _ERROR], TaskState.POWERING_OFF, _STOPPED, "stop_server"),
    _action("reboot", [_ACTIVE], TaskState.REBOOTING, _ACTIVE, "reboot_server"),
    Action(
        name="hard reboot",
        permission="servers:actions",
        vm_states=frozenset({_ACTIVE, _STOPPED, _PAUSED, _SUSPENDED, _ERROR}),
        task_states=frozenset({None, TaskState.REBOOTING, TaskState.REBOOTING_HARD}),
        during=TaskState.REBOOTING_HARD,
        ends=_ACTIVE,
        operation="hard_reboot_server",
        overtakes=True,
    ),
    _action("pause", [_ACTIVE], TaskState.PAUSING, _PAUSED, "pause_server"),
    _action("unpause", [_PAUSED], TaskState.UNPAUSING, _ACTIVE, "unpause_server"),
    _action("suspend", [_ACTIVE], TaskState.SUSPENDING, _SUSPENDED, "suspend_server"),
    _action("resize", [_ACTIVE, _STOPPED], TaskState.RESIZE_PREP, _RESIZED, "resize_server"),
    _or_off("confirmResize", [_RESIZED], None, "confirm_resize"),
    _or_off("revertResize", [_RESIZED], TaskState.RESIZE_REVERTING, "revert_resize"),
    _action("changePassword", [_ACTIVE], TaskState.UPDATING_PASSWORD, None, "change_password"),
    _action(
        "createImage",
        [_ACTIVE, _STOPPED, _PAUSED, _SUSPENDED],
        TaskState.IMAGE_SNAPSHOT,
        None,
        "create_image",
    ),
    # The guide shelves what is ACTIVE, and nothing else; Nova's dialect does more.
    _action("shelve", [_ACTIVE], TaskState.SHELVING, _SHELVED, "shelve_server"),
    _action("unshelve", [_SHELVED], TaskState.UNSHELVING, _ACTIVE, "unshelve_server"),
    _action("resume", [_SUSPENDED], TaskState.RESUMING, _ACTIVE, "resume_server"),
    _or_off("rebuild", _REBUILDABLE, TaskState.REBUILDING, "rebuild_server"),
    _action("rescue", _REBUILDABLE, TaskState.RESCUING, _RESCUED, "rescue_server"),
    _action("unrescue", [_RESCUED], TaskState.UNRESCUING, _ACTIVE, "unrescue_server"),
)
_HOLDS_DISKS = frozenset({_ACTIVE, _PAUSED, _STOPPED, _RESIZED})
"""The states in which disks come and go (Nova at 2.1: not on a shelved server)."""
_OTHER_DISKS = frozenset(
    {
        TaskState.RESCUING,
        TaskState.UNRESCUING,
        TaskState.SHELVING,
        TaskState.UNSHELVING,
    }
)
"""Tasks after which a server's disks have other names, or none: none can join them meanwhile."""


def _disk_action(name: str) -> Action:
    """Make the row of what changes a server's disks: it shows no task, several queue in order."""
    tasks = NOT_DELETING - _OTHER_DISKS
    return Action(name, "servers:actions", _HOLDS_DISKS, tasks, "", None, name)


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (*_ROWS, _disk_action("attach_volume"), _disk_action("detach_volume"))
}


def check(action: Action, server: Server) -> None:
    """Raise Conflict, in Nova's words, when the server's state does not allow the action."""
    if server.vm_state not in action.vm_states:
        raise _conflict(action, server, "vm_state", server.vm_state)
    if action.task_states is not None and server.task_state not in action.task_states:
        raise _conflict(action, server, "task_state", str(server.task_state))


def check_lock(server: Server, *, admin: bool) -> None:
    """Raise Conflict, in Nova's words, when the server is locked; administrators pass.

    What is refused so is Nova's set: every action of the table but createImage, and metadata.
    """
    if server.locked_by is not None and not admin:
        raise Conflict(f"Instance {server.id} is locked")


def _conflict(action: Action, server: Server, what: str, value: str) -> Conflict:
    return Conflict(f"Cannot '{action.verb}' instance {server.id} while it is in {what} {value}")


def check_made(action: Action, server: Server) -> None:
    """Raise Conflict, in Nova's words, for a server that has never run: it has nothing yet."""
    if server.launched_at is None or server.host_id is None:
        raise Conflict(f"Instance {server.id} is in an invalid state for '{action.verb}'")
