"""Reads the Idempotency-Key of a request, and answers a repeated one as the first was answered.

With one difference: an answer that showed a customer's data shows now what may be shown now.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.ledger.access.audit import Look, write_audits
from alerts.ledger.access.idempotency import KeyedRequest as KeyedRequest
from alerts.ledger.access.idempotency import StoredReply
from alerts.ledger.callbacks.disclosure import Present, present
from alerts.ledger.database import ledger_now
from alerts.policy import Policy
from app.api.http.problems import ApiProblem
from app.api.http.route import StrictRequest
from app.api.http.security import Principal
from app.api.http.tags import content_tag
from app.api.masking import cover, is_gone, may_dial
from app.api.schemas.callback import CallbackDetail, CallbackList, CallbackResource

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}
KEPT_HEADERS = ("content-type", "etag", "location")

# A structured-field string in quotes, as the IETF draft has it, or the bare text that most clients send.
_KEY = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')

_SHOWN: TypeAdapter[CallbackList | CallbackDetail | CallbackResource] = TypeAdapter(
    CallbackList | CallbackDetail | CallbackResource
)
"""The answers that can show a customer's data in full."""


async def keyed_request(request: StrictRequest, principal: Principal) -> KeyedRequest | None:
    """None without the header. Raises 400 for one that cannot be read."""
    header = request.headers.get(HEADER)
    if header is None:
        return None
    match = _KEY.fullmatch(header.strip())
    if match is None:
        raise ApiProblem("malformed", f"{HEADER} has 1 to 255 printable ASCII characters, best a UUID in quotes")
    fingerprint = hashlib.sha256(await request.fingerprint()).digest()
    return KeyedRequest(principal.id, match.group(1) or match.group(2), fingerprint)


def stored(response: Response, customers: tuple[int, ...]) -> StoredReply:
    headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
    return StoredReply(response.status_code, headers, bytes(response.body).decode(), customers)


async def replay(connection: AsyncConnection, answer: StoredReply, principal: Principal, policy: Policy) -> Response:
    """The stored answer, with no more in it than may be shown now; what it shows in full is audited once more."""
    body, headers = answer.body.encode(), {**answer.headers, **REPLAYED}
    if answer.customers:
        body = await _shown_now(connection, body, principal, policy)
        tag = content_tag(body)["ETag"]
        headers |= {"etag": tag} if "etag" in headers else {}
    return Response(body, answer.status, headers)


async def _shown_now(connection: AsyncConnection, body: bytes, principal: Principal, policy: Policy) -> bytes:
    shown = _SHOWN.validate_json(body)
    callbacks = shown.items if isinstance(shown, CallbackList) else [shown]
    known = await present(connection, [each.id for each in callbacks])
    now = await ledger_now(connection)
    covered = [_again(each, known.get(each.id), now, policy) for each in callbacks]
    looks = [Look(known[each.id].callback.customer_id, each.id) for each in covered if not each.customer.masked]
    await write_audits(connection, looks, principal=principal.actor, action="replay")
    told_now = shown.model_copy(update={"items": covered}) if isinstance(shown, CallbackList) else covered[0]
    return told_now.model_dump_json(exclude_unset=True).encode()


def _again(callback: CallbackResource, known: Present | None, now: datetime, policy: Policy) -> CallbackResource:
    """Nothing of a customer who has opted out or was erased since. The number only while it may be dialled, is still
    the customer's, and the lease with which it was shown still lives."""
    if known is None or is_gone(known.customer):
        return cover(callback, full=False, number=False)
    is_theirs = callback.lease is None or known.is_held_with(callback.lease.token, now)
    is_present = callback.customer.phone == known.customer.phone
    number = is_theirs and is_present and may_dial(known.callback, known.customer, now, policy)
    return cover(callback, full=True, number=number)
