"""Which optional members an answer lacked and which could not be used, so that a broken mapping shows before it hurts.

Paths are those of docs/surveys.md. Nothing here holds what a member said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from operator import attrgetter, is_

from msgspec import Struct

from alerts.flags import BAD_NUMBER, dropped
from alerts.survey import SurveyResponse

MEMBERS = {
    "survey.id": "survey_id",
    "survey.question": "question",
    "comment": "comment",
    "customer.id": "customer.id",
    "customer.name": "customer.name",
    "customer.phone": "customer.phone",
    "customer.email": "customer.email",
    "customer.time_zone": "customer.time_zone",
    "customer.country": "customer.country",
    "customer.language": "customer.language",
    "customer.segment": "customer.segment",
    "customer.since": "customer.since",
    "customer.value": "customer.value",
    "interaction.id": "interaction.id",
    "interaction.channel": "interaction.channel",
    "interaction.queue": "interaction.queue",
    "interaction.reason": "interaction.reason",
    "interaction.agent.id": "interaction.agent_id",
    "interaction.agent.team": "interaction.agent_team",
    "interaction.started_at": "interaction.started_at",
    "interaction.ended_at": "interaction.ended_at",
    "attributes": "attributes",
}
"""Where each is found in a response. Their order is that of the bits in `responses.absent`: add at the end only."""

_of_interaction = attrgetter(*(name[12:] for name in MEMBERS.values() if name.startswith("interaction.")))
_of_customer = attrgetter(*(name[9:] for name in MEMBERS.values() if name.startswith("customer.")))

GROUPS = ("time", "response_id", "survey", "customer", "interaction", "interaction.agent")
"""What can be dropped besides: whole objects that were none, the event's time, and an answer's own id."""

DROPPABLE = (*MEMBERS, *GROUPS)
_BIT = {path: 1 << bit for bit, path in enumerate(MEMBERS)}
_PATHS = {dropped(path): path for path in DROPPABLE} | {BAD_NUMBER: "customer.phone"}


class Lack(Struct, frozen=True):
    """Stored `answers` of one source that lacked the same members (bits as in MEMBERS) and have the same flags."""

    source: str
    absent: int
    flags: Sequence[str]
    answers: int


class MemberCount(Struct, frozen=True, kw_only=True):
    """Of `answers` of a source, in how many a member was not there (`missing`), or was and could not be used (`dropped`)."""

    source: str
    field: str
    answers: int
    missing: int
    dropped: int


def dropped_members(flags: Iterable[str]) -> frozenset[str]:
    """The paths of what was there and could not be used, by an answer's flags."""
    return frozenset(_PATHS[flag] for flag in flags if flag in _PATHS)


def absent_members(response: SurveyResponse) -> int:
    """One bit for each of MEMBERS that the answer did not have, be it empty. What was dropped was there."""
    members = (
        *(response.survey_id, response.question, response.comment),
        *_of_customer(response.customer),
        *_of_interaction(response.interaction),
        response.attributes or None,
    )
    bits = _bits(tuple(map(is_, members, repeat(None))))
    for path in dropped_members(response.flags) & MEMBERS.keys() if response.flags else ():
        bits &= ~_BIT[path]
    return bits


@lru_cache(maxsize=1024)
def _bits(is_absent: tuple[bool, ...]) -> int:
    """Most answers of a source lack the same members."""
    return sum(1 << bit for bit, absent in enumerate(is_absent) if absent)


def count_members(lacks: Sequence[Lack]) -> list[MemberCount]:
    """By source and member, in the order of DROPPABLE; of GROUPS only those that were dropped."""
    answers, missing, unusable = Counter[str](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for each in lacks:
        answers[each.source] += each.answers
        for bit, path in enumerate(MEMBERS):
            missing[each.source, path] += each.answers * (each.absent >> bit & 1)
        for path in dropped_members(each.flags):
            unusable[each.source, path] += each.answers
    return [
        MemberCount(
            source=source,
            field=path,
            answers=answers[source],
            missing=missing[source, path],
            dropped=unusable[source, path],
        )
        for source in sorted(answers)
        for path in DROPPABLE
        if path in MEMBERS or unusable[source, path]
    ]
