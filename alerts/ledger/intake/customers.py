"""The customers of a batch: known or new, locked in the order of their keys, with what the answers say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import attrgetter

import asyncpg
import msgspec
from msgspec import Struct

from alerts.customer import FACTS, Customer, learn
from alerts.identity import Handle, handle_of
from alerts.ledger.bulk import COPY_FROM, copy_records, encode, insert_sql, recordset
from alerts.ledger.connection.opening import Connection
from alerts.ledger.customers.record import MEMBERS, customer_of
from alerts.ledger.tables.customers import customers
from alerts.survey import SurveyResponse

# Whom do we know already? Their rows stay locked until the transaction ends, in the order of their keys: Python's, for those
# who are copied come in it, whatever the database sorts by. What refers to a customer may be written meanwhile: nothing here
# changes a key. Each is looked up, as in KNOWN_EVENTS.
LOCK_CUSTOMERS = (
    f"SELECT {', '.join(f'c.{name}' for name in MEMBERS)}"
    ' FROM (SELECT key FROM json_array_elements_text($1) AS key ORDER BY key COLLATE "C") AS wanted'
    " CROSS JOIN LATERAL (SELECT * FROM customers WHERE key = wanted.key FOR NO KEY UPDATE) AS c"
)

# Few are locked or made in one round trip. The array has every key that is known before the first row is made, so all these
# locks are taken before anybody is made, as always. Who is made by two batches at once waits here and is in neither answer, to
# be locked then; should two batches so wait for each other, one of them is taken in anew. Of a customer who is known, what the
# answers say goes to the server for nothing.
_MADE = ("key", *FACTS, "facts_as_of", "number_failed")
LOCK_OR_MAKE_CUSTOMERS = f"""
WITH held AS MATERIALIZED (
    SELECT {", ".join(f"c.{name}" for name in MEMBERS)}
    FROM (SELECT key FROM {recordset(customers, ("key",), parameter="$1")} ORDER BY key COLLATE "C") AS wanted
    CROSS JOIN LATERAL (SELECT * FROM customers WHERE key = wanted.key FOR NO KEY UPDATE) AS c
), made AS (
    {insert_sql(customers, _MADE, parameter="$1")} WHERE r.key <> ALL (ARRAY(SELECT key FROM held)) ORDER BY r.key COLLATE "C"
    ON CONFLICT (key) DO NOTHING RETURNING id, ref, key
)
SELECT (SELECT json_agg(held)::text FROM held), (SELECT json_agg(json_build_array(id, ref, key))::text FROM made)
"""

# By what will these many new ones be known?
NUMBER_CUSTOMERS = "SELECT nextval('customers_id_seq'), gen_random_uuid()::text FROM generate_series(1, $1)"

_CHANGING = (*FACTS, "facts_as_of", "number_failed")
UPDATE_CUSTOMERS = (
    f"UPDATE customers AS c SET {', '.join(f'{name} = r.{name}' for name in _CHANGING)}"
    f" FROM {recordset(customers, ('id', *_CHANGING), parameter='$1')} WHERE c.id = r.id"
)

# These said nothing new. But older news that comes later must not take its place.
DATE_FACTS = (
    "UPDATE customers AS c SET facts_as_of = r.facts_as_of"
    " FROM unnest($1::bigint[], $2::timestamptz[]) AS r (id, facts_as_of) WHERE c.id = r.id"
)

# Who is known by each of these numbers and addresses?
KNOWN_BY = "SELECT key, phone, email FROM customers WHERE phone = ANY ($1) OR email = ANY ($2)"

_NUMBERED = ("id", "ref", *_MADE)
_row = attrgetter(*_MADE)
_numbered_row = attrgetter(*_NUMBERED)
_facts = attrgetter(*FACTS, "number_failed")
_customers = msgspec.json.Decoder(list[Customer])
_made_rows = msgspec.json.Decoder(list[tuple[int, str, str]])


class Met(Struct, frozen=True):
    """The customer of each answer, in their order, locked; and the ids of those that this batch has made."""

    customers: list[Customer]
    made: frozenset[int]


async def meet_customers(
    driver: Connection, answers: Sequence[SurveyResponse], *, shared_sources: frozenset[str]
) -> Met:
    """With what all of the answers say of each. Different ids never merge. An answer with only a phone or an e-mail joins
    the one customer known by it, if there is exactly one (docs/surveys.md); so those with an id of their own are met first.
    """
    handles = [_handle(answer, shared_sources) for answer in answers]
    vague = [index for index, handle in enumerate(handles) if handle.kind in ("phone", "email")]
    certain = [index for index, handle in enumerate(handles) if handle.kind not in ("phone", "email")]
    keys = {index: handles[index].key for index in certain}
    known, made = await _meet(driver, answers, keys)
    if vague:
        others = await _known_by(driver, {handles[index] for index in vague})
        named = {index: _the_one(others.get(handles[index], []), handles[index]) for index in vague}
        also_known, also_made = await _meet(driver, answers, named)
        keys, known, made = keys | named, known | also_known, made | also_made
    return Met([known[keys[index]] for index in range(len(answers))], made)


def _handle(answer: SurveyResponse, shared_sources: frozenset[str]) -> Handle:
    handle = handle_of(answer, shared_sources=shared_sources)
    assert handle is not None, "an answer whose customer nobody could find again is no answer"
    return handle


async def _meet(
    driver: Connection, answers: Sequence[SurveyResponse], keys: Mapping[int, str]
) -> tuple[dict[str, Customer], frozenset[int]]:
    if not keys:
        return {}, frozenset()
    said: dict[str, list[SurveyResponse]] = {}
    for index, key in keys.items():
        said.setdefault(key, []).append(answers[index])
    before, made = {}, {}
    if len(said) >= COPY_FROM:
        before = await _lock_known(driver, list(said))
        made = await _copy_new(driver, {key: said[key] for key in said if key not in before})
    left = {key: said[key] for key in said if key not in before and key not in made}
    also_known, also_made = await _lock_or_make(driver, left)
    before, made = before | also_known, made | also_made
    before |= await _lock_known(driver, [key for key in said if key not in before and key not in made])
    after = {key: reduce(learn, said[key], customer) for key, customer in before.items()}
    await _store(driver, before, after)
    return made | after, frozenset(customer.id for customer in made.values())


async def _lock_or_make(
    driver: Connection, said: Mapping[str, list[SurveyResponse]]
) -> tuple[dict[str, Customer], dict[str, Customer]]:
    """Those that are known, as they are; and those that are new, with what is said of them. In neither are those that somebody
    else has made just now."""
    if not said:
        return {}, {}
    new = {key: reduce(learn, answers, Customer(id=0, ref="", key=key)) for key, answers in said.items()}
    row = await driver.fetchrow(
        LOCK_OR_MAKE_CUSTOMERS, encode([dict(zip(_MADE, _row(each), strict=True)) for each in new.values()])
    )
    assert row is not None
    known = {customer.key: customer for customer in _customers.decode(row[0] or "[]")}
    made = {key: new[key].evolve(id=id_, ref=ref) for id_, ref, key in _made_rows.decode(row[1] or "[]")}
    return known, made


async def _copy_new(driver: Connection, said: Mapping[str, list[SurveyResponse]]) -> dict[str, Customer]:
    """Nobody where they are few, or where COPY met somebody whom another batch has made just now: it cannot step over them."""
    if len(said) < COPY_FROM:
        return {}
    try:
        async with driver.transaction():
            return await _copy(driver, said)
    except asyncpg.UniqueViolationError:
        return {}


async def _copy(driver: Connection, said: Mapping[str, list[SurveyResponse]]) -> dict[str, Customer]:
    """In the order of their keys, as everybody does: who is made by two batches at once waits here."""
    numbers = await driver.fetch(NUMBER_CUSTOMERS, len(said))
    new = {
        key: reduce(learn, said[key], Customer(id=id_, ref=ref, key=key))
        for key, (id_, ref) in zip(sorted(said), numbers, strict=True)
    }
    await copy_records(driver, customers, _NUMBERED, [_numbered_row(customer) for customer in new.values()])
    return new


async def _store(driver: Connection, before: Mapping[str, Customer], after: Mapping[str, Customer]) -> None:
    changed, later = [], []
    for key, customer in after.items():
        if _facts(customer) != _facts(before[key]):
            changed.append(customer)
        elif customer.facts_as_of != before[key].facts_as_of:
            later.append(customer)
    if changed:
        await driver.execute(UPDATE_CUSTOMERS, encode(changed))
    if later:
        await driver.execute(DATE_FACTS, [each.id for each in later], [each.facts_as_of for each in later])


async def _lock_known(driver: Connection, keys: list[str]) -> dict[str, Customer]:
    if not keys:
        return {}
    found = (customer_of(dict(row)) for row in await driver.fetch(LOCK_CUSTOMERS, encode(keys)))
    return {customer.key: customer for customer in found}


def _the_one(candidates: Sequence[str], handle: Handle) -> str:
    return candidates[0] if len(candidates) == 1 else handle.key


async def _known_by(driver: Connection, handles: Iterable[Handle]) -> dict[Handle, list[str]]:
    """The keys of the customers known by each phone number or e-mail address."""
    phones = [handle.value for handle in handles if handle.kind == "phone"]
    emails = [handle.value for handle in handles if handle.kind == "email"]
    found: dict[Handle, list[str]] = {}
    for key, phone, email in await driver.fetch(KNOWN_BY, phones, emails):
        found.setdefault(Handle("phone", "", phone or ""), []).append(key)
        found.setdefault(Handle("email", "", email or ""), []).append(key)
    return found
