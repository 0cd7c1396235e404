"""Says by which handle a customer is known, so that all of one customer's answers meet on one callback."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from alerts.phones.phone import judge, normalise
from alerts.survey import SurveyResponse
from alerts.wording.nobody import is_no_mailbox, is_plainly_somebody, names_nobody
from alerts.wording.plain_text import visible

_ADDRESS = re.compile(r"([^\s@,;<>()]+)@([^\s@,;<>()]+)")
_IN_ANGLES = re.compile(r"[^<>@]*<([^<>]+)>")  # Ann Example <ann@example.org>
_AROUND = " \t\"'=,;<>"  # what is left around an address that was copied out of a list or a sheet
_SCHEME = re.compile(r"(?:mailto|smtp|email|e-mail):\s*")
_BEHIND = re.compile(r"\?.*|\s*\([^()@]*\)$")  # a link's query, or a name as a comment
_WITHHELD = frozenset({"+266696687", "+7378742833", "+86282452253", "+8656696", "+10000000000", "+464"})
"""How a keypad spells anonymous, restricted, unavailable and unknown; and how carriers write that there is none."""
_CONTROL = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if not chr(code).isspace()}

HandleKind = Literal["id", "phone", "email", "interaction"]


class Handle(Struct, frozen=True, gc=False):
    """One way to find a customer again. `scope` is the source that gave `value`, "" if all sources share it.

    Personal data: a handle stands in no log, URL, argument or metric. What leaves the house is `record_key`.
    """

    kind: HandleKind
    scope: str
    value: str

    @property
    def key(self) -> str:
        """Text that no other handle has: neither a kind nor a source's name can hold a colon."""
        return f"{self.kind}:{self.scope}:{self.value}"


def handles_of(response: SurveyResponse, *, shared_sources: frozenset[str] = frozenset()) -> tuple[Handle, ...]:
    """Every handle of the answer, the one that decides first: id, phone, e-mail, interaction.

    `shared_sources`: names of the sources whose files say `customer_ids: shared`; their ids mean the same
    customer everywhere. Phone and e-mail always do; an interaction's id never does.
    """
    return tuple(_handles(response, shared_sources))


def handle_of(response: SurveyResponse, *, shared_sources: frozenset[str] = frozenset()) -> Handle | None:
    """The first of `handles_of`, or None when nobody could find this customer again."""
    return next(_handles(response, shared_sources), None)


def clean_identity(text: str | None) -> str | None:
    """An id as it is compared: in NFC, without outer blanks and invisible marks. None for what is no identity."""
    if text is None or is_plainly_somebody(text):
        return text
    cleaned = (text if text.isascii() and text.isprintable() else _composed(text)).strip()
    return None if _is_nobody(cleaned) else cleaned


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", visible(text).translate(_CONTROL))


def clean_email(text: str | None) -> str | None:
    """The one address in a text, as it is compared: in small letters, its domain in ASCII (`xn--`).

    None when there is none or more than one, and for a mailbox behind which nobody is, or everybody (`noreply@...`).
    """
    cleaned = clean_identity(text)
    if cleaned is None:
        return None
    cleaned = unicodedata.normalize("NFKC", cleaned)
    named = _IN_ANGLES.fullmatch(cleaned)
    cleaned = _SCHEME.sub("", (named[1] if named else cleaned).strip(_AROUND).lower(), count=1)
    address = _ADDRESS.fullmatch(_BEHIND.sub("", cleaned).strip(_AROUND))
    if address is None:
        return None
    local, domain = address[1], _in_ascii(address[2].rstrip("."))
    return None if not domain or is_no_mailbox(local, domain) else f"{local}@{domain}"


def clean_phone(text: str | None, country: str | None) -> str | None:
    """The number with its extension, as it is compared; None for one that is judged bad, as all withheld callers are."""
    if text is None or judge(text, country).status != "ok":
        return None
    return normalise(text, country)


def record_key(handle: Handle, secret: bytes) -> bytes:
    """The Kafka record key: HMAC-SHA256 of the handle in hex, so that a topic's keys give no one away."""
    return hmac.new(secret, handle.key.encode(), hashlib.sha256).hexdigest().encode()


def _handles(response: SurveyResponse, shared_sources: frozenset[str]) -> Iterator[Handle]:
    customer, source = response.customer, response.source
    known_as = clean_identity(customer.id)
    if known_as is not None:
        yield Handle("id", "" if source in shared_sources else source, known_as)
    phone = clean_phone(customer.phone, customer.country)
    if phone is not None:
        yield Handle("phone", "", phone)
    email = clean_email(customer.email)
    if email is not None:
        yield Handle("email", "", email)
    interaction = clean_identity(response.interaction.id)
    if interaction is not None:
        yield Handle("interaction", source, interaction)


def _is_nobody(text: str) -> bool:
    """Many use an address or a number as their id; the mailbox of nobody and a withheld number name nobody there too."""
    if names_nobody(text) or ("%" in text and names_nobody(unquote(text))) or text in _WITHHELD:
        return True
    address = _ADDRESS.fullmatch(text) if "@" in text else None
    return address is not None and is_no_mailbox(address[1].lower(), address[2].lower())


def _in_ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain  # too long a label, or signs that no domain has: compared as it stands
