"""FastStream's batch subscriber with SQLAlchemy Core: up to 2,000 messages a call, one transaction, and then their offsets."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine


class CustomerData(BaseModel):
    id: str
    name: str | None = None
    time_zone: str | None = None
    language: str | None = None


class InteractionData(BaseModel):
    channel: str | None = None
    queue: str | None = None


class AnswerData(BaseModel):
    rating: int
    comment: str | None = None
    answered_at: datetime
    customer: CustomerData
    interaction: InteractionData


class Event(BaseModel):
    source: str
    id: str
    data: AnswerData


metadata = MetaData()
customers = Table(
    "customers",
    metadata,
    Column("id", Integer),
    *(Column(name, Text) for name in ("key", "name", "time_zone", "language")),
)
answers = Table(
    "answers",
    metadata,
    *(Column(name, Integer) for name in ("id", "customer_id", "rating")),
    *(Column(name, Text) for name in ("event_source", "event_id", "comment", "channel", "queue")),
    Column("answered_at", DateTime(timezone=True)),
)
callbacks = Table(
    "callbacks",
    metadata,
    *(Column(name, Integer) for name in ("id", "customer_id", "answer_id")),
    Column("closed_at", DateTime(timezone=True)),
)

# Rows are handed to execute() as a list, which is how SQLAlchemy's tutorial writes many; values() of a list is far slower.
_upsert = insert(customers)
KEEP_CUSTOMERS = _upsert.on_conflict_do_update(
    index_elements=["key"], set_={name: _upsert.excluded[name] for name in ("name", "time_zone", "language")}
).returning(customers.c.key, customers.c.id)
KEEP_ANSWERS = insert(answers).on_conflict_do_nothing().returning(answers.c.id, answers.c.customer_id, answers.c.rating)
OPEN_CALLBACKS = insert(callbacks).on_conflict_do_nothing()

engine = create_async_engine(os.environ["DATABASE"].replace("postgresql://", "postgresql+asyncpg://"))
broker = KafkaBroker(os.environ["KAFKA"])
app = FastStream(broker)


@broker.subscriber(
    os.environ["TOPIC"],
    group_id=os.environ["GROUP"],
    batch=True,
    max_records=2000,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
async def take(events: list[Event]) -> None:
    said = {each.data.customer.id: each.data.customer for each in events}
    async with engine.begin() as connection:
        kept = await connection.execute(KEEP_CUSTOMERS, [_customer(each) for each in said.values()])
        ids = {row.key: row.id for row in kept}
        new = await connection.execute(KEEP_ANSWERS, [_answer(each, ids[each.data.customer.id]) for each in events])
        bad = [{"customer_id": row.customer_id, "answer_id": row.id} for row in new if row.rating <= 2]
        if bad:
            await connection.execute(OPEN_CALLBACKS, bad)


def _customer(said: CustomerData) -> dict[str, Any]:
    return {"key": said.id, "name": said.name, "time_zone": said.time_zone, "language": said.language}


def _answer(event: Event, customer_id: int) -> dict[str, Any]:
    return {
        "event_source": event.source,
        "event_id": event.id,
        "customer_id": customer_id,
        "rating": event.data.rating,
        "comment": event.data.comment,
        "answered_at": event.data.answered_at,
        "channel": event.data.interaction.channel,
        "queue": event.data.interaction.queue,
    }


if __name__ == "__main__":
    asyncio.run(app.run())
