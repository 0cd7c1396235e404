"""The shipped rules with a second in the place of each minute, so that an alert that takes ten minutes takes ten seconds."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.parts.deployment import RULES, read_yaml

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"\b(\d+)([smhdw])\b")
_MINUTE = 60
LAG = "BottomboxConsumerLag"


def write_short_rules(folder: Path) -> Path:
    rules = read_yaml(RULES)
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = shortened(rule["expr"])
            if "for" in rule:
                rule["for"] = shortened(rule["for"])
            if rule.get("alert") == LAG:  # what waits is told in seconds, and becomes as much shorter
                assert rule["expr"].rstrip().endswith("> 300")
                rule["expr"] = rule["expr"].replace("> 300", f"> {300 // _MINUTE}")
    written = folder / "short-rules.yaml"
    written.write_text(yaml.safe_dump(rules), encoding="utf-8")
    return written


def shortened(text: str) -> str:
    """`[5m]` becomes `[5s]`, `offset 1w` 10080 seconds."""
    return _DURATION.sub(lambda found: f"{max(1, int(found[1]) * _SECONDS[found[2]] // _MINUTE)}s", text)
