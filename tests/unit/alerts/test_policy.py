"""The policy file: what ships, and what is said of each mistake."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.calling_hours.hours import hours_of_calendar
from alerts.document import BadDocument
from alerts.policy import Policy, read_policy, shipped_policy

MISTAKES = [
    ("leasez: {}", 1, "leasez is not a known setting", "did you mean 'leases'?"),
    ("name: x\nleases:\n  secondz: 5", 3, "leases.secondz is not a known setting", "did you mean 'seconds'?"),
    ("leases: {seconds: true}", 1, "leases.seconds: input should be a valid integer", "correct the value"),
    ("leases: {seconds: '900'}", 1, "leases.seconds: input should be a valid integer", "correct the value"),
    ("leases: {seconds: 1}", 1, "leases.seconds: input should be greater than or equal to 5", "correct the value"),
    ("calling:\n  window: 9-20", 2, "calling.window: this is not a part of a day", 'write it like "09:00-20:00"'),
    (
        "calling:\n  window: 20:00-09:00",
        2,
        "calling.window: this part of a day ends before",
        "write it like 09:00-20:00",
    ),
    ("calling: {window: 07:59-20:00}", 1, "calling.window: a calling window may not exceed 08:00-21:00", "narrow it"),
    ("calling: {window: 09:00-21:01}", 1, "calling.window: a calling window may not exceed 08:00-21:00", "narrow it"),
    (
        "calling:\n  countries:\n    GB: {window: 07:00-20:00}",
        3,
        "calling.countries.GB.window: a calling window may not exceed 08:00-21:00",
        "narrow it",
    ),
    ("calling:\n  countries:\n    XX: {days: [mon]}", 3, "no holidays are known for this country", "write an ISO 3166"),
    ("queues:\n  - name: a\n    zone: Mars/Base", 3, "queues.0.zone: this is not an IANA time zone", "write one like"),
    ("queues: [{name: a, zone: localtime}]", 1, "queues.0.zone: this is not an IANA time zone", "write one like"),
    (
        "calendars: {c: {zone: Factory, weekly: {mon: []}}}",
        1,
        "calendars.c.zone: this is not an IANA",
        "write one like",
    ),
    ("queues: [{name: a, calendar: c}]", 1, "queue 'a' names a calendar that is not there", "add it to calendars"),
    ("queues: [{zone: UTC}]", 1, "queues.0.name is missing", "add it"),
    ("routing: {routes: [{when: {}, queue: a}]}", 1, "this condition fits every answer", "name at least one part"),
    (
        "queues:\n  - name: a\n    calendar: weekdys\ncalendars: {weekdays: {zone: UTC, weekly: {mon: [09:00-17:00]}}}",
        3,
        "queue 'a' names a calendar that is not there",
        "did you mean 'weekdays'?",
    ),
    (
        "name: x\norder:\n  lift_minutes:\n    wants_to_leave: 5\n    wants_to_leev: 120",
        5,
        "order.lift_minutes.wants_to_leev: is no reason that scoring gives",
        "did you mean 'wants_to_leave'?",
    ),
    (
        "scoring: {reasons: []}\norder: {lift_minutes: {segment: 5}}",
        2,
        "is no reason that scoring gives",
        "there are rated_1, rated_2",
    ),
    (
        "queues: [{name: billing}]\ntargets:\n  overrides:\n    - priority: 1\n      queue: biling",
        5,
        "targets.overrides.0.queue: this is no queue of the policy",
        "did you mean 'billing'?",
    ),
    ("queues:\n  - name: a\n  - name: b\n  - name: a", 4, "queues.2.name: 'a' is taken already", "keep one of them"),
    (
        "surveys:\n  - {survey: nps, bottom_at_most: 6}\n  - {survey: nps, bottom_at_most: 5}",
        3,
        "surveys.1.survey: 'nps' is taken already",
        "keep one of them",
    ),
    (
        "scoring:\n  reasons:\n    - {name: a, when: {channels: [x]}}\n    - {name: a, when: {channels: [y]}}",
        4,
        "scoring.reasons.1.name: 'a' is taken already",
        "choose another name",
    ),
    ("scoring: {reasons: [{name: rated_1, when: {channels: [x]}}]}", 1, "'rated_1' is taken already", "another name"),
    ("checklist:\n  - thanked\n  - thanked", 3, "checklist.1: 'thanked' is taken already", "keep one of them"),
    ("causes: {skill: [other, tone, tone]}", 1, "causes.skill.2: 'tone' is taken already", "keep one of them"),
    (
        "leases: {skip_reasons: [lunch, lunch]}",
        1,
        "leases.skip_reasons.1: 'lunch' is taken already",
        "keep one of them",
    ),
    (
        "calling: {countries: {UK: {days: [mon]}}}",
        1,
        "this is not the ISO 3166 code of two letters",
        "write one like GB",
    ),
    (
        "calendars: {c: {zone: UTC, weekly: {mon: [09:00-17:00]}, holiday_countries: [USA]}}",
        1,
        "of two letters",
        "or US",
    ),
    (
        "escalation:\n  steps:\n    - {percent: 90, to: lead}\n    - {percent: 50, to: owner}",
        1,
        "the steps must rise",
        "write the smallest percentage first",
    ),
    ("causes: {skill: [rude]}", 1, 'both lists need "other"', "add it"),
    ("name: a\nname: b", 2, "'name' is written twice", "correct the YAML"),
    ("name: [", 1, "", "correct the YAML"),
    ("- name", 1, "input should be an object", "correct the value"),
]


@pytest.mark.parametrize(("text", "line", "problem", "remedy"), MISTAKES, ids=[each[0][:40] for each in MISTAKES])
def test_a_mistake_is_named_with_its_line_and_its_remedy(text: str, line: int, problem: str, remedy: str) -> None:
    with pytest.raises(BadDocument) as refused:
        read_policy(text, file="my.yaml")
    [found] = refused.value.problems
    assert (found.file, found.line) == ("my.yaml", line)
    assert problem in found.problem
    assert remedy in found.remedy
    assert str(found).startswith(f"my.yaml:{line}: ")


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(BadDocument) as refused:
        read_policy("leases: {seconds: 1}\nattempts:\n  maximum: 0\n  other: 1", file="my.yaml")
    assert [each.line for each in refused.value.problems] == [1, 3, 4]


def test_names_that_nothing_knows_are_all_named_at_once() -> None:
    text = "order: {lift_minutes: {a: 1, b: 2, rated_1: 3}}\ntargets:\n  overrides: [{queue: q}, {priority: 1}]"
    with pytest.raises(BadDocument) as refused:
        read_policy(text, file="my.yaml")
    assert [each.line for each in refused.value.problems] == [1, 1, 3]


def test_a_calendar_that_no_queue_uses_is_fine() -> None:
    read_policy("calendars: {c: {zone: UTC, weekly: {mon: [09:00-17:00]}}}", file="my.yaml")


def test_the_shipped_policy_states_the_defaults_and_adds_only_lists() -> None:
    shipped, default = shipped_policy().model_dump(), Policy().model_dump()
    differing = {name for name in shipped if shipped[name] != default[name]}
    assert differing == {"scoring", "causes", "checklist"}
    assert {**shipped["scoring"], "reasons": (), "no_call": None} == default["scoring"]
    assert shipped_policy().name == "default"


def test_an_empty_policy_is_the_shipped_one() -> None:
    assert read_policy("", file="my.yaml") == shipped_policy()


def test_a_policy_of_ones_own_names_only_what_differs() -> None:
    own = read_policy("name: ours\nscoring: {severity_of_1: 90}\nchecklist: [thanked]", file="my.yaml")
    shipped = shipped_policy()
    assert (own.name, own.scoring.severity_of_1, own.checklist) == ("ours", 90, ("thanked",))
    assert own.scoring.reasons == shipped.scoring.reasons
    assert own.causes == shipped.causes


@pytest.mark.parametrize(
    "text",
    [
        "calling: {days: []}",
        "calendars: {c: {zone: UTC, weekly: {}}}",
        "calendars: {c: {zone: UTC, weekly: {mon: []}}}",
    ],
)
def test_a_policy_under_which_nobody_could_ever_be_called_is_refused(text: str) -> None:
    with pytest.raises(BadDocument):
        read_policy(text, file="my.yaml")


def test_every_queue_that_the_policy_can_send_to_is_named_once() -> None:
    text = "routing: {default: b, routes: [{when: {channels: [x]}, queue: a}]}\nqueues: [{name: b}, {name: c}]"
    assert read_policy(text, file="my.yaml").queue_names == ("b", "a", "c")


def test_a_country_keeps_the_general_rules_that_it_does_not_change() -> None:
    rules = read_policy("calling: {holidays: true, countries: {FR: {days: [mon]}}}", file="my.yaml").calling
    assert rules.of("FR").days == ("mon",)
    assert rules.of("FR").window == rules.window
    assert rules.of("FR").holidays is True
    assert rules.of(None).days == rules.days


@pytest.mark.parametrize(
    "minutes", ["{owner_minutes: 15}", "{grace_minutes: 5}", "{owner_minutes: 30, grace_minutes: 20}"]
)
def test_an_owners_share_leaves_others_time_to_keep_a_promise(minutes: str) -> None:
    with pytest.raises(BadDocument, match="owner_minutes must be smaller than grace_minutes"):
        read_policy(f"promises: {minutes}", file="policy.yaml")
    read_policy("promises: {owner_minutes: 19, grace_minutes: 20}", file="policy.yaml")


def policy_with(text: str) -> Policy:
    return read_policy(text, file="policy.yaml")


def test_what_must_not_stand_beside_words_needs_the_words() -> None:
    with pytest.raises(BadDocument, match="comment_unless needs comment_mentions"):
        policy_with("scoring: {reasons: [{name: a, when: {comment_unless: [do not call]}}]}")


@pytest.mark.parametrize("phrase", ["*", "", " ", "* **", "\\u200b"])
def test_a_phrase_that_could_stand_nowhere_is_a_mistake(phrase: str) -> None:
    with pytest.raises(BadDocument, match="a phrase needs a word"):
        policy_with(f'scoring: {{no_call: {{comment_mentions: ["{phrase}"]}}}}')


def test_holidays_may_be_those_of_the_region_of_the_country_or_none() -> None:
    for written, kept in (("true", True), ("false", False), ("national", "national")):
        assert policy_with(f"calling: {{holidays: {written}}}").calling.of("GB").holidays == kept
    own = policy_with("calling: {holidays: true, countries: {IT: {holidays: national}}}").calling
    assert (own.of("GB").holidays, own.of("IT").holidays) == (True, "national")
    with pytest.raises(BadDocument, match="holidays"):
        policy_with("calling: {holidays: regional}")


def test_a_calendar_may_keep_the_holidays_of_a_part_of_a_country() -> None:
    text = "calendars: {{desk: {{zone: Europe/London, weekly: {{mon: [09:00-17:00]}}, holiday_countries: [{}]}}}}"
    easter_monday = datetime(2026, 4, 6, 12, tzinfo=UTC)
    assert hours_of_calendar(policy_with(text.format("GB")).calendars["desk"]).is_open(easter_monday)
    assert not hours_of_calendar(policy_with(text.format("GB-ENG")).calendars["desk"]).is_open(easter_monday)
    with pytest.raises(BadDocument, match="GB-ENG"):
        policy_with(text.format("GB-LONDON"))
