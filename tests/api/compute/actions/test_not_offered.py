from __future__ import annotations

import pytest

from hanok.api.compute.actions.not_offered import WHY, sentence
from hanok.model.errors import Invalid, NotImplemented_
from tests.operations.world import World


@pytest.mark.parametrize("key", WHY)
def test_an_action_of_nova_s_is_a_501_that_says_why(world: World, key: str) -> None:
    with pytest.raises(NotImplemented_) as caught:
        world.ask("any", key, {})
    assert caught.value.message == sentence(key) == f"{key} is not offered: {WHY[key]}"
    assert caught.value.message.endswith(".")


def test_what_nova_does_not_know_is_a_400(world: World) -> None:
    with pytest.raises(Invalid, match="There is no such action: dance"):
        world.ask("any", "dance", {})
    assert sentence("dance") is None
