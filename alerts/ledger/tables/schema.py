"""The whole schema: every table, once the rooms that hold them are read."""

from __future__ import annotations

from alerts.ledger.tables import access, callbacks, customers, events, kafka, learning, responses
from alerts.ledger.tables.common import metadata

ROOMS = (customers, responses, callbacks, events, kafka, access, learning)

__all__ = ["ROOMS", "metadata"]
