"""Writes the dashboards to `dashboards/`: `python -m deploy.grafana.build`. What is written is committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.advisory import build_advisory
from deploy.grafana.ledger import build_ledger
from deploy.grafana.service import build_service

FOLDER = Path(__file__).parent / "dashboards"


def dashboards() -> dict[str, str]:
    """File name -> JSON."""
    boards = {"advisory.json": build_advisory(), "ledger.json": build_ledger(), "service.json": build_service()}
    return {name: _written(board) for name, board in boards.items()}


def _written(board: Any) -> str:
    known = json.loads(JSONEncoder().encode(board))
    for panel in known["panels"]:
        if panel.get("options", ...) is None:
            del panel["options"]  # what is not said is Grafana's default
    return json.dumps(known, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    for name, text in dashboards().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
