"""The files of deploy/, as tests read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from app.metrics import Metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARDS = DEPLOY / "grafana" / "dashboards"
PROMETHEUS = DEPLOY / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = PROMETHEUS / "bottombox-rules.yaml"
RULE_TESTS = ("bottombox-rules.test.yaml", "bottombox-fast-rules.test.yaml", "bottombox-slow-rules.test.yaml")

_METRIC = re.compile(r"\bbottombox_[a-z_]+")


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for group in read_yaml(RULES)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """The alerting rules by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def records() -> set[str]:
    """The names that recording rules make."""
    return {rule["record"] for rule in rules() if "record" in rule}


class ShownPanel(Struct, frozen=True):
    """A panel as Grafana reads it, and the file it stands in. No two have the same `name`."""

    file: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.file} {self.told['title']}"

    @property
    def is_sql(self) -> bool:
        return bool(self.told["datasource"]["type"] == "postgres")

    @property
    def asks(self) -> list[str]:
        return [target["rawSql" if self.is_sql else "expr"] for target in self.told["targets"]]


def read_board(file: str) -> dict[str, Any]:
    board: dict[str, Any] = json.loads((DASHBOARDS / file).read_text(encoding="utf-8"))
    return board


def shown_panels() -> list[ShownPanel]:
    """Of all dashboards, without the titles of rows."""
    files = sorted(path.name for path in DASHBOARDS.glob("*.json"))
    return [ShownPanel(file, told) for file in files for told in read_board(file)["panels"] if told["type"] != "row"]


def with_ranges(expression: str, *, rate: str, whole: str) -> str:
    """With ranges in the place of Grafana's variables."""
    return expression.replace("$__rate_interval", rate).replace("$__range", whole)


def panel_expressions() -> list[str]:
    """What the panels ask Prometheus."""
    asked = [text for panel in shown_panels() if not panel.is_sql for text in panel.asks]
    return [with_ranges(text, rate="5m", whole="1d") for text in asked]


def documented_expressions() -> list[str]:
    """The queries that docs/metrics.md shows, one a line."""
    blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def series_of_ours() -> set[str]:
    """Every name that an expression may ask for."""
    names: set[str] = set()
    for family in Metrics().registry.collectors.collect():
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "info": ["_info"]}
        names |= {family.name + ending for ending in endings.get(family.type, [""])}
    return names


def unknown_names(expression: str) -> set[str]:
    """What an expression asks for that no process of ours shows and no rule of ours records."""
    recorded = set(re.findall(r"\bslo:[a-z_:0-9]+", expression)) - records()
    return (set(_METRIC.findall(expression)) - series_of_ours()) | recorded
