"""Tells whether a webhook was sent by who shares our secret: every platform's scheme, by the lines of its source file.

Pure: the delivery's own bytes, the secrets and the time decide, and nothing of the body is read before they have.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from consumers.sources.form import form_fields
from consumers.sources.webhook import PLACEHOLDER, Webhook

_MILLISECONDS = 10**11
"""A time from here on counts milliseconds: as seconds it would lie in the year 5138."""
_DEFAULT_PORTS = {"https": 443, "http": 80}
_WHSEC = "whsec_"


class WebhookDelivery(Struct, frozen=True):
    """What arrived: headers with their names in lower case, the URL that was asked as its sender knows it, the body."""

    headers: tuple[tuple[str, bytes], ...]
    url: str
    body: bytes

    def only(self, name: str) -> bytes:
        """The value of a header that is there once. Raises _Doubt."""
        found = [value for each, value in self.headers if each == name]
        if len(found) != 1 or not found[0].strip():
            raise _Doubt("a signed header is missing, empty or there more than once")
        return found[0].strip()


class Refusal(StrEnum):
    BAD_SIGNATURE = "bad_signature"  # missing, wrong, or over something that could be read in two ways
    EXPIRED = "expired"  # rightly signed, but not about now


class Verified(Struct, frozen=True):
    """Sent by who shares our secret. `id` is the platform's own for this delivery, where the file names its header."""

    id: bytes | None


class Rejected(Struct, frozen=True):
    """`detail` is what the sender is told; it never says what would have been right."""

    reason: Refusal
    detail: str


class _Doubt(Exception):
    """The delivery cannot have been signed as the file says."""


def verify(webhook: Webhook, delivery: WebhookDelivery, secrets: Sequence[str], now: datetime) -> Verified | Rejected:
    """Any of `secrets` may have signed. The time is judged after the signature: before, anybody could have written it."""
    try:
        given = _given(webhook, delivery)
        stamp = None if webhook.timestamp_header is None else delivery.only(webhook.timestamp_header)
        sent_as = None if webhook.id_header is None else delivery.only(webhook.id_header)
        right = (
            _token(webhook, given, secrets) if webhook.scheme == "token" else _mac(webhook, delivery, given, secrets)
        )
    except _Doubt as doubt:
        return Rejected(Refusal.BAD_SIGNATURE, str(doubt))
    if not right:
        return Rejected(Refusal.BAD_SIGNATURE, "the signature does not fit; check secret, scheme and PUBLIC_URL")
    if stamp is not None and not _is_about(stamp, now, timedelta(seconds=webhook.tolerance_seconds)):
        detail = f"the timestamp is outside the tolerance of {webhook.tolerance_seconds} s; check the sender's clock"
        return Rejected(Refusal.EXPIRED, detail)
    return Verified(sent_as)


def key_of(webhook: Webhook, secret: str) -> bytes:
    """The bytes that sign. Raises ValueError for a secret that is not written as the scheme has it."""
    if webhook.key == "text":
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_WHSEC), validate=True)
    except ValueError:
        raise ValueError("it is not base64 behind whsec_") from None


def _given(webhook: Webhook, delivery: WebhookDelivery) -> list[bytes]:
    """The signatures that came along, without their prefix; nothing that has another."""
    text = delivery.only(webhook.header) if webhook.header else _once(_fields(delivery), webhook.field or "").encode()
    each = text.split(webhook.separator.encode()) if webhook.separator else [text]
    prefix = webhook.prefix.encode()
    return [one[len(prefix) :] for one in each if _begins(one, prefix, any_case=webhook.scheme == "token")]


def _begins(text: bytes, prefix: bytes, *, any_case: bool) -> bool:
    """HTTP's own names of schemes, like Bearer, have no case."""
    return text.lower().startswith(prefix.lower()) if any_case else text.startswith(prefix)


def _token(webhook: Webhook, given: Sequence[bytes], secrets: Sequence[str]) -> bool:
    return _any_equal(given, [key_of(webhook, secret) for secret in secrets])


def _mac(webhook: Webhook, delivery: WebhookDelivery, given: Sequence[bytes], secrets: Sequence[str]) -> bool:
    if webhook.body_sha256 is not None and not _body_is_named(webhook.body_sha256, delivery):
        return False
    urls = _spellings(delivery.url) if "url" in webhook.names else [delivery.url]
    messages = [_message(webhook, delivery, url) for url in urls]
    digests = [
        hmac.digest(key_of(webhook, secret), message, webhook.algorithm) for secret in secrets for message in messages
    ]
    return _any_equal(
        [_spelled(webhook.encoding, each) for each in given], [_written(webhook, each) for each in digests]
    )


def _any_equal(given: Sequence[bytes], right: Sequence[bytes]) -> bool:
    """All are compared, each in constant time: how long it takes tells nothing about which one was near."""
    equal = [hmac.compare_digest(one, other) for one in given for other in right]
    return any(equal)


def _written(webhook: Webhook, digest: bytes) -> bytes:
    return digest.hex().encode() if webhook.encoding == "hex" else base64.b64encode(digest)


def _spelled(encoding: Literal["hex", "base64"], given: bytes) -> bytes:
    """Hexadecimal digits have no case; all else has one spelling only."""
    return given.lower() if encoding == "hex" else given


def _message(webhook: Webhook, delivery: WebhookDelivery, url: str) -> bytes:
    """The very bytes that were signed: the template's own, and those of the delivery in their places."""
    parts: dict[str, Callable[[], bytes]] = {
        "body": lambda: delivery.body,
        "url": url.encode,
        "timestamp": lambda: delivery.only(webhook.timestamp_header or ""),
        "id": lambda: delivery.only(webhook.id_header or ""),
        "sorted_form": lambda: _sorted_form(_fields(delivery)),
    }
    message, end = b"", 0
    for found in PLACEHOLDER.finditer(webhook.signed):
        name = found[1]
        message += webhook.signed[end : found.start()].encode()
        message += parts[name]() if name in parts else _once(_fields(delivery), name.removeprefix("form.")).encode()
        end = found.end()
    return message + webhook.signed[end:].encode()


def _fields(delivery: WebhookDelivery) -> list[tuple[str, str]]:
    try:
        return form_fields(delivery.body)
    except ValueError:
        raise _Doubt("the body is no form in UTF-8") from None


def _once(fields: Sequence[tuple[str, str]], name: str) -> str:
    found = [value for each, value in fields if each == name]
    if len(found) != 1:
        raise _Doubt("a signed field of the form is missing or there more than once")
    return found[0]


def _sorted_form(fields: Sequence[tuple[str, str]]) -> bytes:
    if len({name for name, _ in fields}) != len(fields):
        raise _Doubt("a signed field of the form is there more than once")
    return "".join(name + value for name, value in sorted(fields)).encode()


def _body_is_named(parameter: str, delivery: WebhookDelivery) -> bool:
    """Whether the URL holds this body's SHA-256."""
    query = parse_qsl(urlsplit(delivery.url).query, keep_blank_values=True)
    found = [value for name, value in query if name == parameter]
    right = sha256(delivery.body).hexdigest().encode()
    return len(found) == 1 and hmac.compare_digest(found[0].lower().encode(), right)


def _spellings(url: str) -> list[str]:
    """With and without the port: senders, and what stands between them and us, differ in whether they write it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    bare = re.sub(r":[0-9]+$", "", host)
    ported = host if host != bare else f"{bare}:{_DEFAULT_PORTS.get(parts.scheme, 443)}"
    rest = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    return list(dict.fromkeys([url, *(f"{parts.scheme}://{each}{rest}" for each in (bare, ported))]))


def _is_about(stamp: bytes, now: datetime, tolerance: timedelta) -> bool:
    moment = _moment(stamp)
    return moment is not None and abs(now - moment) <= tolerance


def _moment(stamp: bytes) -> datetime | None:
    """Seconds or milliseconds since 1970, or RFC 3339; None for what is no time."""
    if re.fullmatch(rb"[0-9]{1,14}", stamp):
        count = int(stamp)
        return datetime.fromtimestamp(count if count < _MILLISECONDS else count / 1000, UTC)
    try:
        moment = datetime.fromisoformat(stamp.decode("ascii"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
