"""Answers and contacts counted beforehand, so that a chart of weeks need not read each of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, Table, Text, UniqueConstraint

from alerts.ledger.tables.common import Timestamp, metadata, required

answer_sums = Table(
    "answer_sums",
    metadata,
    required("by"),  # what is told apart: "all", or a member of an answer
    required("since", Timestamp),  # a quarter of an hour for "all", else an hour
    Column("value", Text),  # of that member; null where an answer has none
    required("answers", Integer),
    required("bottom", Integer),
    required("middle", Integer),
    required("top", Integer),
    UniqueConstraint("by", "since", "value", postgresql_nulls_not_distinct=True),
)

contact_sums = Table(
    "contact_sums",
    metadata,
    required("since", Timestamp),  # an hour: that of a contact's first answer
    Column(
        "again_in_days", Integer
    ),  # days, begun ones too, until the customer's next contact; null if none comes soon
    required("contacts", Integer),
    UniqueConstraint("since", "again_in_days", postgresql_nulls_not_distinct=True),
)

answer_sums_progress = Table(
    "answer_sums_progress",
    metadata,
    Column("only_one", Boolean, primary_key=True),
    required("through", BigInteger),  # responses with an id up to this one are in both sums, and no others are
    CheckConstraint("only_one", name="one_row"),
)
