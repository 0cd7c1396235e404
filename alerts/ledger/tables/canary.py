"""The canary's one row: whose turn it is to send, and when one was last seen at the end of its way."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, LargeBinary, Table

from alerts.ledger.tables.common import Timestamp, metadata, moment, required

canary = Table(
    "canary",
    metadata,
    Column("only_one", Boolean, primary_key=True),
    required("key", LargeBinary),  # signs what we send; no setting, so that every process of this ledger knows it
    required("sent_at", Timestamp),
    moment("seen_at"),
    CheckConstraint("only_one", name="one_row"),
)
