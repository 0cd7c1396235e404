"""Every panel of the committed dashboards says what it shows, and asks only for what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.parts.deployment import DEPLOY, alerts, read_yaml, unknown_names

GRAFANA = DEPLOY / "grafana"
FILES = {"advisory.json": "bottombox-advisory", "service.json": "bottombox-service"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNITS = {"s", "short", "percentunit", "cps", "reqps", "bool_yes_no"}


def read(name: str) -> dict[str, Any]:
    found = json.loads((GRAFANA / "dashboards" / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in FILES:
        for panel in read(name)["panels"]:
            if panel["type"] != "row":
                yield f"{name} {panel['title']}", panel


PANELS = dict(panels())


def test_there_are_the_dashboards_that_should_be_there() -> None:
    assert {path.name for path in (GRAFANA / "dashboards").iterdir()} == set(FILES)
    assert len(PANELS) == len(list(panels())), "two panels of one dashboard have the same title"


@pytest.mark.parametrize("name", FILES)
def test_a_dashboard_can_be_provisioned_and_linked_to(name: str) -> None:
    board = read(name)
    assert board["uid"] == FILES[name]
    assert board.get("id") is None
    assert not board["editable"]
    assert {variable["name"]: variable["type"] for variable in board["templating"]["list"]} == {
        "datasource": "datasource",
        "docs": "textbox",
        "api": "textbox",
    }
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_says_what_it_shows_and_from_where_it_is_bad(name: str) -> None:
    panel = PANELS[name]
    defaults = panel["fieldConfig"]["defaults"]
    assert len(panel["description"].split()) >= 4
    assert panel["description"].endswith(".")
    assert defaults["unit"] in UNITS
    assert len(defaults["thresholds"]["steps"]) == 3
    assert panel["datasource"] == SOURCE
    assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_asks_only_for_what_there_is_over_a_range_that_fits_any_scrape(name: str) -> None:
    targets = PANELS[name]["targets"]
    assert targets
    for target in targets:
        assert target["datasource"] == SOURCE
        assert target["legendFormat"]
        assert "bottombox_" in target["expr"]
        assert unknown_names(target["expr"]) == set()
        assert "job=" not in target["expr"]
        for function, window in re.findall(r"\b(rate|increase)\([^[]*\[([^]]+)\]", target["expr"]):
            assert window in ({"$__rate_interval"} if function == "rate" else {"$__range", "1h"})


@pytest.mark.parametrize("name", PANELS)
def test_a_link_leads_to_a_runbook_or_into_the_service(name: str) -> None:
    for link in PANELS[name]["links"]:
        runbook = re.fullmatch(r"\$\{docs\}/runbooks/(\w+)\.md", link["url"])
        assert (runbook and runbook[1] in alerts()) or re.fullmatch(r"\$\{api\}/v1/[a-z-]+", link["url"])


def test_provisioning_names_a_fixed_source_and_nothing_that_can_be_edited() -> None:
    (provider,) = read_yaml(GRAFANA / "provisioning/dashboards/bottombox.yaml")["providers"]
    assert provider["allowUiUpdates"] is False
    (source,) = read_yaml(GRAFANA / "provisioning/datasources/bottombox.yaml")["datasources"]
    assert source["uid"] == "bottombox-prometheus"
    assert source["type"] == "prometheus"
