"""Write docs/reference/states.md: what may be done to a server in which state, from the table.

make docs, or python -m scripts.states
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hanok.model.lifecycle import ACTIONS, ANY_STATE, Action
from hanok.model.server import UNKNOWN, TaskState, VmState, status

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "states.md"
_STATES = [state for state in VmState if state in ANY_STATE]
_HEAD = """# States of a server
Made from `src/hanok/model/lifecycle.py` and `model/server.py` by `make docs`: change those.

A server rests in a `vm_state`; a `task_state` is what is being done to it. The status that a client
sees is made from both. What a row does not allow is answered with 409 and the state that forbids
it: `Cannot 'stop' instance … while it is in vm_state paused`.
"""
_DIAGRAM = """## From state to state
`delete` is legal in every state and left out, as is what ends where it began. A create that fails
ends in error; any other action that fails leaves the server where it was, with the reason.
"""


def page() -> str:
    """Return the page."""
    return f"{_HEAD}\n{_actions()}\n{_DIAGRAM}\n{_diagram()}\n{_statuses()}"


def _actions() -> str:
    rows = (
        (
            f"`{action.name}`",
            _listed(_STATES, action.vm_states),
            _tasks(action),
            f"`{action.during}`" if action.during else "nothing",
            _ends(action),
        )
        for action in ACTIONS.values()
    )
    return "## Actions\n" + _table(
        ("action", "vm_state", "task in hand", "shows meanwhile", "ends in"), rows
    )


def _listed(whole: list[VmState], chosen: Iterable[str]) -> str:
    named = set(chosen)
    return "every" if named >= set(whole) else ", ".join(s for s in whole if s in named)


def _tasks(action: Action) -> str:
    """Say which tasks an action allows, by the shorter of the two lists."""
    if action.task_states is None:
        return "any; it goes first"
    allowed = [task for task in TaskState if task in action.task_states]
    others = [task for task in TaskState if task not in action.task_states]
    first = "; it goes first" if action.overtakes else ""
    if not allowed:
        return "none" + first
    if len(allowed) < len(others):
        return f"none, {', '.join(allowed)}{first}"
    return f"any but {', '.join(others)}{first}"


def _ends(action: Action) -> str:
    if action.ends is None:
        return "where it was"
    return " or ".join([action.ends, *sorted(action.also)])


def _diagram() -> str:
    """Draw the actions that lead from one state to another; those that share a way, together."""
    ways: dict[tuple[str, str], list[str]] = {}
    for action in ACTIONS.values():
        for start in (state for state in _STATES if state in action.vm_states):
            for end in sorted(action.ends_from(start) - {start, VmState.DELETED}):
                ways.setdefault((start, end), []).append(action.name)
    lines = [f"    {start} --> {end}: {', '.join(names)}" for (start, end), names in ways.items()]
    created = [
        "    [*] --> building: create",
        "    building --> active",
        "    building --> error",
    ]
    return "\n".join(("```mermaid", "stateDiagram-v2", *created, *lines, "```", ""))


def _statuses() -> str:
    rows = []
    for state in VmState:
        resting = status(state, None, answering=True)
        during: dict[str, list[str]] = {}
        for task in TaskState:
            during.setdefault(status(state, task, answering=True), []).append(task)
        during.pop(resting, None)
        shown = "; ".join(f"{name} while {', '.join(tasks)}" for name, tasks in during.items())
        silent = status(state, None, answering=False)
        rows.append((state, resting, shown, UNKNOWN if silent == UNKNOWN else "the same"))
    return "## Statuses\n" + _table(("vm_state", "status", "but", "host silent"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
