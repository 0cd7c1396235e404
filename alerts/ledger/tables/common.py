"""What all tables are made with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    MetaData,
    Text,
    text,
)

from alerts.callback import OPEN_STATES

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
Timestamp = DateTime(timezone=True)
OPEN = "state IN ({})".format(", ".join(f"'{state}'" for state in OPEN_STATES))


def identity() -> Column[Any]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def moment(name: str) -> Column[Any]:
    return Column(name, Timestamp)


def required(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)
