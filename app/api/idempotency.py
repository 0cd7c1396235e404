"""Reads the Idempotency-Key of a request, and answers a repeated one as the first was answered."""

from __future__ import annotations

import hashlib
import re

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.ledger.audit import write_audit
from alerts.ledger.idempotency import Request as KeyedRequest
from alerts.ledger.idempotency import StoredAnswer
from app.api.guard import StrictRequest
from app.api.problems import ApiProblem
from app.api.security import Principal

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}
KEPT_HEADERS = ("content-type", "etag", "location")

# A structured-field string in quotes, as the IETF draft has it, or the bare text that most clients send.
_KEY = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')


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


def stored(response: Response, customers: tuple[int, ...]) -> StoredAnswer:
    headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
    return StoredAnswer(response.status_code, headers, bytes(response.body).decode(), customers)


async def replay(connection: AsyncConnection, answer: StoredAnswer, principal: Principal) -> Response:
    """The stored answer; what it shows in full is one more full view, and audited."""
    for customer_id in answer.customers:
        await write_audit(connection, principal=principal.actor, action="replay", customer_id=customer_id)
    return Response(answer.body.encode(), answer.status, {**answer.headers, **REPLAYED})
