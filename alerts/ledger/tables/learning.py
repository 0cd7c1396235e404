"""What is done about what was learned: action plans, signals and known problems."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from alerts.learning.plan import OPEN_PLANS, PlanState
from alerts.learning.problem import ProblemState
from alerts.ledger.tables.common import Timestamp, metadata, moment, required


def one_of(states: Iterable[str]) -> str:
    """`state IN (...)`, as the database writes it."""
    return "state IN ({})".format(", ".join(f"'{state}'" for state in states))


action_plans = Table(
    "action_plans",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    required("title"),
    Column("cause_kind", Text),
    Column("cause_driver", Text),
    Column("match", JSONB(none_as_null=True)),
    required("owner"),
    required("due_on", Date),
    required("state"),
    required("percent", SmallInteger),
    Column("effective_on", Date),
    Column("note", Text),
    required("callbacks", ARRAY(Text)),
    required("version", Integer),
    required("created_at", Timestamp),
    required("created_by"),
    required("changed_at", Timestamp),
    moment("ended_at"),
    CheckConstraint(one_of(PlanState), name="state"),
    CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
    CheckConstraint(f"({one_of(OPEN_PLANS)}) = (ended_at IS NULL)", name="ended_has_a_moment"),
    Index(None, "due_on", "id"),
)

signal_looks = Table(
    "signal_looks",
    metadata,
    Column("until", Timestamp, primary_key=True),  # the end of an hour that was looked at, so that it is looked at once
    required("looked_at", Timestamp),
)

signals = Table(
    "signals",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    required("kind"),
    required("scope_by"),
    required("scope_value"),
    required("state"),
    required("raised_at", Timestamp),
    required("since", Timestamp),
    required("seen_at", Timestamp),
    moment("ended_at"),
    required("bottom", Integer),
    required("of", Integer),
    required("expected", Double),
    required("p_value", Double),
    required("alarms_a_month", Double),
    required("arithmetic", JSONB),
    moment("acknowledged_at"),
    Column("acknowledged_by", Text),
    # What goes on is raised once.
    Index(
        "signals_going_on", "kind", "scope_by", "scope_value", unique=True, postgresql_where=text("ended_at IS NULL")
    ),
    Index(None, "raised_at", "id"),
)

problems = Table(
    "problems",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    required("title"),
    required("match", JSONB),
    Column("note", Text),
    Column("signal_id", Uuid(as_uuid=False), ForeignKey("signals.id")),
    required("state"),
    Column("message", Text),
    required("version", Integer),
    required("created_at", Timestamp),
    required("created_by"),
    required("changed_at", Timestamp),
    moment("solved_at"),
    moment("sweep_at"),  # when open callbacks are next looked through for those it explains; null when that is done
    Column("swept_to", Uuid(as_uuid=False)),  # so far
    CheckConstraint(one_of(ProblemState), name="state"),
    CheckConstraint(f"(state = '{ProblemState.SOLVED}') = (solved_at IS NOT NULL)", name="solved_has_a_moment"),
    Index(None, "created_at", "id"),
)
