"""The tables. `migrations/` makes them; a test keeps both equal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from alerts.callback import OPEN_STATES, State

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

NOW = text("ledger_now()")
EMPTY_LIST = text("'{}'")
EMPTY_OBJECT = text("'{}'::jsonb")
Moment = DateTime(timezone=True)
OPEN = "state IN ({})".format(", ".join(f"'{state}'" for state in OPEN_STATES))


def _id() -> Column[Any]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _moment(name: str) -> Column[Any]:
    return Column(name, Moment)


def _needed(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)


queues = Table(
    "queues",
    metadata,
    Column("name", Text, primary_key=True),
    _moment("paused_at"),
    Column("paused_by", Text),
    Column("paused_reason", Text),
)

customers = Table(
    "customers",
    metadata,
    _id(),
    _needed("ref", Uuid(as_uuid=False), server_default=text("gen_random_uuid()")),
    _needed("key"),  # alerts.identity.Handle.key: one row per customer, whoever meets them first
    Column("name", Text),
    Column("phone", Text),  # E.164
    _needed("number_failed", Boolean, server_default=text("false")),  # what we have or were given does not reach them
    Column("email", Text),
    Column("time_zone", Text),
    Column("country", Text),
    Column("language", Text),
    Column("segment", Text),
    Column("since", Date),
    Column("value", Double),
    _needed("facts_as_of", Moment),  # the answer that these facts come from; older news does not overwrite newer
    _needed("corrected", ARRAY(Text), server_default=EMPTY_LIST),  # what a person put right; answers leave it alone
    _moment("opted_out_at"),
    _moment("erased_at"),
    UniqueConstraint("ref"),
    UniqueConstraint("key"),
    Index(None, "phone", postgresql_where=text("phone IS NOT NULL")),
    Index(None, "email", postgresql_where=text("email IS NOT NULL")),
)

responses = Table(
    "responses",
    metadata,
    _id(),
    _needed("event_source"),
    _needed("event_id"),
    _needed("source"),
    _needed("response_id"),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("survey_id", Text),
    Column("question", Text),
    _needed("rating", Integer),
    _needed("worst", Integer),
    _needed("best", Integer),
    _needed("points", SmallInteger),
    _needed("box"),
    _needed("outcome"),
    Column("suppressed", Text),  # why nobody phones: opted_out, too_old
    Column("comment", Text),
    _needed("answered_at", Moment),
    _needed("revised_at", Moment),
    _needed("received_at", Moment, server_default=NOW),
    Column("interaction_id", Text),
    Column("channel", Text),
    Column("contact_queue", Text),
    Column("contact_reason", Text),
    Column("agent_id", Text),
    Column("agent_team", Text),
    _moment("started_at"),
    _moment("ended_at"),
    _needed("attributes", JSONB, server_default=EMPTY_OBJECT),
    _needed("flags", ARRAY(Text), server_default=EMPTY_LIST),
    _needed("value_hash", LargeBinary),
    _needed("content_hash", LargeBinary),
    _needed("topic"),
    _needed("partition", Integer),
    _needed("offset", BigInteger),
    _needed("recorded_at", Moment),  # the Kafka record's timestamp
    _needed("origin_partition", Integer),  # where it first stood in Kafka; of two revisions of one time the later wins
    _needed("origin_offset", BigInteger),
    UniqueConstraint("event_source", "event_id"),
    Index(None, "response_id", "event_source"),  # in this order it also finds an answer by its id alone
    Index(None, "interaction_id", postgresql_where=text("interaction_id IS NOT NULL")),
    Index(None, "customer_id", "answered_at"),
    CheckConstraint("points BETWEEN 1 AND 5", name="points"),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("previous_id", Uuid(as_uuid=False)),
    _needed("state"),
    Column("closed_reason", Text),
    _needed("version", Integer),
    _needed("queue"),
    _needed("source"),
    Column("language", Text),
    _needed("points", SmallInteger),
    _needed("severity", SmallInteger),
    _needed("priority", SmallInteger),
    _needed("reasons", ARRAY(Text)),
    _needed("flags", ARRAY(Text)),
    _needed("opened_at", Moment),
    _needed("clock_from", Moment),
    _needed("rank_at", Moment),
    _needed("band", SmallInteger),
    _needed("due_from", Moment),
    _needed("expires_at", Moment),
    _needed("zones", ARRAY(Text)),
    Column("country", Text),
    _moment("callable_from"),
    _moment("callable_until"),
    _needed("callable_reason"),
    _needed("ready", Boolean),
    _moment("not_before"),
    _needed("avoid", ARRAY(Moment)),
    _moment("wake_at"),
    _needed("lease_number", Integer),
    Column("lease_token", Text),
    Column("lease_holder", Text),
    _moment("lease_claimed_at"),
    _moment("lease_expires_at"),
    _needed("skips", JSONB),
    Column("owner", Text),
    _moment("owner_until"),
    _moment("promise_at"),
    _moment("promise_until"),
    Column("promise_state", Text),
    _moment("due_first_attempt"),
    _moment("due_contact"),
    _moment("due_resolution"),
    _needed("targets", JSONB),
    _needed("escalated_steps", SmallInteger),
    _needed("attempts_count", Integer),
    _needed("failed_count", Integer),
    _moment("claimed_at"),
    _moment("first_attempt_at"),
    _moment("contacted_at"),
    _moment("ended_at"),
    Column("cause_kind", Text),
    Column("cause_driver", Text),
    Column("outcome", Text),
    _needed("checklist", JSONB),
    CheckConstraint("state IN ({})".format(", ".join(f"'{state}'" for state in State)), name="state"),
    CheckConstraint(f"(state = '{State.LEASED}') = (lease_token IS NOT NULL)", name="leased_has_a_token"),
    CheckConstraint(f"(state = '{State.CLOSED}') = (closed_reason IS NOT NULL)", name="closed_has_a_reason"),
    CheckConstraint(f"({OPEN}) = (ended_at IS NULL)", name="ended_has_a_moment"),
    CheckConstraint(f"({OPEN}) = (wake_at IS NOT NULL)", name="open_is_looked_at_again"),
    CheckConstraint(f"NOT ready OR state = '{State.WAITING}'", name="only_waiting_is_ready"),
    # I2, in the database: one open callback per customer.
    Index("callbacks_one_open_per_customer", "customer_id", unique=True, postgresql_where=text(OPEN)),
    # The claim reads this and nothing else.
    Index(
        "callbacks_claim",
        "queue",
        "band",
        "rank_at",
        "id",
        postgresql_where=text(f"state = '{State.WAITING}' AND ready"),
    ),
    # When does the next one become callable? For the answer to a claim that finds nothing.
    Index(
        "callbacks_next_callable",
        "queue",
        "callable_from",
        postgresql_where=text(f"state = '{State.WAITING}' AND NOT ready"),
    ),
    Index("callbacks_promised", "queue", "promise_at", postgresql_where=text(f"state = '{State.SCHEDULED}'")),
    Index("callbacks_wake", "wake_at", "band", "rank_at", postgresql_where=text("wake_at IS NOT NULL")),
    Index("callbacks_held", "lease_holder", postgresql_where=text(f"state = '{State.LEASED}'")),
    Index("callbacks_work_order", "band", "rank_at", "id"),
    Index("callbacks_opened_at", "opened_at", "id"),
    Index("callbacks_customer", "customer_id", "opened_at"),
    postgresql_with={
        "fillfactor": "70",  # room for the many small updates of one callback on its own page
        "autovacuum_vacuum_scale_factor": "0.01",
        "autovacuum_vacuum_cost_delay": "0",
    },
)

alerts = Table(
    "alerts",
    metadata,
    Column("response_id", BigInteger, ForeignKey("responses.id"), primary_key=True),
    Column("callback_id", Uuid(as_uuid=False), ForeignKey("callbacks.id"), nullable=False),
    _needed("raised_at", Moment),
    _needed("severity", SmallInteger),
    _needed("reasons", ARRAY(Text)),
    Index(None, "callback_id"),
)

attempts = Table(
    "attempts",
    metadata,
    _id(),
    Column("callback_id", Uuid(as_uuid=False), ForeignKey("callbacks.id"), nullable=False),
    _needed("number", Integer),
    _needed("result"),
    _needed("advisor"),
    _needed("started_at", Moment),
    _moment("ended_at"),
    _needed("recorded_at", Moment, server_default=NOW),
    Column("note", Text),
    _needed("outside_window", Boolean),
    UniqueConstraint("callback_id", "number"),
)

history = Table(
    "history",
    metadata,
    _id(),
    Column("callback_id", Uuid(as_uuid=False), ForeignKey("callbacks.id"), nullable=False),
    _needed("at", Moment),
    _needed("kind"),
    _needed("actor"),
    _needed("data", JSONB),
    Column("text", Text),
    _needed("measured", JSONB),
    _needed("version", Integer),
    Index(None, "callback_id", "id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    # In the order of events. Two writers of one callback's events take turns at its row's lock, and a number is drawn while
    # the lock is held: so of one callback the earlier event has the smaller number. Across callbacks that is not so: a
    # smaller number may be committed later. Who carries news out looks for unsent rows, and never for "greater than the last".
    Column("sequence", BigInteger, Identity(always=True), nullable=False),
    _needed("type"),
    _needed("subject"),
    _needed("at", Moment),
    _needed("data", JSONB),
    _moment("sent_at"),
    Index("outbox_unsent", "sequence", postgresql_where=text("sent_at IS NULL")),
)

partitions = Table(
    "partitions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),  # a topic that was made anew begins a new one
    _needed("first_offset", BigInteger),
    _needed("next_offset", BigInteger),
    _needed("outcomes", JSONB),
    _needed("skipped", BigInteger),
    _needed("seen_again", BigInteger),
    _needed("moved_at", Moment, server_default=NOW),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    _id(),
    _needed("topic"),
    _needed("partition", Integer),
    _needed("offset", BigInteger),
    _needed("recorded_at", Moment),
    _needed("reason"),
    Column("field", Text),
    _needed("detail"),
    Column("source", Text),
    _needed("failed_at", Moment, server_default=NOW),
    Column("dead_topic", Text),
    Column("dead_partition", Integer),
    Column("dead_offset", BigInteger),
    _moment("redriven_at"),
    Column("redriven_by", Text),
    _moment("gone_at"),  # Kafka no longer keeps it: it cannot be sent again
    UniqueConstraint("topic", "partition", "offset", "recorded_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    _needed("name"),
    _needed("digest", LargeBinary),
    _needed("scopes", ARRAY(Text)),
    Column("advisor", Text),
    Column("queues", ARRAY(Text)),
    Column("languages", ARRAY(Text)),
    _needed("created_at", Moment, server_default=NOW),
    _moment("expires_at"),
    _moment("revoked_at"),
    UniqueConstraint("digest"),
    Index(None, "name"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _needed("fingerprint", LargeBinary),
    _needed("status", SmallInteger),
    _needed("headers", JSONB),
    _needed("body", Text),
    _needed("customer_ids", ARRAY(BigInteger), server_default=EMPTY_LIST),  # whose data the body holds in full
    _needed("stored_at", Moment, server_default=NOW),
    Index(None, "stored_at"),
    Index(None, "customer_ids", postgresql_using="gin"),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _needed("at", Moment, server_default=NOW),
    _needed("principal"),
    _needed("action"),
    Column("customer_id", BigInteger),
    Column("callback_id", Uuid(as_uuid=False)),
    Column("reason", Text),
    Index(None, "customer_id", "at"),
)
