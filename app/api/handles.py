"""The handles in a request's body, as the ledger knows them. They stand in no URL and no answer."""

from __future__ import annotations

from alerts.errors import Invalid
from alerts.identity import Handle
from alerts.phone import normalise
from app.api.desk import Desk
from app.api.schemas import asked


def handles(body: asked.Lookup, desk: Desk) -> list[Handle]:
    """What the body names, the one that decides first. Raises Invalid for a number that cannot be read."""
    if body.interaction is not None:
        return [Handle("interaction", body.source, body.interaction.id)]
    assert body.customer is not None
    found: list[Handle] = []
    if body.customer.id is not None:
        shared = body.source in desk.parts.catalogue.shared_sources
        found.append(Handle("id", "" if shared else body.source, body.customer.id))
    if body.customer.phone is not None:
        found.append(Handle("phone", "", _phone(body.customer.phone)))
    if body.customer.email is not None:
        found.append(Handle("email", "", body.customer.email.strip().lower()))
    return found


def _phone(raw: str) -> str:
    number = normalise(raw, None)
    if number is None:
        raise Invalid("this must be a number in E.164, like +442079460067", "/customer/phone")
    return number
