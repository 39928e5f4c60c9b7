from __future__ import annotations

from hanok.api.compute.actions.unpause import ACTION


def test_nova_s_key() -> None:
    """What it does is in test_server_actions (every state) and in the step harness."""
    assert ACTION.key == "unpause"
