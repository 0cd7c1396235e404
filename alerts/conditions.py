"""The `when:` of the policy file: what must be true of an answer for a rule to apply. All given parts must hold.

Words are compared without regard to upper and lower case.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import AfterValidator, Field, model_validator

from alerts.document import Section
from alerts.survey import SurveyResponse
from alerts.wording.language import is_within
from alerts.wording.words import Phrases, all_compiled, any_stands_in, has_a_word


def _phrase(words: str) -> str:
    if not has_a_word(words):
        raise ValueError("a phrase needs a word; write one like call me")
    return words


Phrase = Annotated[str, AfterValidator(_phrase)]


class When(Section):
    sources: tuple[str, ...] | None = None
    surveys: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    queues: tuple[str, ...] | None = None  # of the interaction
    contact_reasons: tuple[str, ...] | None = None
    segments: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    countries: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    value_at_least: float | None = None
    tenure_years_at_least: Annotated[int, Field(ge=0)] | None = None
    comment_mentions: tuple[Phrase, ...] | None = None  # any of these, as words; see alerts/wording/words.py
    comment_unless: tuple[Phrase, ...] = ()  # what is said in these does not count as mentioned
    attribute: dict[str, Any] | None = None
    bottom_box_within_days: Annotated[int, Field(ge=1)] | None = None  # an earlier one of the same customer

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if not self.model_fields_set:
            raise ValueError("this condition fits every answer; name at least one part")
        if self.comment_unless and self.comment_mentions is None:
            raise ValueError("comment_unless needs comment_mentions beside it; add it, or leave this out")
        return self

    def holds(self, response: SurveyResponse, last_bottom_box: datetime | None = None) -> bool:
        """`last_bottom_box`: when the customer's latest earlier bottom-box answer was given, if there is one."""
        return all(
            getattr(self, part) is None or PARTS[part](self, response, last_bottom_box)
            for part in self.model_fields_set
        )

    def _value_holds(self, value: float | None) -> bool:
        return self.value_at_least is None or (value is not None and value >= self.value_at_least)

    def _tenure_holds(self, response: SurveyResponse) -> bool:
        """Years are full on the anniversary."""
        since, day = response.customer.since, response.answered_at.date()
        if self.tenure_years_at_least is None or since is None:
            return self.tenure_years_at_least is None
        years = day.year - since.year - ((day.month, day.day) < (since.month, since.day))
        return years >= self.tenure_years_at_least

    def _comment_holds(self, comment: str | None) -> bool:
        return self.comment_mentions is None or any_stands_in(comment, *self._phrases)

    @cached_property
    def _phrases(self) -> tuple[Phrases, Phrases]:
        return all_compiled(self.comment_mentions or ()), all_compiled(self.comment_unless)

    def _repeat_holds(self, answered_at: datetime, last_bottom_box: datetime | None) -> bool:
        if self.bottom_box_within_days is None:
            return True
        if last_bottom_box is None:
            return False
        return abs(answered_at - last_bottom_box) <= timedelta(days=self.bottom_box_within_days)


@lru_cache(maxsize=4096)
def _plain(words: str) -> str:
    """For comparing: upper and lower case alike, and each accented letter written in one way."""
    return normalize("NFC", normalize("NFC", words).casefold())


def _is_one_of(value: str | None, allowed: tuple[str, ...]) -> bool:
    return value is not None and _plain(value) in map(_plain, allowed)


def _has_all(attributes: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(key in attributes and attributes[key] == value for key, value in wanted.items())


PARTS: dict[str, Callable[[When, SurveyResponse, datetime | None], bool]] = {
    "sources": lambda when, said, last: _is_one_of(said.source, when.sources or ()),
    "surveys": lambda when, said, last: _is_one_of(said.survey_id, when.surveys or ()),
    "channels": lambda when, said, last: _is_one_of(said.interaction.channel, when.channels or ()),
    "queues": lambda when, said, last: _is_one_of(said.interaction.queue, when.queues or ()),
    "contact_reasons": lambda when, said, last: _is_one_of(said.interaction.reason, when.contact_reasons or ()),
    "segments": lambda when, said, last: _is_one_of(said.customer.segment, when.segments or ()),
    "countries": lambda when, said, last: _is_one_of(said.customer.country, when.countries or ()),
    "teams": lambda when, said, last: _is_one_of(said.interaction.agent_team, when.teams or ()),
    "languages": lambda when, said, last: is_within(said.customer.language, when.languages or ()),
    "value_at_least": lambda when, said, last: when._value_holds(said.customer.value),
    "tenure_years_at_least": lambda when, said, last: when._tenure_holds(said),
    "comment_mentions": lambda when, said, last: when._comment_holds(said.comment),
    "comment_unless": lambda when, said, last: True,  # goes with comment_mentions
    "attribute": lambda when, said, last: _has_all(said.attributes, when.attribute or {}),
    "bottom_box_within_days": lambda when, said, last: when._repeat_holds(said.answered_at, last),
}
"""What is asked of an answer by each part that a condition names; of the others nothing is."""


def is_narrower(one: When, other: When) -> bool:
    """Whether whatever fits `one` must fit `other` too, by what is written in them; False where that cannot be told."""
    return all(_part_is_narrower(name, one, other) for name in other.model_fields_set if name != "comment_unless")


def _part_is_narrower(name: str, one: When, other: When) -> bool:
    narrow, wide = getattr(one, name), getattr(other, name)
    if wide is None:
        return True
    if narrow is None:
        return False
    match name:
        case "value_at_least" | "tenure_years_at_least":
            return bool(narrow >= wide)
        case "bottom_box_within_days":
            return bool(narrow <= wide)
        case "attribute":
            return _has_all(narrow, wide)
        case "comment_mentions":
            return set(narrow) <= set(wide) and set(other.comment_unless) <= set(one.comment_unless)
        case _:
            return set(map(_plain, narrow)) <= set(map(_plain, wide))
