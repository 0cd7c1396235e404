"""What is said of the intake beside a peer is what every round says, and both have the same interpreter."""

from __future__ import annotations

import sys

import pytest

from benchmarks.peers.environment import PEERS, fingerprint
from benchmarks.peers.side_by_side import standing
from benchmarks.rounds import Round


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([(30, 10), (20, 10), (11, 10)], "ahead of Peer: 2.00 times its answers a second (1.10 to 3.00)"),
        ([(9, 10), (5, 10), (7, 10)], "behind Peer: 0.70 times its answers a second (0.50 to 0.90)"),
        ([(9, 10), (12, 10), (11, 10)], "level with Peer: 1.10 times its answers a second (0.90 to 1.20)"),
    ],
)
def test_ahead_or_behind_is_said_where_every_round_says_so(rates: list[tuple[int, int]], said: str) -> None:
    rounds = [Round({"intake": ours, "peer": theirs}, 1.0) for ours, theirs in rates]
    assert standing(rounds, "peer", "Peer") == f"the intake is {said}"


def test_a_peer_in_python_runs_on_the_interpreter_that_the_intake_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {peer.name: fingerprint(peer) for peer in PEERS}
    monkeypatch.setattr(sys, "base_prefix", "/opt/another")
    assert {peer.name for peer in PEERS if fingerprint(peer) == before[peer.name]} == {"spring"}
