"""Views of callbacks as JSON that PostgreSQL makes where the rows are: one value for each, and not a row for each table."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from alerts.callback import Callback
from alerts.customer import Customer
from alerts.learning.problem import KnownProblem
from alerts.ledger.reading.responses import AlertView, ResponseView


class CallbackView(Struct, frozen=True):
    """A callback, whom it is about, the answers it is about, and the known problem behind it."""

    callback: Callback
    customer: Customer
    alerts: list[AlertView]
    problem: KnownProblem | None = None


class Around(Struct, frozen=True):
    """What belongs to a callback in its view."""

    customer: Customer
    alerts: list[AlertView]
    problem: KnownProblem | None

    def view(self, callback: Callback) -> CallbackView:
        return CallbackView(callback, self.customer, self.alerts, self.problem)


decode_around = msgspec.json.Decoder(Around).decode


def members(kind: type[Struct], table: str) -> str:
    """The columns of `table` that `kind` has."""
    return ", ".join(f'{table}."{name}"' for name in kind.__struct_fields__)


def around(callback: str) -> str:
    """SQL of what belongs to the callback in the row `callback`, as `decode_around` reads it; the oldest alert first."""
    return f"""CAST(json_build_object(
    'customer', (SELECT to_json(person) FROM (
        SELECT {members(Customer, "customers")} FROM customers WHERE customers.id = {callback}.customer_id) AS person),
    'alerts', (SELECT coalesce(json_agg(to_json(raised) ORDER BY raised.raised_at, (raised.answer).id), '[]') FROM (
        SELECT answer, alerts.raised_at, alerts.severity, alerts.reasons
        FROM alerts CROSS JOIN LATERAL (
            SELECT {members(ResponseView, "responses")} FROM responses WHERE responses.id = alerts.response_id) AS answer
        WHERE alerts.callback_id = {callback}.id) AS raised),
    'problem', (SELECT to_json(known) FROM (
        SELECT {members(KnownProblem, "problems")} FROM problems WHERE problems.id = {callback}.problem_id) AS known)
) AS text)"""
