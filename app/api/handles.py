"""The handles in a request's body, as the ledger knows them. They stand in no URL and no answer."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.errors import Invalid
from alerts.identity import Handle, clean_email, clean_identity, clean_phone
from app.api.context import RequestContext
from app.api.schemas.customer import CustomerHandles, LookupRequest


def handles(body: LookupRequest, context: RequestContext) -> list[Handle]:
    """What the body names, the one that decides first; a placeholder or a withheld caller names nobody, and the next counts.

    Raises Invalid when nobody is named at all.
    """
    if body.interaction is not None:
        interaction = clean_identity(body.interaction.id)
        found = [] if interaction is None else [Handle("interaction", body.source, interaction)]
    else:
        assert body.customer is not None
        scope = "" if body.source in context.dependencies.catalogue.shared_sources else body.source
        found = list(_of_customer(body.customer, scope))
    if not found:
        raise Invalid("this names nobody; send an id, a number in E.164 or an e-mail address", _pointer(body))
    return found


def _pointer(body: LookupRequest) -> str:
    if body.customer is None:
        return "/interaction/id"
    given = [name for name in ("id", "phone", "email") if getattr(body.customer, name) is not None]
    return f"/customer/{given[0]}" if len(given) == 1 else "/customer"


def _of_customer(named: CustomerHandles, scope: str) -> Iterator[Handle]:
    if (known_as := clean_identity(named.id)) is not None:
        yield Handle("id", scope, known_as)
    if (phone := clean_phone(named.phone, None)) is not None:
        yield Handle("phone", "", phone)
    if (email := clean_email(named.email)) is not None:
        yield Handle("email", "", email)
