"""What has happened to callbacks, and what of it leaves the house."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from alerts.ledger.tables.common import Timestamp, identity, metadata, moment, required

history = Table(
    "history",
    metadata,
    identity(),
    Column("callback_id", Uuid(as_uuid=False), ForeignKey("callbacks.id"), nullable=False),
    required("at", Timestamp),
    required("kind"),
    required("actor"),
    required("data", JSONB),
    Column("text", Text),
    required("measured", JSONB),
    required("version", Integer),
    Index(None, "callback_id", "id"),
    Index(None, "at", postgresql_using="brin"),  # rows come in this order, so a few bytes find a day or a month
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    # In the order of events. Two writers of one callback's events take turns at its row's lock, and a number is drawn while
    # the lock is held: so of one callback the earlier event has the smaller number. Across callbacks that is not so: a
    # smaller number may be committed later. Who carries news out looks for unsent rows, and never for "greater than the last".
    Column("sequence", BigInteger, Identity(always=True), nullable=False),
    required("type"),
    required("subject"),
    required("at", Timestamp),
    required("data", JSONB),
    moment("sent_at"),
    Index(None, "subject"),  # one callback's events that left, for those who compare them with its history
    Index("outbox_unsent", "sequence", postgresql_where=text("sent_at IS NULL")),
)
