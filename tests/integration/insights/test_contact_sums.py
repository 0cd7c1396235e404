"""Contacts are counted beforehand, and nobody can tell: first-contact resolution is what counting by hand gives, always."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from alerts.ledger.insights import repeats, sums
from alerts.ledger.insights.sums import AnswerSums
from alerts.survey import Interaction, Respondent
from tests.integration.api.front import NOON, Front, good
from tests.integration.insights.byhand import DAY, Mention, first_contacts, is_close, utc
from tests.parts.effort import times

PATH = "/v1/insights/repeats"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "AT_ONCE", 7)


class Callers:
    """Customers who call again and again, some of them without a name, as whoever throws the dice remembers them."""

    def __init__(self, front: Front, seed: int) -> None:
        self.front, self.dice = front, random.Random(seed)
        self.newest: dict[str, tuple[datetime, int, Mention]] = {}
        self.named: set[str] = set()
        self.nameless: set[str] = set()
        self.erased: set[str] = set()

    def batch(self) -> Iterator[Any]:
        """Answers about contacts new and old, two at one moment among them, and revisions that say another time or contact."""
        for _ in range(self.dice.randint(1, 10)):
            caller = f"c-{self.dice.randint(1, 12)}"
            answer = self.front.answer(caller, rating=5)
            known = sorted(self.newest)
            name = self.dice.choice(known) if known and self.dice.random() < 0.4 else answer.response.response_id
            at = NOON - self.dice.choice([self.dice.random() * 12 * DAY, self.dice.randint(1, 12) * DAY])
            contact = self.dice.choice([None, f"{caller}/{self.dice.randint(1, 5)}"])
            response = msgspec.structs.replace(
                answer.response,
                response_id=name,
                answered_at=at,
                revised_at=NOON - self.dice.random() * DAY,
                interaction=Interaction(id=contact),
            )
            if contact and caller in ("c-1", "c-2"):
                response = msgspec.structs.replace(response, customer=Respondent())
                self.nameless.add(contact)
            else:
                self.named.add(caller)
            if response.customer.id not in self.erased:  # of them nothing new is kept
                self._remember(name, (response.revised_at, answer.address.offset), Mention(at, caller, contact or ""))
            yield msgspec.structs.replace(answer, response=response)

    def _remember(self, name: str, place: tuple[datetime, int], mention: Mention) -> None:
        if name not in self.newest or place > self.newest[name][:2]:
            self.newest[name] = (*place, mention)

    async def erase(self) -> None:
        caller = self.dice.choice(sorted(self.named))
        self.erased.add(caller)
        await self.front.run(f"UPDATE customers SET erased_at = ledger_now() WHERE key LIKE '%{caller}'")

    @property
    def mentions(self) -> list[Mention]:
        return [
            each
            for _, _, each in self.newest.values()
            if each.contact and each.contact not in self.nameless and each.customer not in self.erased
        ]

    async def check(self, reader: httpx.AsyncClient) -> None:
        since, until = sorted(
            (NOON - self.dice.random() * 14 * DAY, NOON - self.dice.choice([0, self.dice.random() * 5]) * DAY)
        )
        days = self.dice.choice([1, 1, 2, 3, 7])
        query: dict[str, str | int] = {"from": utc(since), "to": utc(until), "days": days}
        items = good(await reader.get(PATH, params=query))["items"]
        found = [{"value": item["value"], "share": item["share"]} for item in items]
        assert is_close(found, first_contacts(self.mentions, since, until, days)), query


@pytest.mark.parametrize("seed", range(times(10)))
async def test_whatever_is_in_the_sums_already_the_contacts_are_those_counted_by_hand(front: Front, seed: int) -> None:
    callers, adding = Callers(front, seed), AnswerSums(front.engine)
    reader = await front.key("callbacks:read")
    for _ in range(25):
        await front.answers(list(callers.batch()))
        for _ in range(callers.dice.choice([0, 0, 1, 3])):
            await adding.add()
        if callers.dice.random() < 0.05:
            await callers.erase()
        await callers.check(reader)
    while (await front.sql(sums.BEHIND.text))[0][0]:
        await adding.add()
    for _ in range(5):
        await callers.check(reader)
    assert await front.sql("SELECT * FROM contact_sums WHERE contacts < 0") == []


async def test_far_behind_the_answers_themselves_are_read(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "AT_ONCE", 3)
    reader = await front.key("callbacks:read")
    then = NOON - 20 * DAY
    await front.answers([front.answer(f"c-{n}", rating=5, interaction=f"i-{n}", answered_at=then) for n in range(4)])
    with front.statements() as asked:
        [item] = good(await reader.get(PATH))["items"]
    assert item["share"]["of"] == 4
    assert not any("contact_sums" in statement for statement in asked)


async def test_the_last_days_and_hours_that_are_cut_are_read_from_the_answers(front: Front) -> None:
    adding, reader = AnswerSums(front.engine), await front.key("callbacks:read")
    minute = timedelta(minutes=1)
    moments = [NOON - 10 * DAY + n * 20 * minute for n in range(6)]
    await front.answers(
        [front.answer(f"c-{n}", rating=5, interaction=f"i-{n}", answered_at=at) for n, at in enumerate(moments)]
    )
    for _ in range(6):
        await adding.add()
    for start, end in [(0, 6), (1, 5), (2, 3), (1, 2), (4, 6)]:
        query: dict[str, str | int] = {
            "from": utc(moments[0] + start * 20 * minute),
            "to": utc(moments[0] + end * 20 * minute + 7 * DAY),
        }
        [item] = good(await reader.get(PATH, params=query))["items"]
        assert item["share"]["of"] == end - start
