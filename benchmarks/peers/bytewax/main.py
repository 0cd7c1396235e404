"""A Bytewax dataflow: its Kafka source, batches of up to 2,000, and a sink that writes each in one transaction.

Where it stands in Kafka is kept in Bytewax's own recovery store, at the end of each epoch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import bytewax.operators as op
import psycopg
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from confluent_kafka import OFFSET_BEGINNING
from pydantic import BaseModel


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


CUSTOMERS = """
INSERT INTO customers (key, name, time_zone, language) VALUES (%s, %s, %s, %s)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone, language = excluded.language
"""
ANSWERS = """
INSERT INTO answers (event_source, event_id, customer_id, rating, comment, answered_at, channel, queue)
SELECT %s, %s, id, %s, %s, %s, %s, %s FROM customers WHERE key = %s ON CONFLICT DO NOTHING
"""
CALLBACKS = """
INSERT INTO callbacks (customer_id, answer_id)
SELECT customer_id, id FROM answers WHERE event_source = %s AND event_id = %s ON CONFLICT DO NOTHING
"""


class Ledger(StatelessSinkPartition[list[Event]]):
    def __init__(self) -> None:
        self.connection = psycopg.connect(os.environ["DATABASE"])

    def write_batch(self, items: list[list[Event]]) -> None:
        for events in items:
            with self.connection.transaction(), self.connection.cursor() as cursor:
                said = {each.data.customer.id: each.data.customer for each in events}
                cursor.executemany(CUSTOMERS, [(s.id, s.name, s.time_zone, s.language) for s in said.values()])
                cursor.executemany(ANSWERS, [_answer(each) for each in events])
                bad: Sequence[tuple[str, str]] = [(each.source, each.id) for each in events if each.data.rating <= 2]
                cursor.executemany(CALLBACKS, bad)

    def close(self) -> None:
        self.connection.close()


class LedgerSink(DynamicSink[list[Event]]):
    def build(self, step_id: str, worker_index: int, worker_count: int) -> Ledger:
        return Ledger()


def _answer(event: Event) -> tuple[object, ...]:
    data, contact = event.data, event.data.interaction
    told = (data.rating, data.comment, data.answered_at, contact.channel, contact.queue)
    return (event.source, event.id, *told, data.customer.id)


flow = Dataflow("answers")
source = KafkaSource([os.environ["KAFKA"]], [os.environ["TOPIC"]], starting_offset=OFFSET_BEGINNING, batch_size=2000)
messages = op.input("kafka", flow, source)
events = op.map("read", messages, lambda message: ("all", Event.model_validate_json(message.value)))
batches = op.collect("batch", events, timeout=timedelta(milliseconds=100), max_size=2000)
op.output("ledger", op.map("unkey", batches, lambda keyed: keyed[1]), LedgerSink())
