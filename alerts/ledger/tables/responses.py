"""Survey responses, and the alerts among them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from alerts.ledger.tables.common import EMPTY_LIST, EMPTY_OBJECT, NOW, Timestamp, identity, metadata, moment, required

responses = Table(
    "responses",
    metadata,
    identity(),
    required("event_source"),
    required("event_id"),
    required("source"),
    required("response_id"),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("survey_id", Text),
    Column("question", Text),
    required("rating", Integer),
    required("worst", Integer),
    required("best", Integer),
    required("points", SmallInteger),
    required("box"),
    required("outcome"),
    Column("suppressed", Text),  # why nobody phones: opted_out, too_old
    required("revises", Boolean, server_default=text("false")),  # we had a revision of this answer already
    Column("comment", Text),
    required("answered_at", Timestamp),
    required("revised_at", Timestamp),
    required("received_at", Timestamp, server_default=NOW),
    Column("interaction_id", Text),
    Column("channel", Text),
    Column("contact_queue", Text),
    Column("contact_reason", Text),
    Column("agent_id", Text),
    Column("agent_team", Text),
    moment("started_at"),
    moment("ended_at"),
    required("attributes", JSONB, server_default=EMPTY_OBJECT),
    required("flags", ARRAY(Text), server_default=EMPTY_LIST),
    required("absent", Integer, server_default=text("0")),  # which optional members it lacked: alerts.members
    required("value_hash", LargeBinary),
    required("content_hash", LargeBinary),
    required("topic"),
    required("partition", Integer),
    required("offset", BigInteger),
    required("recorded_at", Timestamp),  # the Kafka record's timestamp
    required("origin_partition", Integer),  # where it first stood in Kafka; of two revisions of one time the later wins
    required("origin_offset", BigInteger),
    UniqueConstraint("event_source", "event_id"),
    Index(None, "response_id", "event_source"),  # in this order it also finds an answer by its id alone
    Index(None, "interaction_id", postgresql_where=text("interaction_id IS NOT NULL")),
    Index(None, "customer_id", "answered_at"),
    Index(None, "answered_at"),  # for the insights, which ask for the answers of a day or a month
    # Few answers are revised. Whoever counts answers asks here, once, which of them a later row has replaced.
    Index(
        "responses_revising",
        "response_id",
        "event_source",
        postgresql_where=text("revises"),
        postgresql_include=["revised_at", "origin_partition", "origin_offset"],
    ),
    Index(None, "received_at", postgresql_using="brin"),  # rows come in this order, so a few bytes find a week
    CheckConstraint("points BETWEEN 1 AND 5", name="points"),
)

raw_records = Table(
    "raw_records",
    metadata,
    Column("response_id", BigInteger, ForeignKey("responses.id"), primary_key=True),
    required("kept_at", Timestamp, server_default=NOW),
    Column("key", LargeBinary),
    required("value", LargeBinary),
    required("headers", LargeBinary),  # JSON; as bytes, for a header may hold what no text does
    Index(None, "kept_at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("response_id", BigInteger, ForeignKey("responses.id"), primary_key=True),
    Column("callback_id", Uuid(as_uuid=False), ForeignKey("callbacks.id"), nullable=False),
    required("raised_at", Timestamp),
    required("severity", SmallInteger),
    required("reasons", ARRAY(Text)),
    Index(None, "callback_id"),
)
