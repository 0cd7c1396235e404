"""Alerts ask for what there is, say in words what is wrong, and lead to a page that says what to do."""

from __future__ import annotations

import re

import pytest

from tests.parts.deployment import (
    PROMETHEUS,
    RULE_TESTS,
    RUNBOOKS,
    alerts,
    documented_expressions,
    read_yaml,
    rules,
    unknown_names,
)

SECTIONS = ["What it means for customers", "First look", "Remedy", "How to know that it is over"]


def test_rules_ask_only_for_metrics_that_there_are() -> None:
    assert {rule.get("alert") or rule["record"]: unknown_names(rule["expr"]) for rule in rules()} == {
        rule.get("alert") or rule["record"]: set() for rule in rules()
    }
    assert unknown_names("rate(bottombox_wishes_total[5m]) > slo:sli_error:ratio_rate9d") == {
        "bottombox_wishes_total",
        "slo:sli_error:ratio_rate9d",
    }


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_how_bad_it_is_in_words_and_where_to_read_on(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert len(rule["annotations"]["summary"].split()) >= 4
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"
    page = (RUNBOOKS / f"{name}.md").read_text()
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS


def test_there_is_a_runbook_for_every_alert_and_none_for_others() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (\w+) \|", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)
    assert dict(listed) == {name: rule["labels"]["severity"] for name, rule in alerts().items()}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {*alerts(), "README"}


def test_runbooks_ask_only_for_metrics_that_there_are() -> None:
    for path in RUNBOOKS.glob("*.md"):
        assert unknown_names(path.read_text()) == set(), path.name


def test_the_page_of_metrics_asks_only_for_metrics_that_there_are() -> None:
    assert {name for text in documented_expressions() for name in unknown_names(text)} == set()


def test_every_alert_has_a_firing_and_a_quiet_case() -> None:
    seen: dict[str, set[bool]] = {}
    for name in RULE_TESTS:
        for case in read_yaml(PROMETHEUS / name)["tests"]:
            for asked in case["alert_rule_test"]:
                seen.setdefault(asked["alertname"], set()).add(bool(asked["exp_alerts"]))
    assert seen == {name: {True, False} for name in alerts()}


def test_the_routing_names_alerts_that_there_are() -> None:
    inhibitions = read_yaml(PROMETHEUS / "alertmanager.example.yaml")["inhibit_rules"]
    matchers = [text for rule in inhibitions for text in (*rule["source_matchers"], *rule["target_matchers"])]
    for matcher in matchers:
        name, pattern = matcher.split("=~" if "=~" in matcher else "=", 1)
        if name.rstrip("!") == "alertname":
            found = [alert for alert in alerts() if re.fullmatch(pattern.strip('"'), alert)]
            assert len(found) >= len(re.sub(r"\(.*?\)", "", pattern).split("|")), matcher
