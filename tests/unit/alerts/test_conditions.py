"""What a `when:` asks of an answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from alerts.conditions import PARTS, When
from alerts.survey import Interaction, Respondent
from tests.unit.alerts.test_scoring import NOW, said

ANSWER = said(
    1,
    survey_id="post-contact",
    comment="Rückruf bitte!",
    customer=Respondent(segment="Gold", language="pt-br", country="BR", value=10.0, since=date(2021, 3, 2)),
    interaction=Interaction(channel="voice", queue="billing", reason="invoice", agent_team="north"),
    attributes={"plan": "pro", "calls": 3},
)
FITS: tuple[dict[str, Any], ...] = (
    {"sources": ["cloudevents"]},
    {"surveys": ["post-contact"]},
    {"channels": ["VOICE"]},
    {"queues": ["billing"]},
    {"contact_reasons": ["invoice", "other"]},
    {"segments": ["gold"]},
    {"languages": ["pt"]},
    {"languages": ["pt-BR"]},
    {"languages": ["Portuguese"]},
    {"languages": ["por", "en"]},
    {"countries": ["BR"]},
    {"teams": ["north"]},
    {"value_at_least": 10.0},
    {"tenure_years_at_least": 5},
    {"comment_mentions": ["RU\u0308CKRUF"]},
    {"comment_mentions": ["rück*"]},
    {"comment_mentions": ["rückruf"], "comment_unless": ["kein rückruf"]},
    {"attribute": {"plan": "pro", "calls": 3}},
    {"segments": ["gold"], "channels": ["voice"]},
)
DOES_NOT: tuple[dict[str, Any], ...] = (
    {"sources": ["olist"]},
    {"segments": ["silver"]},
    {"segments": []},
    {"languages": ["pt-pt"]},
    {"value_at_least": 10.01},
    {"tenure_years_at_least": 6},
    {"comment_mentions": ["ring me"]},
    {"comment_mentions": ["rück"]},
    {"comment_mentions": ["rückruf"], "comment_unless": ["rückruf bitte"]},
    {"attribute": {"plan": "basic"}},
    {"attribute": {"other": None}},
    {"bottom_box_within_days": 30},
    {"segments": ["gold"], "channels": ["chat"]},
)


def when(facts: dict[str, Any]) -> When:
    return When.model_validate(
        {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    )


@pytest.mark.parametrize("facts", FITS, ids=str)
def test_it_fits_when_every_part_holds(facts: dict[str, Any]) -> None:
    assert when(facts).holds(ANSWER)


@pytest.mark.parametrize("facts", DOES_NOT, ids=str)
def test_it_does_not_fit_when_one_part_fails(facts: dict[str, Any]) -> None:
    assert not when(facts).holds(ANSWER)


@pytest.mark.parametrize("facts", [each for each in FITS if "sources" not in each], ids=str)
def test_nothing_that_is_unknown_fits(facts: dict[str, Any]) -> None:
    assert not when(facts).holds(said(1))


def test_every_part_that_a_condition_may_name_is_asked() -> None:
    assert PARTS.keys() == When.model_fields.keys()


def test_a_condition_that_fits_everything_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="fits every answer"):
        When()


@pytest.mark.parametrize(("since", "years"), [(date(2021, 3, 2), 5), (date(2021, 3, 3), 4), (date(2020, 2, 29), 6)])
def test_tenure_is_full_years_on_the_anniversary(since: date, years: int) -> None:
    answer = said(1, customer=Respondent(since=since))
    assert when({"tenure_years_at_least": years}).holds(answer)
    assert not when({"tenure_years_at_least": years + 1}).holds(answer)


@pytest.mark.parametrize(("days", "holds"), [(0, True), (30, True), (31, False), (-5, True)])
def test_a_repeat_is_near_in_time_whichever_came_first(days: int, holds: bool) -> None:
    last = NOW - timedelta(days=days)
    assert when({"bottom_box_within_days": 30}).holds(said(1), last) is holds


def test_without_an_earlier_answer_nothing_is_a_repeat() -> None:
    assert not when({"bottom_box_within_days": 30}).holds(said(1, answered_at=datetime(2026, 1, 1, tzinfo=UTC)), None)
