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


def identity() -> Column[Any]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def moment(name: str) -> Column[Any]:
    return Column(name, Moment)


def required(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)


queues = Table(
    "queues",
    metadata,
    Column("name", Text, primary_key=True),
    moment("paused_at"),
    Column("paused_by", Text),
    Column("paused_reason", Text),
)

customers = Table(
    "customers",
    metadata,
    identity(),
    required("ref", Uuid(as_uuid=False), server_default=text("gen_random_uuid()")),
    required("key"),  # alerts.identity.Handle.key: one row per customer, whoever meets them first
    Column("name", Text),
    Column("phone", Text),  # E.164
    required("number_failed", Boolean, server_default=text("false")),  # what we have or were given does not reach them
    Column("email", Text),
    Column("time_zone", Text),
    Column("country", Text),
    Column("language", Text),
    Column("segment", Text),
    Column("since", Date),
    Column("value", Double),
    required("facts_as_of", Moment),  # the answer that these facts come from; older news does not overwrite newer
    required("corrected", ARRAY(Text), server_default=EMPTY_LIST),  # what a person put right; answers leave it alone
    moment("opted_out_at"),
    moment("erased_at"),
    UniqueConstraint("ref"),
    UniqueConstraint("key"),
    Index(None, "phone", postgresql_where=text("phone IS NOT NULL")),
    Index(None, "email", postgresql_where=text("email IS NOT NULL")),
)

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
    Column("comment", Text),
    required("answered_at", Moment),
    required("revised_at", Moment),
    required("received_at", Moment, server_default=NOW),
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
    required("value_hash", LargeBinary),
    required("content_hash", LargeBinary),
    required("topic"),
    required("partition", Integer),
    required("offset", BigInteger),
    required("recorded_at", Moment),  # the Kafka record's timestamp
    required("origin_partition", Integer),  # where it first stood in Kafka; of two revisions of one time the later wins
    required("origin_offset", BigInteger),
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
    required("state"),
    Column("closed_reason", Text),
    required("version", Integer),
    required("queue"),
    required("source"),
    Column("language", Text),
    required("points", SmallInteger),
    required("severity", SmallInteger),
    required("priority", SmallInteger),
    required("reasons", ARRAY(Text)),
    required("flags", ARRAY(Text)),
    required("opened_at", Moment),
    required("clock_from", Moment),
    required("rank_at", Moment),
    required("band", SmallInteger),
    required("due_from", Moment),
    required("expires_at", Moment),
    required("zones", ARRAY(Text)),
    Column("country", Text),
    required("regions", ARRAY(Text)),
    moment("callable_from"),
    moment("callable_until"),
    required("callable_reason"),
    required("ready", Boolean),
    required("awaits_lead", Boolean),
    moment("not_before"),
    required("avoid", ARRAY(Moment)),
    moment("wake_at"),
    required("lease_number", Integer),
    Column("lease_token", Text),
    Column("lease_holder", Text),
    moment("lease_claimed_at"),
    moment("lease_expires_at"),
    required("skips", JSONB),
    Column("owner", Text),
    moment("owner_until"),
    moment("promise_at"),
    moment("promise_until"),
    Column("promise_state", Text),
    moment("due_first_attempt"),
    moment("due_contact"),
    moment("due_resolution"),
    required("targets", JSONB),
    required("escalated_steps", SmallInteger),
    required("attempts_count", Integer),
    required("failed_count", Integer),
    moment("claimed_at"),
    moment("first_attempt_at"),
    moment("contacted_at"),
    moment("ended_at"),
    Column("cause_kind", Text),
    Column("cause_driver", Text),
    Column("outcome", Text),
    required("checklist", JSONB),
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
    required("raised_at", Moment),
    required("severity", SmallInteger),
    required("reasons", ARRAY(Text)),
    Index(None, "callback_id"),
)

attempts = Table(
    "attempts",
    metadata,
    identity(),
    Column("callback_id", Uuid(as_uuid=False), ForeignKey("callbacks.id"), nullable=False),
    required("number", Integer),
    required("result"),
    required("advisor"),
    required("started_at", Moment),
    moment("ended_at"),
    required("recorded_at", Moment, server_default=NOW),
    Column("note", Text),
    required("outside_window", Boolean),
    UniqueConstraint("callback_id", "number"),
)

history = Table(
    "history",
    metadata,
    identity(),
    Column("callback_id", Uuid(as_uuid=False), ForeignKey("callbacks.id"), nullable=False),
    required("at", Moment),
    required("kind"),
    required("actor"),
    required("data", JSONB),
    Column("text", Text),
    required("measured", JSONB),
    required("version", Integer),
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
    required("type"),
    required("subject"),
    required("at", Moment),
    required("data", JSONB),
    moment("sent_at"),
    Index("outbox_unsent", "sequence", postgresql_where=text("sent_at IS NULL")),
)

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
    required("moved_at", Moment, server_default=NOW),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    identity(),
    required("topic"),
    required("partition", Integer),
    required("offset", BigInteger),
    required("recorded_at", Moment),
    required("reason"),
    Column("field", Text),
    required("detail"),
    Column("source", Text),
    required("failed_at", Moment, server_default=NOW),
    Column("dead_topic", Text),
    Column("dead_partition", Integer),
    Column("dead_offset", BigInteger),
    moment("redriven_at"),
    Column("redriven_by", Text),
    moment("gone_at"),  # Kafka no longer keeps it: it cannot be sent again
    UniqueConstraint("topic", "partition", "offset", "recorded_at"),
)

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
    required("created_at", Moment, server_default=NOW),
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
    required("stored_at", Moment, server_default=NOW),
    Index(None, "stored_at"),
    Index(None, "customer_ids", postgresql_using="gin"),
)

audit = Table(
    "audit",
    metadata,
    identity(),
    required("at", Moment, server_default=NOW),
    required("principal"),
    required("action"),
    Column("customer_id", BigInteger),
    Column("callback_id", Uuid(as_uuid=False)),
    Column("reason", Text),
    Index(None, "customer_id", "at"),
)
