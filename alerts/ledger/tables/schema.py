"""The whole schema: every table, once the rooms that hold them are read."""

from __future__ import annotations

from alerts.ledger.tables import access, callbacks, canary, customers, events, insights, kafka, learning, responses
from alerts.ledger.tables.common import metadata

ROOMS = (customers, responses, callbacks, events, kafka, canary, access, learning, insights)

__all__ = ["ROOMS", "metadata"]
