"""Prometheus's own programs judge the rules, what they do with invented figures, and the example of routing."""

from __future__ import annotations

import pytest

from tests.parts.deployment import PROMETHEUS, RULE_TESTS, RULES
from tests.parts.prometheus import run_program


def test_prometheus_takes_the_rules() -> None:
    run_program("promtool", "check", "rules", "--lint=all", "--lint-fatal", RULES.name, folder=PROMETHEUS)


@pytest.mark.parametrize("name", RULE_TESTS)
def test_alerts_fire_when_they_should_and_are_quiet_otherwise(name: str) -> None:
    run_program("promtool", "test", "rules", name, folder=PROMETHEUS)


@pytest.mark.parametrize(("severity", "receiver"), [("page", "on-call"), ("ticket", "tickets")])
def test_alertmanager_takes_the_routing(severity: str, receiver: str) -> None:
    name = "alertmanager.example.yaml"
    run_program("amtool", "check-config", name, folder=PROMETHEUS)
    labels = ("service=bottombox", f"severity={severity}")
    routed = run_program("amtool", "config", "routes", "test", f"--config.file={name}", *labels, folder=PROMETHEUS)
    assert routed.strip() == receiver
