"""What a server's `fault` is, and what it says of an operation that did not finish.

The tenant reads why, and at which step; the step's own name and what the host said are `details`,
which only administrators see.
"""

from __future__ import annotations

from typing import Any

from hanok.engine.steps import Failure, Outcome

STEPS = {
    "allocate_port": "allocate the port",
    "ask": "ask the guest to shut down",
    "ask_again": "ask the guest to shut down",
    "attach": "attach the disk",
    "bind": "bind the ports",
    "call": "call the host",
    "change": "change the domain's size",
    "cut": "power the domain off",
    "define": "define the domain",
    "delete_disk": "delete the disk",
    "delete_domain": "delete the domain",
    "describe": "find the disk",
    "detach": "detach the disk",
    "drop": "delete the disk that stood in",
    "export": "copy the disk",
    "finish": "note the end",
    "forget": "note the end",
    "gather": "read what the instance is made of",
    "go_on": "let the guest go on",
    "hold_both": "hold room for both sizes",
    "hold_still": "hold the guest still",
    "look": "look at the domain",
    "make_disk": "make the disk",
    "note_disk": "note the disk",
    "note_image": "note the image",
    "place": "find a host",
    "plug": "plug the ports",
    "plug_port": "plug the port",
    "replace": "exchange the root disk",
    "set_password": "set the password in the guest",
    "start": "start the domain",
    "switch_on": "start the domain",
    "unplug": "unplug the ports",
    "unplug_port": "unplug the port",
    "wait_a_while": "wait for the guest to shut down",
    "wait_until_off": "wait for the guest to shut down",
}
"""What each step does, in a tenant's words."""


def fault(message: str, details: str, now: int) -> dict[str, Any]:
    """Return a server's `fault` as it is stored: code 500 (Nova's), message, details, created_at.

    `message` is the tenant's, `details` are an administrator's.
    """
    return {"code": 500, "message": message, "details": details, "created_at": now}


def fault_of(outcome: Outcome, now: int) -> dict[str, Any]:
    """Return the `fault` of a server whose operation ended like this."""
    failure = outcome.failure or Failure("", "The operation did not finish.")
    return fault(_sentence(failure), f"{failure.step}: {failure.detail}".strip(": "), now)


def _sentence(failure: Failure) -> str:
    if failure.step not in STEPS:
        return failure.message
    return f"{failure.message.rstrip('.')}. Failed step: {STEPS[failure.step]}."
