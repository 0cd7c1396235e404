"""Who may ask, what they were answered, and who saw what."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from alerts.ledger.tables.common import EMPTY_LIST, NOW, Timestamp, identity, metadata, moment, required

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    required("name"),
    required("digest", LargeBinary),
    required("scopes", ARRAY(Text)),
    Column("advisor", Text),
    Column("queues", ARRAY(Text)),
    Column("languages", ARRAY(Text)),
    required("created_at", Timestamp, server_default=NOW),
    moment("expires_at"),
    moment("revoked_at"),
    UniqueConstraint("digest"),
    Index(None, "name"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    required("fingerprint", LargeBinary),
    required("status", SmallInteger),
    required("headers", JSONB),
    required("body", Text),
    required("customer_ids", ARRAY(BigInteger), server_default=EMPTY_LIST),  # whose data the body holds in full
    required("stored_at", Timestamp, server_default=NOW),
    Index(None, "stored_at"),
    Index(None, "customer_ids", postgresql_using="gin"),
)

audit = Table(
    "audit",
    metadata,
    identity(),
    required("at", Timestamp, server_default=NOW),
    required("principal"),
    required("action"),
    Column("customer_id", BigInteger),
    Column("callback_id", Uuid(as_uuid=False)),
    Column("subject", Text),  # what else it was about: `action <id>`, `signal <id>`, `problem <id>`
    Column("reason", Text),
    Index(None, "customer_id", "at"),
    Index(None, "subject", "at", postgresql_where=text("subject IS NOT NULL")),
)
