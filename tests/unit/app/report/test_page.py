"""The weekly page says what was counted, shows it without help from elsewhere, and lets nobody's words become markup."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from alerts.errors import Invalid
from alerts.insights.effect import effect
from alerts.insights.pareto import pareto
from alerts.insights.share import Count, share_of
from alerts.learning.plan import PlanState, begin_plan
from alerts.learning.problem import KnownProblem
from alerts.learning.signal import RaisedSignal
from alerts.learning.watching import SignalKind
from alerts.learning.week import IsoWeek, WeekFigures, WeekOutcome, last_whole_week, named_week
from app.report.charts import BOTTOM, HEIGHT, TOP, causes_chart, days_chart
from app.report.page import html_page, text_page

WEEK = IsoWeek(date(2026, 11, 16))
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
EVIL = '<script src="http://evil.example">alert("x")</script> & co'
USUAL, DAYS = [Count(20, 100)] * 28, [Count(10, 100)] * 7


def figures(**changes: Any) -> WeekFigures:
    plan = begin_plan(
        {"title": EVIL, "owner": "lea", "due_on": date(2026, 11, 20), "effective_on": date(2026, 11, 2)},
        id="p",
        by="lea",
        now=NOW,
    )
    late = replace(
        plan, title="Train the night shift", due_on=date(2026, 12, 24), state=PlanState.IN_PROGRESS, percent=40
    )
    signal = RaisedSignal(
        id="s",
        kind=SignalKind.SPIKE,
        scope_by="queue",
        scope_value="billing",
        raised_at=NOW,
        since=NOW,
        seen_at=NOW,
        bottom=24,
        of=40,
        expected=8.0,
        p_value=1e-7,
        alarms_a_month=1.0,
        arithmetic={},
    )
    known = KnownProblem(
        id="k", title="Invoices went out twice", match={}, created_at=NOW, created_by="lea", changed_at=NOW
    )
    facts: dict[str, Any] = {
        "week": WEEK,
        "days": DAYS,
        "change": effect(USUAL, DAYS),
        "ended": WeekOutcome(opened=70, resolved=40, recovered=30, closed=9),
        "causes": pareto({("operations", "billing"): 25, ("skill", "courtesy"): 10, ("skill", "other"): 5}),
        "signals": [
            signal,
            replace(signal, kind=SignalKind.SILENCE, scope_by="source", scope_value="shop", expected=30.0),
        ],
        "problems": [known],
        "plans": [plan, late],
        "effects": [(plan, effect(USUAL, [Count(8, 100)] * 21))],
    }
    return WeekFigures(**{**facts, **changes})


NOTHING: dict[str, Any] = {
    "days": [Count(0, 0)] * 7,
    "change": effect([Count(0, 0)] * 28, [Count(0, 0)] * 7),
    "ended": WeekOutcome(opened=0, resolved=0, recovered=0, closed=0),
    "causes": (),
    "signals": [],
    "problems": [],
    "plans": [],
    "effects": [],
}


def test_every_sentence_has_what_it_was_counted_from() -> None:
    text = text_page(figures())
    for sentence in (
        "Week 2026-W47: 2026-11-16 to 2026-11-22",
        "Bottom box: 10.0% (70 of 700; ",
        "The four weeks before: 20.0% (560 of 2800; ",
        "That is -10.0 points (",
        "): better.",
        "70 opened, 40 resolved, 9 closed without a conversation",
        "Recovered: 75.0% (30 of 40; ",
        "billing (operations): 62.5% (25 of 40; ",
        "Spike in queue billing at Wednesday 09:00 UTC: 24 of 40 were bad, 8.0 are usual (raised)",
        "Silence of source shop from Wednesday 09:00 UTC, where 30 answers are usual (raised)",
        "Known problem: Invoices went out twice (open)",
        f"{EVIL}: lea, due 2026-11-20, planned, 0 %, overdue",
        "Train the night shift: lea, due 2026-12-24, in progress, 40 %\n",
        f"{EVIL} (since 2026-11-02): better. Before 20.0% (560 of 2800; ",
    ):
        assert sentence in text


def test_a_week_in_which_nothing_happened_is_told_too() -> None:
    text = text_page(figures(**NOTHING))
    assert "nothing was counted" in text
    assert "There is nothing to compare." in text
    assert "Nothing took effect in the last eight weeks." in text
    assert "no answers" in html_page(figures(**NOTHING))


class Seen(HTMLParser):
    """Every tag and attribute of a page, and whether they are closed in their order."""

    VOID = ("meta",)

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize("given", [{}, NOTHING])
def test_the_page_is_one_file_that_asks_nothing_of_anybody(given: dict[str, Any]) -> None:
    seen = Seen(html_page(figures(**given)))
    assert seen.open == []
    assert not {"script", "img", "link", "iframe", "a", "form"} & set(seen.tags)
    addresses = [value for name, value in seen.attributes if value and ("://" in value) and name != "xmlns"]
    assert addresses == []
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "href")]


def test_nobodys_words_become_markup() -> None:
    page = html_page(figures())
    assert "<script" not in page
    assert "&lt;script" in page


def test_the_charts_are_whole_and_say_in_words_what_they_show() -> None:
    days = ElementTree.fromstring(days_chart(["Mon", "Tue"], [share_of(10, 40), share_of(0, 0)], share_of(20, 100)))
    assert days.attrib["aria-label"] == "Bottom box by day: Mon 25.0%, Tue no answers; usual 20.0%"
    boxes = [each for each in days if each.tag.endswith("rect")]
    assert len(boxes) == 1
    causes = ElementTree.fromstring(causes_chart(pareto({("skill", "<b>"): 3, ("operations", "billing"): 6})))
    widths = [float(each.attrib["width"]) for each in causes if each.tag.endswith("rect")]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    assert "&lt;" not in "".join(each.text or "" for each in causes)


def test_the_height_of_a_bar_is_its_share_of_the_axis() -> None:
    shares = [share_of(10, 100), share_of(20, 100)]
    chart = ElementTree.fromstring(days_chart(["Mon", "Tue"], shares, share_of(15, 100)))
    low, high = (float(each.attrib["height"]) for each in chart if each.tag.endswith("rect"))
    assert high == pytest.approx(2 * low, rel=0.01)
    assert high == pytest.approx((HEIGHT - BOTTOM - TOP) / 2, abs=0.1), "20 % on an axis up to 40 %"


@pytest.mark.parametrize(
    ("text", "monday"),
    [("2026-W47", date(2026, 11, 16)), ("2026-W01", date(2025, 12, 29)), ("2020-W53", date(2020, 12, 28))],
)
def test_a_week_has_the_name_of_iso_8601(text: str, monday: date) -> None:
    assert named_week(text) == IsoWeek(monday)
    assert named_week(text).name == text


@pytest.mark.parametrize("text", ["2026-47", "2026-W54", "2026-W00", "0000-W01", "last"])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        named_week(text)


def test_the_last_whole_week_ended_yesterday_on_a_monday() -> None:
    assert last_whole_week(date(2026, 11, 23)).until == date(2026, 11, 23)
    assert last_whole_week(date(2026, 11, 22)).until == date(2026, 11, 16)
