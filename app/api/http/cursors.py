"""Where a list goes on: opaque, signed, and good only for the list and the filters it was given for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, TypeVar

import msgspec

from app.api.http.problems import ApiProblem
from app.api.schemas.paging import PageQuery

MAC_BYTES = 16

KeyValues = TypeVar("KeyValues")


class Cursors:
    """Signs with the installation's secret key, so that every replica reads what another has written."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.sha256(b"bottombox cursors" + secret).digest()

    def write(self, path: str, query: PageQuery, key: Any) -> str:
        payload = msgspec.json.encode(key)
        return base64.urlsafe_b64encode(self._mac(path, query, payload) + payload).decode().rstrip("=")

    def read(self, path: str, query: PageQuery, kind: type[KeyValues]) -> KeyValues | None:
        """The key after which the page begins; None without a cursor. Raises 400 `invalid-cursor`."""
        if query.cursor is None:
            return None
        try:
            raw = base64.b64decode(query.cursor + "=" * (-len(query.cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _invalid() from None
        mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(path, query, payload)):
            raise _invalid()
        return msgspec.json.decode(payload, type=kind)

    def _mac(self, path: str, query: PageQuery, payload: bytes) -> bytes:
        filters = query.model_dump_json(exclude={"cursor", "limit"}).encode()
        return hmac.digest(self._secret, b"\0".join([path.encode(), filters, payload]), "sha256")[:MAC_BYTES]


def _invalid() -> ApiProblem:
    return ApiProblem("invalid-cursor", "take the cursor from `next` of the page before, with the same filters")
