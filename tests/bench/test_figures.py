from __future__ import annotations

import pytest

from bench.figures import Findings, at_least, at_most, interleave, quantile


def test_a_figure_is_the_median_of_its_rounds() -> None:
    found = Findings("any")
    found.add("mine", "ms", [5.0, 1.0, 3.0], at_most(3.0))
    found.add("rate", "requests/s", [10.0], at_least(11.0))
    found.add("free", "ms", [1.0])
    assert [(one.value, one.reached) for one in found.figures] == [
        (3.0, True),
        (10.0, False),
        (1.0, None),
    ]


def test_a_ratio_compares_what_was_measured_together() -> None:
    found = Findings("any")
    found.add_ratio("mine / peer", [2.0, 40.0, 6.0], [1.0, 10.0, 3.0])
    assert found.figures[0].rounds == (2.0, 4.0, 2.0)
    with pytest.raises(ValueError, match="shorter"):
        found.add_ratio("mine / peer", [2.0, 4.0], [1.0])


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1), (0.0, 1)]
)
def test_a_quantile_is_the_nearest_rank(share: float, value: int) -> None:
    assert quantile(range(1, 101), share) == value


def test_every_peer_begins_in_turn() -> None:
    order: list[str] = []

    def measure(peer: str) -> int:
        order.append(peer)
        return len(order)

    found = interleave(3, {"a": "A", "b": "B"}, measure)
    assert order == ["A", "B", "B", "A", "A", "B"]
    assert found == {"a": [1, 4, 5], "b": [2, 3, 6]}
