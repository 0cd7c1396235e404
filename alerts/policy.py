"""The one file that says how to score, route, time, retry and escalate. The shipped one is `alerts/policy.yaml`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Any, Literal, Self

import holidays
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alerts.calling_hours import public_holidays
from alerts.calling_hours.zones import is_zone
from alerts.conditions import When
from alerts.consistency import slips
from alerts.document import Section, read_document

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

LEGAL_FROM_MINUTE, LEGAL_UNTIL_MINUTE = 8 * 60, 21 * 60
"""The outer limit that no policy may exceed: 08:00-21:00 at the called party's place (47 CFR 64.1200(c)(1))."""

Minutes = Annotated[int, Field(ge=0, le=525_600)]
QueueName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Slot(Section):
    """Part of a day in local minutes since midnight, the end not included; 1440 is the next midnight."""

    start: int
    end: int


def _slot(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", value)
    if match is None:
        raise ValueError('this is not a part of a day; write it like "09:00-20:00"')
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if max(from_minute, to_minute) > 59 or not 0 <= start < end <= 1440:
        raise ValueError("this part of a day ends before it begins or is no time; write it like 09:00-20:00")
    return {"start": start, "end": end}


def _zone(value: Any) -> Any:
    if isinstance(value, str) and not is_zone(value):
        raise ValueError("this is not an IANA time zone; write one like Europe/London")
    return value


@cache
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries(include_aliases=False))


def _country(value: Any) -> Any:
    if not isinstance(value, str) or value in _countries():
        return value
    if value in holidays.list_supported_countries():  # it knows UK and USA too, as no customer's country is written
        raise ValueError("this is not the ISO 3166 code of two letters; write one like GB or US")
    raise ValueError("no holidays are known for this country; write an ISO 3166 code like GB")


def _holiday_place(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    _country(value.partition("-")[0])
    if not public_holidays.is_known(value):
        raise ValueError("no holidays are known for this part; write an ISO 3166 code like GB, or GB-ENG for a part")
    return value


def _legal(slot: Slot) -> Slot:
    if not LEGAL_FROM_MINUTE <= slot.start < slot.end <= LEGAL_UNTIL_MINUTE:
        raise ValueError("a calling window may not exceed 08:00-21:00; narrow it")
    return slot


DaySlot = Annotated[Slot, BeforeValidator(_slot)]
LegalSlot = Annotated[DaySlot, AfterValidator(_legal)]
Zone = Annotated[str, BeforeValidator(_zone)]
Country = Annotated[str, BeforeValidator(_country)]
HolidayPlace = Annotated[str, BeforeValidator(_holiday_place)]
Holidays = bool | Literal["national"]


class BoxThresholds(Section):
    """A survey's own border of the bottom box, on its own scale (0-6 of 10 for NPS detractors, say)."""

    survey: str
    bottom_at_most: int
    top_at_least: int | None = None


class ScoringReason(Section):
    """One named thing that makes a bad answer more pressing."""

    name: Word
    when: When


class Scoring(Section):
    severity_of_1: Annotated[int, Field(ge=0, le=100)] = 80
    severity_of_2: Annotated[int, Field(ge=0, le=100)] = 60
    priority_of_1: Annotated[int, Field(ge=1, le=5)] = 2
    priority_of_2: Annotated[int, Field(ge=1, le=5)] = 3
    per_reason: Annotated[int, Field(ge=0, le=100)] = 10
    lift_from_severity: Annotated[int, Field(ge=0, le=101)] = 90
    reasons: tuple[ScoringReason, ...] = ()
    no_call: When | None = None  # what a customer says who does not want to be phoned


class Route(Section):
    when: When
    queue: QueueName
    priority: Annotated[int, Field(ge=1, le=5)] | None = None


class Routing(Section):
    """Which queue; the first route that fits decides."""

    default: QueueName = "general"
    routes: tuple[Route, ...] = ()


class QueueRules(Section):
    """What is particular to one queue: its clock, and the calendar on which its targets count."""

    name: QueueName
    zone: Zone = "UTC"
    calendar: str | None = None


class Calendar(Section):
    """Opening hours: several slots a day, holidays by date and by country, and days that differ."""

    zone: Zone
    weekly: dict[Day, tuple[DaySlot, ...]]
    holidays: tuple[date, ...] = ()
    holiday_countries: tuple[HolidayPlace, ...] = ()  # GB: what all of it keeps; GB-ENG: what England keeps
    exceptions: dict[date, tuple[DaySlot, ...]] = {}

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if not any(self.weekly.values()):
            raise ValueError("this calendar never opens; give at least one day a slot in weekly")
        return self


class Order(Section):
    """The order of work: `rank_at = opened_at + allowance(priority) - lifts`; the smaller goes first."""

    allowance_minutes: tuple[Minutes, Minutes, Minutes, Minutes, Minutes] = (0, 60, 240, 480, 960)
    lift_minutes: dict[Word, Minutes] = {}  # by reason

    def allowance(self, priority: int) -> timedelta:
        return timedelta(minutes=self.allowance_minutes[priority - 1])


class Leases(Section):
    seconds: Annotated[int, Field(ge=5, le=3600)] = 900
    ceiling_seconds: Annotated[int, Field(ge=5, le=86_400)] = 3600
    held_at_most: Annotated[int, Field(ge=1, le=1000)] = 5
    skip_minutes: Minutes = 30  # a skipped callback is not offered to the same advisor for so long
    skip_reasons: tuple[Word, ...] = (
        "language",
        "knows_customer",
        "needs_specialist",
        "break",
    )  # others count as other


class Attempts(Section):
    maximum: Annotated[int, Field(ge=1, le=100)] = 3
    busy_minutes: Minutes = 15
    no_answer_minutes: Minutes = 120
    avoid_minutes: Minutes = 120  # never within so long of a time of day that failed


class CountryWindow(Section):
    """What a country's customers may be phoned on, where it differs from the general rule."""

    window: LegalSlot | None = None
    days: tuple[Day, ...] | None = None  # none at all: nobody there is ever called
    holidays: Holidays | None = None


class Calling(Section):
    """When a customer may be phoned, on the customer's clock."""

    window: LegalSlot = Slot(start=9 * 60, end=20 * 60)
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    holidays: Holidays = False  # True: no calls on holidays of the customer's region; "national": of the whole country
    countries: dict[Country, CountryWindow] = {}
    no_number: Literal["offer", "hold"] = "offer"

    def of(self, country: str | None) -> CountryWindow:
        """The rules for one country, with the general ones filled in."""
        own = self.countries.get(country or "", CountryWindow())
        return CountryWindow(
            window=own.window or self.window,
            days=self.days if own.days is None else own.days,
            holidays=self.holidays if own.holidays is None else own.holidays,
        )


class TargetOverride(Section):
    """Other promised times for one queue, one priority, or both."""

    queue: QueueName | None = None
    priority: Annotated[int, Field(ge=1, le=5)] | None = None
    first_attempt_minutes: Minutes | None = None
    contact_hours: Annotated[int, Field(ge=1)] | None = None
    resolution_hours: Annotated[int, Field(ge=1)] | None = None


class Targets(Section):
    """Promised times, counted from `opened_at`: the first attempt in business minutes, the others in wall time."""

    first_attempt_minutes_of_1: Minutes = 60
    first_attempt_minutes_of_2: Minutes = 240
    contact_hours: Annotated[int, Field(ge=1)] = 24
    resolution_hours: Annotated[int, Field(ge=1)] = 96
    overrides: tuple[TargetOverride, ...] = ()


class Promises(Section):
    """`owner_minutes`: how long a due promise is its owner's alone. `grace_minutes`: an attempt so long after counts as kept."""

    grace_minutes: Minutes = 15
    owner_minutes: Minutes = 5
    ahead_days: Annotated[int, Field(ge=1, le=90)] = 30
    assigned_hours: Annotated[int, Field(ge=1, le=720)] = 24  # so long an assigned callback is its owner's alone

    @model_validator(mode="after")
    def _others_come_in_time(self) -> Self:
        if self.owner_minutes >= self.grace_minutes:
            raise ValueError(
                "owner_minutes must be smaller than grace_minutes, or nobody else can keep a promise; lower owner_minutes"
            )
        return self


class EscalationStep(Section):
    percent: Annotated[int, Field(ge=1, le=1000)]
    to: Literal["owner", "lead", "manager"]
    withdraw_lease: bool = False


class Escalation(Section):
    """Steps on the way to the first unmet target, in per cent of it."""

    steps: tuple[EscalationStep, ...] = (
        EscalationStep(percent=50, to="owner"),
        EscalationStep(percent=100, to="lead"),
        EscalationStep(percent=150, to="manager", withdraw_lease=True),
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        percents = [step.percent for step in self.steps]
        if percents != sorted(set(percents)):
            raise ValueError("the steps must rise; write the smallest percentage first")
        return self


class RepeatPolicy(Section):
    """What a bad answer does when the customer's last callback was resolved not long ago."""

    days: Annotated[int, Field(ge=0, le=365)] = 30
    then: Literal["open_new", "reopen"] = "open_new"


class Causes(Section):
    """Why it happened: a closed list of drivers for each of the two kinds."""

    skill: tuple[Word, ...] = ("other",)
    operations: tuple[Word, ...] = ("other",)

    @model_validator(mode="after")
    def _has_other(self) -> Self:
        if "other" not in self.skill or "other" not in self.operations:
            raise ValueError('both lists need "other"; add it')
        return self


Watched = Literal["source", "queue", "channel", "team", "survey"]


class SignalRules(Section):
    """How often chance alone may call somebody (0: nothing is looked at), and what is looked at by itself."""

    alarms_a_month: Annotated[float, Field(ge=0, le=100)] = 1.0
    watch: tuple[Watched, ...] = ("source", "queue")
    zone: Zone = "UTC"  # whose hours of the week are compared


class ProblemRules(Section):
    """What becomes of a callback that a known problem explains."""

    lower_priority_by: Annotated[int, Field(ge=0, le=4)] = 0


class Policy(Section):
    """Everything an installation may decide about its callbacks."""

    name: str = "default"
    surveys: tuple[BoxThresholds, ...] = ()
    oldest_answer_hours: Annotated[int, Field(ge=1)] | None = None
    keep_raw_days: Annotated[int, Field(ge=1, le=3650)] | None = None  # the record of an answer, as it came
    scoring: Scoring = Scoring()
    routing: Routing = Routing()
    queues: tuple[QueueRules, ...] = ()
    calendars: dict[str, Calendar] = {}
    asked_not_to_be_called: Literal["hold_for_lead", "offer"] = "hold_for_lead"
    order: Order = Order()
    leases: Leases = Leases()
    attempts: Attempts = Attempts()
    calling: Calling = Calling()
    targets: Targets = Targets()
    promises: Promises = Promises()
    escalation: Escalation = Escalation()
    expire_after_days: Annotated[int, Field(ge=1, le=365)] = 14
    again: RepeatPolicy = RepeatPolicy()
    causes: Causes = Causes()
    checklist: tuple[Word, ...] = ()
    team_insights: Literal["off", "on"] = "off"  # figures of single advisors, for leads: it watches employees
    signals: SignalRules = SignalRules()
    problems: ProblemRules = ProblemRules()

    @property
    def version(self) -> str:
        """The same for the same values, in whatever file they stand; 16 hex digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @cached_property
    def queue_rules(self) -> dict[str, QueueRules]:
        return {rules.name: rules for rules in self.queues}

    def queue(self, name: str) -> QueueRules:
        """The rules of a queue; one that the policy does not name has the defaults."""
        return self.queue_rules.get(name) or QueueRules(name=name)

    @property
    def keeps_holidays(self) -> bool:
        """Whether anybody's public holidays count for anything."""
        called = (self.calling.holidays, *(each.holidays for each in self.calling.countries.values()))
        return any(called) or any(each.holiday_countries for each in self.calendars.values())

    @property
    def queue_names(self) -> tuple[str, ...]:
        """Every queue that this policy can send a callback to, each once."""
        return tuple(dict.fromkeys(self._queues_in_order()))

    def _queues_in_order(self) -> Iterator[str]:
        yield self.routing.default
        yield from (route.queue for route in self.routing.routes)
        yield from (rules.name for rules in self.queues)

    def cut(self, survey_id: str | None) -> BoxThresholds | None:
        return next((cut for cut in self.surveys if cut.survey == survey_id), None)


def read_policy(text: str, *, file: str) -> Policy:
    """The shipped policy with what `text` says instead; lists are replaced whole.

    Raises BadDocument, naming each line that must be mended.
    """
    return read_document(Policy, text, file=file, base=_shipped_text(), check=slips)


def shipped_policy() -> Policy:
    return read_document(Policy, _shipped_text(), file="policy.yaml", check=slips)


def _shipped_text() -> str:
    return resources.files("alerts").joinpath("policy.yaml").read_text(encoding="utf-8")
