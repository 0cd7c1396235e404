"""One message at a time with aiokafka and SQLAlchemy's ORM, as the first pages of both teach: a session and a transaction
for each message, and then its offset."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime

from aiokafka import AIOKafkaConsumer
from pydantic import BaseModel
from sqlalchemy import DateTime, ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


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


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    name: Mapped[str | None]
    time_zone: Mapped[str | None]
    language: Mapped[str | None]


class Answer(Base):
    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(primary_key=True)
    event_source: Mapped[str]
    event_id: Mapped[str]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    rating: Mapped[int]
    comment: Mapped[str | None]
    answered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    channel: Mapped[str | None]
    queue: Mapped[str | None]
    customer: Mapped[Customer] = relationship()


class Callback(Base):
    __tablename__ = "callbacks"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    customer: Mapped[Customer] = relationship()
    answer: Mapped[Answer] = relationship()


async def handle(session: AsyncSession, event: Event) -> None:
    known = select(Answer.id).where(Answer.event_source == event.source, Answer.event_id == event.id)
    if await session.scalar(known) is not None:
        return
    said = event.data.customer
    customer = await session.scalar(select(Customer).where(Customer.key == said.id))
    if customer is None:
        customer = Customer(key=said.id)
        session.add(customer)
    customer.name, customer.time_zone, customer.language = said.name, said.time_zone, said.language
    answer = Answer(
        event_source=event.source,
        event_id=event.id,
        customer=customer,
        rating=event.data.rating,
        comment=event.data.comment,
        answered_at=event.data.answered_at,
        channel=event.data.interaction.channel,
        queue=event.data.interaction.queue,
    )
    session.add(answer)
    if answer.rating <= 2:
        await session.flush()
        is_open = select(Callback.id).where(Callback.customer_id == customer.id, Callback.closed_at.is_(None))
        if await session.scalar(is_open) is None:
            session.add(Callback(customer=customer, answer=answer))


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE"].replace("postgresql://", "postgresql+asyncpg://"))
    sessions = async_sessionmaker(engine)
    consumer = AIOKafkaConsumer(
        os.environ["TOPIC"],
        bootstrap_servers=os.environ["KAFKA"],
        group_id=os.environ["GROUP"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async for message in consumer:
            event = Event.model_validate_json(message.value)
            async with sessions() as session, session.begin():
                await handle(session, event)
            await consumer.commit()
    finally:
        await consumer.stop()


asyncio.run(main())
