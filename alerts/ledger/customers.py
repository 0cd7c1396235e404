"""Who has answered: one row per customer, found by handle, with the newest facts that answers or people gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.identity import Handle, handles_of
from alerts.ledger.json_rows import encode, insert_sql
from alerts.ledger.tables import customers
from alerts.survey import SurveyResponse

FACTS = ("name", "phone", "email", "time_zone", "country", "language", "segment", "since", "value")


class Known(Struct, frozen=True, kw_only=True):
    """What the ledger knows of a customer, as far as a new answer needs it."""

    id: int
    ref: str
    key: str
    phone: str | None
    number_status: str
    time_zone: str | None
    country: str | None
    language: str | None
    opted_out_at: datetime | None
    erased_at: datetime | None


def _newest(fact: str) -> str:
    """An answer that says nothing of a fact leaves it; older news does not overwrite newer (I8); a person's word stands."""
    return (
        f"{fact} = CASE WHEN customers.erased_at IS NOT NULL OR '{fact}' = ANY(customers.mended) THEN customers.{fact}"
        f" WHEN excluded.facts_as_of >= customers.facts_as_of THEN coalesce(excluded.{fact}, customers.{fact})"
        f" ELSE coalesce(customers.{fact}, excluded.{fact}) END"
    )


_COLUMNS = ("key", "source", *FACTS, "facts_as_of", "seen_at")

# Who are these customers? Made when new, else brought up to date; either way their rows stay locked until the
# transaction ends, in the order of their keys. So two batches that meet one new customer take turns.
MEET_CUSTOMERS = insert_sql(
    customers,
    _COLUMNS,
    "ORDER BY key ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(_newest(fact) for fact in FACTS)
    + ", facts_as_of = greatest(customers.facts_as_of, excluded.facts_as_of), seen_at = excluded.seen_at,"
    " number_status = CASE WHEN excluded.phone IS DISTINCT FROM customers.phone AND excluded.phone IS NOT NULL"
    " AND NOT 'phone' = ANY(customers.mended) AND excluded.facts_as_of >= customers.facts_as_of"
    " THEN 'ok' ELSE customers.number_status END"
    " RETURNING id, ref, key, phone, number_status, time_zone, country, language, opted_out_at, erased_at",
)


async def meet(
    connection: AsyncConnection,
    answers: Sequence[SurveyResponse],
    *,
    shared_sources: frozenset[str],
    now: datetime,
) -> list[Known]:
    """The customer of each answer, in the same order; each row is locked.

    Different ids never merge. An answer with only a phone or an e-mail joins the one customer known by it, if there
    is exactly one (docs/surveys.md); so those with an id of their own are met first.
    """
    handles = [handles_of(answer, shared_sources=shared_sources)[0] for answer in answers]
    vague = [index for index, handle in enumerate(handles) if handle.kind in ("phone", "email")]
    certain = [index for index, handle in enumerate(handles) if handle.kind not in ("phone", "email")]
    keys = {index: handles[index].key for index in certain}
    known = await _meet(connection, answers, keys, now)
    if vague:
        others = await _known_by(connection, {handles[index] for index in vague})
        keys |= {index: _the_one(others.get(handles[index], []), handles[index]) for index in vague}
        known |= await _meet(connection, answers, {index: keys[index] for index in vague}, now)
    return [known[keys[index]] for index in range(len(answers))]


def _the_one(candidates: Sequence[str], handle: Handle) -> str:
    return candidates[0] if len(candidates) == 1 else handle.key


async def _meet(
    connection: AsyncConnection, answers: Sequence[SurveyResponse], keys: dict[int, str], now: datetime
) -> dict[str, Known]:
    if not keys:
        return {}
    newest: dict[str, SurveyResponse] = {}
    for index, key in keys.items():
        if key not in newest or answers[index].revised_at >= newest[key].revised_at:
            newest[key] = answers[index]
    rows = [_row(key, answer, now) for key, answer in newest.items()]
    found = await connection.execute(MEET_CUSTOMERS, {"rows": encode(rows)})
    return {row.key: Known(**{**row._mapping, "ref": str(row.ref)}) for row in found}


def _row(key: str, answer: SurveyResponse, now: datetime) -> dict[str, Any]:
    facts = structs.asdict(answer.customer)
    email = (facts["email"] or "").strip().lower() or None
    return {
        "key": key,
        "source": answer.source,
        **{fact: facts[fact] for fact in FACTS},
        "email": email,
        "facts_as_of": answer.revised_at,
        "seen_at": now,
    }


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


LOCK_CUSTOMER = text("SELECT id FROM customers WHERE id = :id FOR UPDATE")


async def lock_customer(connection: AsyncConnection, customer_id: int) -> None:
    """Nobody opens, joins or closes this customer's callbacks by news while it is held. Always before a callback's lock."""
    await connection.execute(LOCK_CUSTOMER, {"id": customer_id})
