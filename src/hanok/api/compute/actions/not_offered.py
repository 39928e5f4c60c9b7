"""Nova's actions that are understood and not offered: each says why, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

_ONE_HOST = "it needs a second host, and a region has one."
_PORTS = "addresses are given to ports, by the network service."
_SCREEN = "a guest's screen is VNC; its address is in the answer to os-getVNCConsole."

WHY: Mapping[str, str] = {
    "addFixedIp": _PORTS,
    "addFloatingIp": _PORTS,
    "createBackup": "createImage makes an image; old ones are deleted one by one.",
    "evacuate": _ONE_HOST,
    "injectNetworkInfo": "a guest gets its addresses by DHCP and from its config drive.",
    "migrate": _ONE_HOST,
    "os-getMKSConsole": _SCREEN,
    "os-getRDPConsole": _SCREEN,
    "os-getSPICEConsole": _SCREEN,
    "os-getSerialConsole": "what a guest wrote to its serial console is in os-getConsoleOutput.",
    "os-migrateLive": _ONE_HOST,
    "removeFixedIp": _PORTS,
    "removeFloatingIp": _PORTS,
    "resetNetwork": "a guest gets its addresses by DHCP and from its config drive.",
    "restore": "a deleted instance is gone at once; there is nothing to restore.",
    "shelveOffload": "a shelved instance has left its host already.",
    "trigger_crash_dump": "a guest that hangs is restarted by a HARD reboot.",
}
"""By the key in the body; what follows the colon of the answer's sentence."""


def sentence(key: str) -> str | None:
    """Return what a client is told that asks for an action; None for an unknown one."""
    why = WHY.get(key)
    return None if why is None else f"{key} is not offered: {why}"
