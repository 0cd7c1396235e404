"""Customers: one row each, whoever meets them first."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Double,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from alerts.ledger.tables.common import EMPTY_LIST, Timestamp, identity, metadata, moment, required

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
    required("facts_as_of", Timestamp),  # the answer that these facts come from; older news does not overwrite newer
    required("corrected", ARRAY(Text), server_default=EMPTY_LIST),  # what a person put right; answers leave it alone
    moment("opted_out_at"),
    moment("erased_at"),
    UniqueConstraint("ref"),
    UniqueConstraint("key"),
    Index(None, "phone", postgresql_where=text("phone IS NOT NULL")),
    Index(None, "email", postgresql_where=text("email IS NOT NULL")),
    # whom nobody can see come back: for the insights, and few where customers have ids
    Index("customers_not_followed", "id", postgresql_where=text("erased_at IS NOT NULL OR key LIKE 'interaction:%'")),
)
