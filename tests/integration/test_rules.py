"""Prometheus's own programs judge the rules, what they do with invented figures, and the example of routing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.parts.deployment import PROMETHEUS, RULE_TESTS, RULES, documented_expressions, panel_expressions
from tests.parts.prometheus import run_program


def test_prometheus_takes_the_rules() -> None:
    run_program("promtool", "check", "rules", "--lint=all", "--lint-fatal", RULES.name, folder=PROMETHEUS)


def test_prometheus_takes_the_configuration_of_compose() -> None:
    said = run_program("promtool", "check", "config", "prometheus.yml", folder=PROMETHEUS)
    assert "1 rule files found" in said


@pytest.mark.parametrize("expressions", [panel_expressions(), documented_expressions()], ids=["dashboards", "docs"])
def test_prometheus_takes_every_expression(tmp_path: Path, expressions: list[str]) -> None:
    assert len(expressions) > 10
    rules = [{"record": f"panel:number:{number}", "expr": text} for number, text in enumerate(expressions)]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run_program("promtool", "check", "rules", "panels.yaml", folder=tmp_path)


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
