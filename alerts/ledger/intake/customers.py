"""The customers of a batch: known or new, locked in the order of their keys, with what the answers say of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.customer import FACTS, Customer, learn
from alerts.identity import Handle, handles_of
from alerts.ledger.bulk import encode, insert_returning, recordset
from alerts.ledger.customers.record import CUSTOMER, MEMBERS, read_customer
from alerts.ledger.tables.customers import customers
from alerts.survey import SurveyResponse

# -- the customers of a batch


# Whom do we know already? Their rows stay locked until the transaction ends, in the order of their keys.
LOCK_CUSTOMERS = text(
    f"SELECT {', '.join(MEMBERS)} FROM customers WHERE key = ANY (CAST(:keys AS text[])) ORDER BY key FOR UPDATE"
).columns(*CUSTOMER)

# Of those that are new, which were not made by somebody else just now? Who is made by two batches at once waits here.
_MAKE = "ORDER BY key ON CONFLICT (key) DO NOTHING RETURNING id, ref::text AS ref, key"

_CHANGING = (*FACTS, "facts_as_of", "number_failed")
UPDATE_CUSTOMERS = text(
    f"UPDATE customers AS c SET {', '.join(f'{name} = r.{name}' for name in _CHANGING)}"
    f" FROM {recordset(customers, ('id', *_CHANGING))} WHERE c.id = r.id"
)


async def upsert_customers(
    connection: AsyncConnection, answers: Sequence[SurveyResponse], *, shared_sources: frozenset[str]
) -> list[Customer]:
    """The customer of each answer, in the same order, with what all of the answers say of them; each row is locked.

    Different ids never merge. An answer with only a phone or an e-mail joins the one customer known by it, if there
    is exactly one (docs/surveys.md); so those with an id of their own are met first.
    """
    handles = [handles_of(answer, shared_sources=shared_sources)[0] for answer in answers]
    vague = [index for index, handle in enumerate(handles) if handle.kind in ("phone", "email")]
    certain = [index for index, handle in enumerate(handles) if handle.kind not in ("phone", "email")]
    keys = {index: handles[index].key for index in certain}
    known = await _meet(connection, answers, keys)
    if vague:
        others = await _known_by(connection, {handles[index] for index in vague})
        keys |= {index: _the_one(others.get(handles[index], []), handles[index]) for index in vague}
        known |= await _meet(connection, answers, {index: keys[index] for index in vague})
    return [known[keys[index]] for index in range(len(answers))]


async def _meet(
    connection: AsyncConnection, answers: Sequence[SurveyResponse], keys: dict[int, str]
) -> dict[str, Customer]:
    if not keys:
        return {}
    said: dict[str, list[SurveyResponse]] = {}
    for index, key in keys.items():
        said.setdefault(key, []).append(answers[index])
    before = await _lock_known(connection, list(said))
    made = await _make(connection, {key: said[key] for key in said if key not in before})
    before |= await _lock_known(connection, [key for key in said if key not in before and key not in made])
    after = {key: reduce(learn, said[key], customer) for key, customer in before.items()}
    changed = [customer for key, customer in after.items() if customer != before[key]]
    if changed:
        await connection.execute(UPDATE_CUSTOMERS, {"rows": encode(changed)})
    return made | after


async def _make(connection: AsyncConnection, said: dict[str, list[SurveyResponse]]) -> dict[str, Customer]:
    """Those that are new, with what is said of them; without those that somebody else has made just now."""
    new = {key: reduce(learn, answers, Customer(id=0, ref="", key=key)) for key, answers in said.items()}
    made = await insert_returning(connection, customers, [_row(customer) for customer in new.values()], _MAKE)
    return {row.key: new[row.key].evolve(id=row.id, ref=row.ref) for row in made or ()}


def _row(customer: Customer) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in MEMBERS if name not in ("id", "ref")}


async def _lock_known(connection: AsyncConnection, keys: list[str]) -> dict[str, Customer]:
    if not keys:
        return {}
    rows = await connection.execute(LOCK_CUSTOMERS, {"keys": keys})
    return {row.key: read_customer(row) for row in rows}


def _the_one(candidates: Sequence[str], handle: Handle) -> str:
    return candidates[0] if len(candidates) == 1 else handle.key


async def _known_by(connection: AsyncConnection, handles: Iterable[Handle]) -> dict[Handle, list[str]]:
    """The keys of the customers known by each phone number or e-mail address."""
    phones = [handle.value for handle in handles if handle.kind == "phone"]
    emails = [handle.value for handle in handles if handle.kind == "email"]
    query = select(customers.c.key, customers.c.phone, customers.c.email).where(
        or_(customers.c.phone.in_(phones), customers.c.email.in_(emails))
    )
    found: dict[Handle, list[str]] = {}
    for row in await connection.execute(query):
        found.setdefault(Handle("phone", "", row.phone or ""), []).append(row.key)
        found.setdefault(Handle("email", "", row.email or ""), []).append(row.key)
    return found
