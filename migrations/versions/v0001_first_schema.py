"""The first schema: answers, customers, callbacks and everything that happens to them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# The ledger's clock. Every lease, due and retry time comes from it; tests replace it by one they can move.
LEDGER_NOW = """
CREATE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() $$
"""


def upgrade() -> None:
    op.execute(LEDGER_NOW)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("advisor", sa.Text(), nullable=True),
        sa.Column("queues", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="api_keys_pkey"),
        sa.UniqueConstraint("digest", name="api_keys_digest_key"),
    )
    op.create_index("api_keys_name", "api_keys", ["name"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("callback_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
    )
    op.create_index("audit_customer_id_at", "audit", ["customer_id", "at"], unique=False)
    op.create_index(
        "audit_subject_at",
        "audit",
        ["subject", "at"],
        unique=False,
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_table(
        "notices",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "notice_id", name="notices_pkey"),
    )
    op.create_index(
        "notices_source_due_at",
        "notices",
        ["source", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "received_webhooks",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "digest", name="received_webhooks_pkey"),
    )
    op.create_index("received_webhooks_received_at", "received_webhooks", ["received_at"], unique=False)
    op.create_table(
        "canary",
        sa.Column("only_one", sa.Boolean(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("only_one", name="canary_one_row"),
        sa.PrimaryKeyConstraint("only_one", name="canary_pkey"),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ref", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("number_failed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("facts_as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="customers_pkey"),
        sa.UniqueConstraint("key", name="customers_key_key"),
        sa.UniqueConstraint("ref", name="customers_ref_key"),
    )
    op.create_index(
        "customers_email", "customers", ["email"], unique=False, postgresql_where=sa.text("email IS NOT NULL")
    )
    op.create_index(
        "customers_phone", "customers", ["phone"], unique=False, postgresql_where=sa.text("phone IS NOT NULL")
    )
    op.create_index(
        "customers_not_followed",
        "customers",
        ["id"],
        unique=False,
        postgresql_where=sa.text("erased_at IS NOT NULL OR key LIKE 'interaction:%'"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.Column("dead_topic", sa.Text(), nullable=True),
        sa.Column("dead_partition", sa.Integer(), nullable=True),
        sa.Column("dead_offset", sa.BigInteger(), nullable=True),
        sa.Column("redriven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redriven_by", sa.Text(), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="dead_letters_pkey"),
        sa.UniqueConstraint(
            "topic", "partition", "offset", "recorded_at", name="dead_letters_topic_partition_offset_recorded_at_key"
        ),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("customer_ids", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key", name="idempotency_pkey"),
    )
    op.create_index("idempotency_customer_ids", "idempotency", ["customer_ids"], unique=False, postgresql_using="gin")
    op.create_index("idempotency_stored_at", "idempotency", ["stored_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="outbox_pkey"),
    )
    op.create_index("outbox_subject", "outbox", ["subject"], unique=False)
    op.create_index("outbox_unsent", "outbox", ["sequence"], unique=False, postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "partitions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_offset", sa.BigInteger(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("outcomes", postgresql.JSONB(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("seen_again", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "epoch", name="partitions_pkey"),
    )
    op.create_table(
        "queues",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="queues_pkey"),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("previous_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("points", sa.SmallInteger(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("problem_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("priority_class", sa.SmallInteger(), nullable=False),
        sa.Column("targets_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zones", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("callable_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("callable_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("callable_reason", sa.Text(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("awaits_lead", sa.Boolean(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("avoid", postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_number", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_holder", sa.Text(), nullable=True),
        sa.Column("lease_claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skips", postgresql.JSONB(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("owner_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_state", sa.Text(), nullable=True),
        sa.Column("due_first_attempt", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_contact", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_resolution", sa.DateTime(timezone=True), nullable=True),
        sa.Column("targets", postgresql.JSONB(), nullable=False),
        sa.Column("escalated_steps", sa.SmallInteger(), nullable=False),
        sa.Column("attempts_count", sa.Integer(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause_kind", sa.Text(), nullable=True),
        sa.Column("cause_driver", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("checklist", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("(state = 'closed') = (closed_reason IS NOT NULL)", name="callbacks_closed_has_a_reason"),
        sa.CheckConstraint("(state = 'leased') = (lease_token IS NOT NULL)", name="callbacks_leased_has_a_token"),
        sa.CheckConstraint(
            "(state IN ('waiting', 'leased', 'scheduled')) = (ended_at IS NULL)", name="callbacks_ended_has_a_moment"
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'leased', 'scheduled')) = (wake_at IS NOT NULL)",
            name="callbacks_open_is_looked_at_again",
        ),
        sa.CheckConstraint("NOT ready OR state = 'waiting'", name="callbacks_only_waiting_is_ready"),
        sa.CheckConstraint("state IN ('waiting', 'leased', 'scheduled', 'resolved', 'closed')", name="callbacks_state"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="callbacks_customer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="callbacks_pkey"),
        postgresql_with={
            "fillfactor": "70",
            "autovacuum_vacuum_scale_factor": "0.01",
            "autovacuum_vacuum_cost_delay": "0",
        },
    )
    op.create_index(
        "callbacks_claim",
        "callbacks",
        ["queue", "priority_class", "rank_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting' AND ready"),
    )
    op.create_index("callbacks_customer", "callbacks", ["customer_id", "opened_at"], unique=False)
    op.create_index(
        "callbacks_ended_at",
        "callbacks",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index(
        "callbacks_held", "callbacks", ["lease_holder"], unique=False, postgresql_where=sa.text("state = 'leased'")
    )
    op.create_index(
        "callbacks_next_callable",
        "callbacks",
        ["queue", "callable_from"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting' AND NOT ready"),
    )
    op.create_index(
        "callbacks_one_open_per_customer",
        "callbacks",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'leased', 'scheduled')"),
    )
    op.create_index("callbacks_opened_at", "callbacks", ["opened_at", "id"], unique=False)
    op.create_index(
        "callbacks_problem",
        "callbacks",
        ["problem_id", "opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("problem_id IS NOT NULL"),
    )
    op.create_index(
        "callbacks_promised",
        "callbacks",
        ["queue", "promise_at"],
        unique=False,
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_index(
        "callbacks_wake",
        "callbacks",
        ["wake_at", "priority_class", "rank_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_index("callbacks_work_order", "callbacks", ["priority_class", "rank_at", "id"], unique=False)
    op.create_table(
        "responses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("response_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("worst", sa.Integer(), nullable=False),
        sa.Column("best", sa.Integer(), nullable=False),
        sa.Column("points", sa.SmallInteger(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("suppressed", sa.Text(), nullable=True),
        sa.Column("revises", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.Column("interaction_id", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("contact_queue", sa.Text(), nullable=True),
        sa.Column("contact_reason", sa.Text(), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_team", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attributes", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("absent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("value_hash", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_partition", sa.Integer(), nullable=False),
        sa.Column("origin_offset", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points BETWEEN 1 AND 5", name="responses_points"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="responses_customer_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="responses_pkey"),
        sa.UniqueConstraint("event_source", "event_id", name="responses_event_source_event_id_key"),
    )
    op.create_index("responses_answered_at", "responses", ["answered_at"], unique=False)
    op.create_index(
        "responses_revising",
        "responses",
        ["response_id", "event_source"],
        unique=False,
        postgresql_where=sa.text("revises"),
        postgresql_include=["revised_at", "origin_partition", "origin_offset"],
    )
    op.create_index("responses_customer_id_answered_at", "responses", ["customer_id", "answered_at"], unique=False)
    op.create_index(
        "responses_interaction_id",
        "responses",
        ["interaction_id"],
        unique=False,
        postgresql_where=sa.text("interaction_id IS NOT NULL"),
    )
    op.create_index("responses_received_at", "responses", ["received_at"], unique=False, postgresql_using="brin")
    op.create_index("responses_response_id_event_source", "responses", ["response_id", "event_source"], unique=False)
    op.create_table(
        "raw_records",
        sa.Column("response_id", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name="raw_records_response_id_fkey"),
        sa.PrimaryKeyConstraint("response_id", name="raw_records_pkey"),
    )
    op.create_index("raw_records_kept_at", "raw_records", ["kept_at"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("response_id", sa.BigInteger(), nullable=False),
        sa.Column("callback_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name="alerts_callback_id_fkey"),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name="alerts_response_id_fkey"),
        sa.PrimaryKeyConstraint("response_id", name="alerts_pkey"),
    )
    op.create_index("alerts_callback_id", "alerts", ["callback_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("callback_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("advisor", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("ledger_now()"), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("outside_window", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name="attempts_callback_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="attempts_pkey"),
        sa.UniqueConstraint("callback_id", "number", name="attempts_callback_id_number_key"),
    )
    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("callback_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("measured", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name="history_callback_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="history_pkey"),
    )
    op.create_index("history_at", "history", ["at"], unique=False, postgresql_using="brin")
    op.create_index("history_callback_id_id", "history", ["callback_id", "id"], unique=False)
    op.create_table(
        "action_plans",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=True),
        sa.Column("cause_driver", sa.Text(), nullable=True),
        sa.Column("match", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("percent", sa.SmallInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("callbacks", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('planned', 'in_progress', 'on_hold')) = (ended_at IS NULL)",
            name="action_plans_ended_has_a_moment",
        ),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="action_plans_percent"),
        sa.CheckConstraint(
            "state IN ('planned', 'in_progress', 'on_hold', 'complete', 'cancelled')", name="action_plans_state"
        ),
        sa.PrimaryKeyConstraint("id", name="action_plans_pkey"),
    )
    op.create_index("action_plans_due_on_id", "action_plans", ["due_on", "id"], unique=False)
    op.create_table(
        "signal_looks",
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("until", name="signal_looks_pkey"),
    )
    op.create_table(
        "signals",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope_by", sa.Text(), nullable=False),
        sa.Column("scope_value", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bottom", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Double(), nullable=False),
        sa.Column("p_value", sa.Double(), nullable=False),
        sa.Column("alarms_a_month", sa.Double(), nullable=False),
        sa.Column("arithmetic", postgresql.JSONB(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="signals_pkey"),
    )
    op.create_index(
        "signals_going_on",
        "signals",
        ["kind", "scope_by", "scope_value"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("signals_raised_at_id", "signals", ["raised_at", "id"], unique=False)
    op.create_table(
        "problems",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("match", postgresql.JSONB(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("signal_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sweep_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("swept_to", sa.Uuid(as_uuid=False), nullable=True),
        sa.CheckConstraint("(state = 'solved') = (solved_at IS NOT NULL)", name="problems_solved_has_a_moment"),
        sa.CheckConstraint("state IN ('open', 'solved')", name="problems_state"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name="problems_signal_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="problems_pkey"),
    )
    op.create_index("problems_created_at_id", "problems", ["created_at", "id"], unique=False)
    op.create_table(
        "answer_sums",
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("bottom", sa.Integer(), nullable=False),
        sa.Column("middle", sa.Integer(), nullable=False),
        sa.Column("top", sa.Integer(), nullable=False),
        sa.UniqueConstraint(
            "by", "since", "value", name="answer_sums_by_since_value_key", postgresql_nulls_not_distinct=True
        ),
    )
    op.create_table(
        "contact_sums",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("again_in_days", sa.Integer(), nullable=True),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.UniqueConstraint(
            "since", "again_in_days", name="contact_sums_since_again_in_days_key", postgresql_nulls_not_distinct=True
        ),
    )
    op.create_table(
        "answer_sums_progress",
        sa.Column("only_one", sa.Boolean(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("only_one", name="answer_sums_progress_one_row"),
        sa.PrimaryKeyConstraint("only_one", name="answer_sums_progress_pkey"),
    )


def downgrade() -> None:
    for table in (
        "answer_sums_progress",
        "contact_sums",
        "answer_sums",
        "problems",
        "signals",
        "signal_looks",
        "action_plans",
        "history",
        "attempts",
        "alerts",
        "raw_records",
        "responses",
        "callbacks",
        "queues",
        "received_webhooks",
        "partitions",
        "notices",
        "outbox",
        "idempotency",
        "dead_letters",
        "customers",
        "canary",
        "audit",
        "api_keys",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION ledger_now()")
