"""What may be done to a server in which state: one table.

The 409 texts, the policy matrix, the state diagram in the documents and the test of every action
in every state are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanok.model.errors import Conflict
from hanok.model.server import Server, VmState

NO_TASK: frozenset[str | None] = frozenset({None})
ANY_STATE = frozenset(VmState) - {VmState.DELETED}


@dataclass(frozen=True, slots=True)
class Action:
    """A row: the verb, where it is legal, what it shows meanwhile, where it ends.

    `vm_states` are the resting states that allow it; `task_states` the tasks that do (None stands
    for no task), or None for any. `overtakes` means that it ends what runs and goes first.
    """

    name: str
    permission: str
    vm_states: frozenset[VmState]
    task_states: frozenset[str | None] | None
    during: str
    ends: VmState
    operation: str
    overtakes: bool = False


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            name="delete",
            permission="servers:delete",
            vm_states=ANY_STATE,
            task_states=None,
            during="deleting",
            ends=VmState.DELETED,
            operation="delete_server",
            overtakes=True,
        ),
        Action(
            name="start",
            permission="servers:actions",
            vm_states=frozenset({VmState.STOPPED}),
            task_states=NO_TASK,
            during="powering-on",
            ends=VmState.ACTIVE,
            operation="start_server",
        ),
        Action(
            name="stop",
            permission="servers:actions",
            vm_states=frozenset({VmState.ACTIVE, VmState.ERROR}),
            task_states=NO_TASK,
            during="powering-off",
            ends=VmState.STOPPED,
            operation="stop_server",
        ),
        Action(
            name="reboot",
            permission="servers:actions",
            vm_states=frozenset({VmState.ACTIVE}),
            task_states=NO_TASK,
            during="rebooting",
            ends=VmState.ACTIVE,
            operation="reboot_server",
        ),
        Action(
            name="hard reboot",
            permission="servers:actions",
            vm_states=frozenset(
                {
                    VmState.ACTIVE,
                    VmState.STOPPED,
                    VmState.PAUSED,
                    VmState.SUSPENDED,
                    VmState.ERROR,
                }
            ),
            task_states=frozenset({None, "rebooting", "rebooting_hard"}),
            during="rebooting_hard",
            ends=VmState.ACTIVE,
            operation="hard_reboot_server",
            overtakes=True,
        ),
    )
}


def check(action: Action, server: Server) -> None:
    """Raise Conflict, in Nova's words, when the server's state does not allow the action."""
    if server.vm_state not in action.vm_states:
        raise _conflict(action, server, "vm_state", server.vm_state)
    if action.task_states is not None and server.task_state not in action.task_states:
        raise _conflict(action, server, "task_state", str(server.task_state))


def _conflict(action: Action, server: Server, what: str, value: str) -> Conflict:
    verb = action.name.removeprefix("hard ")
    return Conflict(f"Cannot '{verb}' instance {server.id} while it is in {what} {value}")
