from __future__ import annotations

from hanok.api.compute.actions.start import ACTION


def test_the_guide_s_key() -> None:
    """What it does is in test_server_actions (every state) and in the step harness."""
    assert ACTION.key == "os-start"
