"""The committed dashboards are those that the code builds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.build import FOLDER, dashboards


def test_what_is_committed_is_what_is_built() -> None:
    built = dashboards()
    assert {path.name for path in FOLDER.iterdir()} == set(built)
    for name, text in built.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run `python -m deploy.grafana.build`"


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_the_sdk_knows_every_member_of_what_is_committed(path: Path) -> None:
    """What it does not know is lost on the way there and back: a name that is misspelt."""
    board = json.loads(path.read_text(encoding="utf-8"))
    assert there_and_back(board) == without_nothing(board)
    board["panels"][1]["titel"] = "Misspelt"
    assert there_and_back(board) != without_nothing(board)


def there_and_back(board: dict[str, Any]) -> Any:
    register_default_plugins()
    return without_nothing(json.loads(JSONEncoder().encode(Dashboard.from_json(board))))


def without_nothing(value: Any) -> Any:
    """Members that are null or empty say the same as members that are not there."""
    if isinstance(value, dict):
        found = {name: without_nothing(each) for name, each in value.items()}
        return {name: each for name, each in found.items() if each not in (None, {}, [])}
    return [without_nothing(each) for each in value] if isinstance(value, list) else value
