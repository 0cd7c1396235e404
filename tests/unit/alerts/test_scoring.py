"""Which answers need a call, how urgently, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.policy import Policy, read_policy, shipped_policy
from alerts.scale import Box, Scale
from alerts.scoring import Verdict, asked_not_to_be_called, rate, score
from alerts.survey import Respondent, SurveyResponse

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
POLICY = shipped_policy()
NPS = Scale(0, 10)


def policy(text: str) -> Policy:
    return read_policy(text, file="policy.yaml")


def said(rating: int, **facts: Any) -> SurveyResponse:
    base: dict[str, Any] = {
        "event_source": "s",
        "event_id": "e",
        "source": "cloudevents",
        "response_id": "r",
        "rating": rating,
        "answered_at": NOW,
        "revised_at": NOW,
    }
    return SurveyResponse(**{**base, **facts})


def verdict_on(response: SurveyResponse, rules: Policy, last_bottom_box: datetime | None = None) -> Verdict:
    return score(response, rate(response, rules), rules, last_bottom_box)


@pytest.mark.parametrize(("rating", "severity", "priority"), [(1, 80, 2), (2, 60, 3)])
def test_a_1_is_worse_than_a_2(rating: int, severity: int, priority: int) -> None:
    assert verdict_on(said(rating), POLICY) == Verdict(Box.BOTTOM, rating, severity, priority, (f"rated_{rating}",))


@pytest.mark.parametrize("rating", [3, 4, 5])
def test_nobody_phones_outside_the_bottom_box(rating: int) -> None:
    verdict = verdict_on(said(rating, comment="call me"), POLICY)
    assert (verdict.severity, verdict.priority, verdict.reasons) == (0, 5, ())


def test_a_further_reason_makes_a_1_severe_enough_for_the_first_priority() -> None:
    verdict = verdict_on(said(1, comment="Please CALL ME"), POLICY)
    assert verdict == Verdict(Box.BOTTOM, 1, 90, 1, ("rated_1", "asked_for_a_call"))


def test_a_2_needs_three_further_reasons_for_that() -> None:
    vip = Respondent(segment="vip", since=date(2010, 1, 1))
    two = verdict_on(said(2, customer=vip), POLICY)
    assert (two.severity, two.priority) == (80, 3)
    three = verdict_on(said(2, customer=vip, comment="ring me"), POLICY)
    assert (three.severity, three.priority) == (90, 2)


def test_severity_ends_at_100() -> None:
    vip = Respondent(segment="vip", since=date(2010, 1, 1))
    verdict = verdict_on(said(1, customer=vip, comment="call me or I cancel my plan"), POLICY, NOW - timedelta(days=3))
    assert (verdict.severity, verdict.priority, len(verdict.reasons)) == (100, 1, 6)


def test_a_repeat_counts_within_30_days() -> None:
    assert "repeat_within_30_days" in verdict_on(said(1), POLICY, NOW - timedelta(days=30)).reasons
    assert "repeat_within_30_days" not in verdict_on(said(1), POLICY, NOW - timedelta(days=31)).reasons
    assert "repeat_within_30_days" not in verdict_on(said(1), POLICY, None).reasons


DETRACTORS = policy("surveys: [{survey: nps, bottom_at_most: 6, top_at_least: 9}]")


@pytest.mark.parametrize(("rating", "points"), [(0, 1), (1, 1), (2, 2), (6, 2), (7, 3), (8, 3), (9, 5), (10, 5)])
def test_a_survey_may_have_its_own_cut(rating: int, points: int) -> None:
    assert rate(said(rating, scale=NPS, survey_id="nps"), DETRACTORS).points == points


@pytest.mark.parametrize(("rating", "points"), [(6, 4), (2, 2)])
def test_another_surveys_cut_does_not_count(rating: int, points: int) -> None:
    assert rate(said(rating, scale=NPS, survey_id="other"), DETRACTORS).points == points


@pytest.mark.parametrize(("rating", "points"), [(6, 1), (5, 2), (4, 2), (3, 4), (1, 5)])
def test_a_cut_on_an_inverted_scale_counts_from_its_worst_end(rating: int, points: int) -> None:
    rules = policy("surveys: [{survey: grades, bottom_at_most: 4}]")
    assert rate(said(rating, scale=Scale(6, 1), survey_id="grades"), rules).points == points


@settings(deadline=None)  # reading a policy takes its time on a busy machine
@given(rating=st.integers(0, 10), cut=st.integers(0, 10))
def test_a_cut_decides_the_box_alone(rating: int, cut: int) -> None:
    rules = policy(f"surveys: [{{survey: nps, bottom_at_most: {cut}}}]")
    verdict = verdict_on(said(rating, scale=NPS, survey_id="nps"), rules)
    assert (verdict.box is Box.BOTTOM) == (rating <= cut)


ASKS_FOR_NO_CALL = (
    "Do not call me again",
    "Please don't call me.",
    "Don\u2019t  call\u00a0me",
    "dont call me",
    "Never call me!",
    "STOP CALLING ME",
    "I don't want to be called",
    "no need to call",
    "Remove my number",
    "Do not EVER contact me again",
    "take me off this call list",
    "Rufen Sie mich nicht an!",
    "Bitte nicht anrufen",
    "Bitte keinen Rückruf",
    "Ne m\u2019appelez pas",
    "Merci de ne pas me rappeler",
    "No me llame",
    "Por favor no me llamen más",
    "Não me ligue",
    "nao me liguem mais",
    "Non chiamatemi",
)
ASKS_FOR_NOTHING_OF_THE_KIND = (
    "I recall meeting the technician",
    "Nobody called me back",
    "You don't call me back, ever",
    "They never call back",
    "we must STOP this bill",
    "Don't hesitate to call me",
    "Kein Rückruf erhalten",
    "No me llaman nunca",
    "No callback received",
    "",
)


@pytest.mark.parametrize("comment", ASKS_FOR_NO_CALL)
def test_a_wish_not_to_be_phoned_is_understood_and_lifts_nothing(comment: str) -> None:
    answer = said(1, comment=comment)
    assert asked_not_to_be_called(answer, shipped_policy())
    assert "asked_for_a_call" not in verdict_on(answer, shipped_policy()).reasons


@pytest.mark.parametrize("comment", ASKS_FOR_NOTHING_OF_THE_KIND)
def test_a_complaint_about_calls_is_no_wish_not_to_be_phoned(comment: str) -> None:
    assert not asked_not_to_be_called(said(1, comment=comment), shipped_policy())


@pytest.mark.parametrize(
    "comment",
    [
        "Please call me",
        "call  me",
        "call\nme",
        "Bitte um Rückruf",
        "Rappelez-moi",
        "llámenme",
        "I do not care. Call me!",
    ],
)
def test_who_asks_for_a_call_is_lifted(comment: str) -> None:
    answer = said(1, comment=comment)
    assert "asked_for_a_call" in verdict_on(answer, shipped_policy()).reasons
    assert not asked_not_to_be_called(answer, shipped_policy())


@pytest.mark.parametrize(
    "comment",
    [
        *("Please don't ever phone me", "Do not under any circumstances call me!", "don't you dare call me"),
        *("Please do not give me a call", "You don't need to call me", "I do not want you to ring me", "opt me out"),
        *("remove me from your list", "I'd rather not be called", "Never call again", "Stop contacting me."),
        *("Bitte rufen Sie mich nicht zurück", "Ich wünsche keine Anrufe", "Ne me rappelez surtout pas"),
        *("No deseo que me llamen", "Não quero ser contactado"),
        *("Do not e-mail or call me", "do not text or call me", "donot call me", "Do n't call me", "plz dont call"),
        *("I do not want you to ever call me again", "Would you please not call me", "I'd rather you didn't call me"),
        *("Contact me by email only", "There's no reason to call me", "Nie wieder anrufen!"),
        "Rufen Sie mich unter keinen Umständen an",
    ],
)
def test_a_wish_not_to_be_phoned_has_many_words(comment: str) -> None:
    """ProgressiveCoders/Spoke #2184: one word is not how people say it."""
    asked = said(1, comment=comment)
    assert asked_not_to_be_called(asked, POLICY)
    assert verdict_on(asked, POLICY).reasons == ("rated_1",)


@pytest.mark.parametrize(
    "comment",
    [
        *("I never asked for a call back", "No need for anyone to call me", "I do not think you need to call me"),
        *("I asked you not to call me", "If they call me again I will sue", "neither write nor call me"),
    ],
)
def test_words_of_a_call_that_nobody_asked_for_lift_nothing(comment: str) -> None:
    assert verdict_on(said(1, comment=comment), POLICY).reasons == ("rated_1",)


@pytest.mark.parametrize(
    "comment",
    ["Don't forget to call me", "Why don't you call me?", "Don't email me, call me", "I wish you would call me"],
)
def test_a_wish_to_be_called_with_a_not_in_it_is_one(comment: str) -> None:
    answer = said(1, comment=comment)
    assert "asked_for_a_call" in verdict_on(answer, POLICY).reasons
    assert not asked_not_to_be_called(answer, POLICY)


def test_whatever_counts_as_a_wish_not_to_be_phoned_is_never_a_wish_to_be() -> None:
    assert POLICY.scoring.no_call is not None
    for phrase in POLICY.scoring.no_call.comment_mentions or ():
        comment = phrase.replace(" * ", " all ").replace("*", "")
        assert verdict_on(said(1, comment=comment), POLICY).reasons == ("rated_1",), phrase


def test_a_policy_without_the_rule_asks_nobody() -> None:
    assert not asked_not_to_be_called(said(1, comment="Do not call me"), Policy())
    assert shipped_policy().asked_not_to_be_called == "hold_for_lead"
