"""The first route that fits decides the queue, and the priority if it names one."""

from __future__ import annotations

import pytest

from alerts.policy import read_policy, shipped_policy
from alerts.routing import route
from alerts.scoring import rate, score
from alerts.survey import Interaction
from tests.unit.alerts.test_scoring import said

RULES = read_policy(
    """
    routing:
      default: rest
      routes:
        - {when: {queues: [billing]}, queue: money}
        - {when: {channels: [voice]}, queue: phone, priority: 1}
    """,
    file="policy.yaml",
)


@pytest.mark.parametrize(
    ("interaction", "expected"),
    [
        (Interaction(queue="billing"), ("money", 2)),
        (Interaction(channel="voice"), ("phone", 1)),
        (Interaction(queue="billing", channel="voice"), ("money", 2)),
        (Interaction(), ("rest", 2)),
    ],
)
def test_the_first_route_that_fits_decides(interaction: Interaction, expected: tuple[str, int]) -> None:
    response = said(1, interaction=interaction)
    assert route(response, score(response, rate(response, RULES), RULES), RULES) == expected


def test_without_routes_everything_goes_to_the_general_queue() -> None:
    response = said(2)
    assert route(response, score(response, rate(response, shipped_policy()), shipped_policy()), shipped_policy()) == (
        "general",
        3,
    )
