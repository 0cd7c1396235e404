"""Every panel of the committed dashboards says what it shows, and asks only for what there is."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.parts.deployment import DASHBOARDS, DEPLOY, alerts, read_board, read_yaml, shown_panels, unknown_names
from tests.parts.reports import READER, VIEWS

GRAFANA = DEPLOY / "grafana"
UIDS = {
    "advisory.json": ("bottombox-advisory", {"datasource": "prometheus"}),
    "ledger.json": ("bottombox-ledger", {"ledger": "postgres"}),
    "service.json": ("bottombox-service", {"datasource": "prometheus"}),
}
SOURCES = ({"type": "prometheus", "uid": "${datasource}"}, {"type": "postgres", "uid": "${ledger}"})
UNITS = {"s", "short", "percentunit", "cps", "reqps", "bool_yes_no"}
PANELS = {panel.name: panel for panel in shown_panels()}
METRIC_PANELS = [name for name, panel in PANELS.items() if not panel.is_sql]
SQL_PANELS = [name for name, panel in PANELS.items() if panel.is_sql]


def test_there_are_the_dashboards_that_should_be_there() -> None:
    assert {path.name for path in DASHBOARDS.iterdir()} == set(UIDS)
    assert len(PANELS) == len(shown_panels()), "two panels of one dashboard have the same title"
    assert METRIC_PANELS
    assert SQL_PANELS


@pytest.mark.parametrize("name", UIDS)
def test_a_dashboard_can_be_provisioned_and_linked_to(name: str) -> None:
    board = read_board(name)
    uid, sources = UIDS[name]
    assert board["uid"] == uid
    assert board.get("id") is None
    assert not board["editable"]
    variables = board["templating"]["list"]
    assert {each["name"]: each["query"] for each in variables if each["type"] == "datasource"} == sources
    assert {each["name"] for each in variables if each["type"] == "textbox"} == {"docs", "api"}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_says_what_it_shows_and_from_where_it_is_bad(name: str) -> None:
    panel = PANELS[name].told
    defaults = panel["fieldConfig"]["defaults"]
    assert len(panel["description"].split()) >= 4
    assert panel["description"].endswith(".")
    assert defaults["unit"] in UNITS
    assert len(defaults["thresholds"]["steps"]) == 3
    assert panel["datasource"] in SOURCES
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert panel["targets"]
    assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


@pytest.mark.parametrize("name", METRIC_PANELS)
def test_a_panel_asks_only_for_what_there_is_over_a_range_that_fits_any_scrape(name: str) -> None:
    for target in PANELS[name].told["targets"]:
        assert target["legendFormat"]
        assert re.search("bottombox_|slo:", target["expr"])
        assert unknown_names(target["expr"]) == set()
        assert "job=" not in target["expr"]
        for function, window in re.findall(r"\b(rate|increase)\([^[]*\[([^]]+)\]", target["expr"]):
            assert window in ({"$__rate_interval"} if function == "rate" else {"$__range", "1h"})


@pytest.mark.parametrize("name", SQL_PANELS)
def test_a_panel_over_the_ledger_asks_the_views_alone(name: str) -> None:
    views = set(re.findall(r"^CREATE VIEW bottombox_reports\.(\w+)", VIEWS.read_text(), re.MULTILINE))
    for text in PANELS[name].asks:
        asked = set(re.findall(r"\b(?:FROM|JOIN)\s+([a-z_.]+)", text.replace("extract(epoch FROM", "")))
        assert asked
        assert asked <= views
        assert PANELS[name].told["type"] != "timeseries" or " AS time," in text


@pytest.mark.parametrize("name", PANELS)
def test_a_link_leads_to_a_runbook_or_into_the_service(name: str) -> None:
    for link in PANELS[name].told["links"]:
        runbook = re.fullmatch(r"\$\{docs\}/runbooks/(\w+)\.md", link["url"])
        assert (runbook and runbook[1] in alerts()) or re.fullmatch(r"\$\{api\}/v1/[a-z-]+", link["url"])


def test_an_alert_leads_to_the_panel_that_leads_to_its_runbook() -> None:
    """The first one where there are several; boards of what is now come before that of weeks."""
    panels: dict[str, str] = {}
    for file in ("advisory.json", "service.json", "ledger.json"):
        for panel in read_board(file)["panels"]:
            for link in panel.get("links") or ():
                if runbook := re.fullmatch(r"\$\{docs\}/runbooks/(\w+)\.md", link["url"]):
                    panels.setdefault(runbook[1], f"/d/{UIDS[file][0]}?viewPanel={panel['id']}")
    assert len(panels) > 15
    led = {name: rule["annotations"].get("dashboard_url") for name, rule in alerts().items()}
    assert {name: url for name, url in led.items() if url} == panels


@pytest.mark.parametrize("name", ["advisory.json", "service.json"])
def test_deploys_and_changes_of_the_policy_are_marked(name: str) -> None:
    marks = {each["name"]: each["expr"] for each in read_board(name)["annotations"]["list"]}
    assert set(marks) == {"Deploys", "Policy changes"}
    assert {metric for expr in marks.values() for metric in unknown_names(expr)} == set()


@pytest.mark.parametrize("name", UIDS)
def test_panels_do_not_lie_upon_each_other(name: str) -> None:
    places = [panel["gridPos"] for panel in read_board(name)["panels"]]
    squares = Counter(
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert set(squares.values()) == {1}


def test_provisioning_names_fixed_sources_and_nothing_that_can_be_edited() -> None:
    (provider,) = read_yaml(GRAFANA / "provisioning/dashboards/bottombox.yaml")["providers"]
    assert provider["allowUiUpdates"] is False
    sources = {
        each["uid"]: each for each in read_yaml(GRAFANA / "provisioning/datasources/bottombox.yaml")["datasources"]
    }
    assert {uid: each["type"] for uid, each in sources.items()} == {
        "bottombox-prometheus": "prometheus",
        "bottombox-ledger": "postgres",
    }
    assert sources["bottombox-ledger"]["user"] == READER
    assert sources["bottombox-ledger"]["secureJsonData"]["password"].startswith("$"), "a password stands in a file"
