"""The handles in a request's body, as the ledger knows them. They stand in no URL and no answer."""

from __future__ import annotations

from alerts.errors import Invalid
from alerts.identity import Handle, clean_email, clean_identity, clean_phone
from app.api.context import RequestContext
from app.api.schemas.customer import LookupRequest

REMEDIES = {
    "id": "this names nobody; send the id that the survey events carry",
    "phone": "this must be a number that can be dialled, in E.164 like +442079460067",
    "email": "this must be one e-mail address",
}


def handles(body: LookupRequest, context: RequestContext) -> list[Handle]:
    """What the body names, the one that decides first. Raises Invalid for what names nobody."""
    if body.interaction is not None:
        id_ = clean_identity(body.interaction.id)
        return [Handle("interaction", body.source, _known(id_, "id", "/interaction"))]
    assert body.customer is not None
    found: list[Handle] = []
    if body.customer.id is not None:
        shared = body.source in context.dependencies.catalogue.shared_sources
        found.append(Handle("id", "" if shared else body.source, _known(clean_identity(body.customer.id), "id")))
    if body.customer.phone is not None:
        found.append(Handle("phone", "", _known(clean_phone(body.customer.phone, None), "phone")))
    if body.customer.email is not None:
        found.append(Handle("email", "", _known(clean_email(body.customer.email), "email")))
    return found


def _known(handle: str | None, member: str, parent: str = "/customer") -> str:
    """Raises Invalid for what names nobody: a placeholder, a withheld caller, what cannot be read."""
    if handle is None:
        raise Invalid(REMEDIES[member], f"{parent}/{member}")
    return handle
