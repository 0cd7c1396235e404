"""Where every consumed offset ended, what was set aside, and what platforms pushed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from alerts.ledger.tables.common import NOW, Timestamp, identity, metadata, moment, required

partitions = Table(
    "partitions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),  # a topic that was made anew begins a new one
    required("first_offset", BigInteger),
    required("next_offset", BigInteger),
    required("outcomes", JSONB),
    required("skipped", BigInteger),
    required("seen_again", BigInteger),
    required("moved_at", Timestamp, server_default=NOW),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    identity(),
    required("topic"),
    required("partition", Integer),
    required("offset", BigInteger),
    required("recorded_at", Timestamp),
    required("reason"),
    Column("field", Text),
    required("detail"),
    Column("source", Text),
    required("failed_at", Timestamp, server_default=NOW),
    Column("dead_topic", Text),
    Column("dead_partition", Integer),
    Column("dead_offset", BigInteger),
    moment("redriven_at"),
    Column("redriven_by", Text),
    moment("gone_at"),  # Kafka no longer keeps it: it cannot be sent again
    UniqueConstraint("topic", "partition", "offset", "recorded_at"),
)

received_webhooks = Table(
    "received_webhooks",
    metadata,
    Column("source", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # of the delivery's id and body
    required("received_at", Timestamp, server_default=NOW),
    Index(None, "received_at"),
)

notices = Table(
    "notices",
    metadata,
    Column("source", Text, primary_key=True),
    Column("notice_id", Text, primary_key=True),
    required("topic"),
    required("partition", Integer),
    required("offset", BigInteger),
    required("recorded_at", Timestamp),
    Column("key", LargeBinary),
    Column("value", LargeBinary),  # gone once it was fetched or given up
    Column("headers", LargeBinary),  # JSON; as bytes, for a header may hold what no text does
    required("state", server_default=text("'waiting'")),  # waiting, fetched, failed
    required("tries", Integer, server_default=text("0")),  # tells one lease from another
    required("failures", Integer, server_default=text("0")),  # of the platform
    required("due_at", Timestamp, server_default=NOW),  # of a leased one: when another worker may have it
    Index(None, "source", "due_at", postgresql_where=text("state = 'waiting'")),
)
