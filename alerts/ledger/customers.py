"""The rows of customers: found by handle, made or brought up to date by answers, written when a person knows better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from msgspec import structs
from sqlalchemy import Row, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.customer import FACTS, Customer, learn
from alerts.errors import NotFound
from alerts.identity import Handle, handles_of
from alerts.ledger.json_rows import encode, insert_sql, recordset
from alerts.ledger.tables import customers, responses
from alerts.survey import SurveyResponse

MEMBERS = Customer.__struct_fields__
CUSTOMER = tuple(customers.c[name] for name in MEMBERS)


def read_customer(row: Row[Any]) -> Customer:
    mapping = row._mapping
    facts = {name: mapping[name] for name in MEMBERS}
    return Customer(**{**facts, "ref": str(facts["ref"]), "corrected": tuple(facts["corrected"])})


# -- one customer


async def customer_by_ref(connection: AsyncConnection, ref: str, *, lock: bool = False) -> Customer:
    """Raises NotFound."""
    query = select(*CUSTOMER).where(customers.c.ref == ref)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound("there is no such customer")
    return read_customer(row)


async def lock_customer(connection: AsyncConnection, customer_id: int) -> Customer:
    """Nobody opens, joins or closes this customer's callbacks by news while it is held. Always before a callback's lock."""
    query = select(*CUSTOMER).where(customers.c.id == customer_id).with_for_update()
    return read_customer((await connection.execute(query)).one())


async def customers_by_id(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Customer]:
    rows = await connection.execute(select(*CUSTOMER).where(customers.c.id.in_(ids)))
    return {row.id: read_customer(row) for row in rows}


async def find_customer(connection: AsyncConnection, handles: Sequence[Handle]) -> Customer | None:
    """Whom the first handle that is known names; a phone or an e-mail only when it names one customer alone."""
    for handle in handles:
        exact = select(*CUSTOMER).where(customers.c.key == handle.key)
        row = (await connection.execute(exact)).one_or_none() or await _only_one(connection, handle)
        if row is not None:
            return read_customer(row)
    return None


async def _only_one(connection: AsyncConnection, handle: Handle) -> Row[Any] | None:
    query = select(*CUSTOMER).limit(2)
    if handle.kind == "interaction":
        rated = select(responses.c.customer_id).where(
            responses.c.interaction_id == handle.value, responses.c.source == handle.scope
        )
        query = query.where(customers.c.id.in_(rated))
    elif handle.kind in ("phone", "email"):
        query = query.where(customers.c[handle.kind] == handle.value)
    else:
        return None
    rows = (await connection.execute(query)).all()
    return rows[0] if len(rows) == 1 else None


async def store_customer(connection: AsyncConnection, before: Customer, after: Customer) -> None:
    """Writes what has changed of a customer whose row is locked."""
    changes = {name: value for name, value in structs.asdict(after).items() if value != getattr(before, name)}
    if changes:
        await connection.execute(update(customers).where(customers.c.id == before.id).values(**changes))


# -- the customers of a batch


# Whom do we know already? Their rows stay locked until the transaction ends, in the order of their keys.
LOCK_CUSTOMERS = text(
    f"SELECT {', '.join(MEMBERS)} FROM customers WHERE key = ANY (CAST(:keys AS text[])) ORDER BY key FOR UPDATE"
).columns(*CUSTOMER)

# Of those that are new, which were not made by somebody else just now? Who is made by two batches at once waits here.
_NEW = tuple(name for name in MEMBERS if name not in ("id", "ref"))
INSERT_CUSTOMERS = insert_sql(
    customers, _NEW, f"ORDER BY key ON CONFLICT (key) DO NOTHING RETURNING {', '.join(MEMBERS)}"
).columns(*CUSTOMER)

_CHANGING = (*FACTS, "facts_as_of", "number_failed")
UPDATE_CUSTOMERS = text(
    f"UPDATE customers AS c SET {', '.join(f'{name} = r.{name}' for name in _CHANGING)}"
    f" FROM {recordset(customers, ('id', *_CHANGING))} WHERE c.id = r.id"
)


async def meet_customers(
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
    before = await _lock(connection, said)
    after = {key: reduce(learn, said[key], customer) for key, customer in before.items()}
    changed = [customer for key, customer in after.items() if customer != before[key]]
    if changed:
        await connection.execute(UPDATE_CUSTOMERS, {"rows": encode(changed)})
    return after


async def _lock(connection: AsyncConnection, said: dict[str, list[SurveyResponse]]) -> dict[str, Customer]:
    """The rows of these customers; those that are new are made with what is said of them, once and for all."""
    found = await _lock_known(connection, list(said))
    new = {key: reduce(learn, said[key], _unknown(key)) for key in said if key not in found}
    if new:
        made = await connection.execute(INSERT_CUSTOMERS, {"rows": encode(list(new.values()))})
        found |= {row.key: read_customer(row) for row in made}
        if late := [key for key in new if key not in found]:
            found |= await _lock_known(connection, late)
    return found


async def _lock_known(connection: AsyncConnection, keys: list[str]) -> dict[str, Customer]:
    rows = await connection.execute(LOCK_CUSTOMERS, {"keys": keys})
    return {row.key: read_customer(row) for row in rows}


def _unknown(key: str) -> Customer:
    return Customer(id=0, ref="", key=key)


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
