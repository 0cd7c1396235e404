"""A customer's row: read, locked, written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.customer import Customer
from alerts.errors import NotFound
from alerts.ledger.tables.customers import customers

MEMBERS = Customer.__struct_fields__
CUSTOMER = tuple(customers.c[name] for name in MEMBERS)


def read_customer(row: Row[Any]) -> Customer:
    mapping = row._mapping
    return customer_of({name: mapping[name] for name in MEMBERS})


def customer_of(facts: dict[str, Any]) -> Customer:
    """Of a row's columns, as the driver reads them."""
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


async def store_customer(connection: AsyncConnection, before: Customer, after: Customer) -> None:
    """Writes what has changed of a customer whose row is locked."""
    changes = {name: value for name, value in structs.asdict(after).items() if value != getattr(before, name)}
    if changes:
        await connection.execute(update(customers).where(customers.c.id == before.id).values(**changes))
