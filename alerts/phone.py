"""Reads a phone number, says whether it may be dialled and in which time zones it may ring, and masks it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneNumberType, ValidationResult
from phonenumbers.timezone import time_zones_for_number

UNKNOWN_ZONE = "Etc/Unknown"

_LONGEST_TEXT = 64  # a number has at most 15 digits; what is longer is prose, and costs time to search
_PUNCTUATION = str.maketrans("", "", " -.()")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LOOKS_LIKE_A_NUMBER = re.compile(r"\+?[\d\s().\-/\u2010-\u2015]+(?:\s*(?:ext\.?|extension|x|#)\s*\d{1,7})?")

_NOBODY_ANSWERS = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.VOICEMAIL,
    }
)
_OF_ONE_COUNTRY = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
    }
)
_NO_COUNTRY = "001"  # how the library writes the country of satellites and other world-wide services


class Number(Struct, frozen=True):
    """What a phone number tells us.

    `status`: `none` there is no number; `bad` there is one that must not be dialled; `ok` otherwise.
    `zones`: IANA names of every zone in which it may ring; empty when nothing is known.
    `country`: ISO 3166 alpha-2 of the number itself; None when it belongs to several countries or to none.
    """

    status: Literal["ok", "none", "bad"]
    zones: tuple[str, ...] = ()
    country: str | None = None


NO_NUMBER = Number("none")
BAD_NUMBER = Number("bad")


def normalise(raw: str, country: str | None) -> str | None:
    """`raw` in E.164 (`+` and 7 to 15 digits), or None when it cannot be read as a number.

    `country` (ISO 3166 alpha-2) is where a number without `+` was written. Only the shape is looked at:
    whether the number may be dialled is `judge`'s to say. Never raises.
    """
    if len(raw) > _LONGEST_TEXT:
        return None
    compact = raw.strip().translate(_PUNCTUATION)
    if _E164.fullmatch(compact) and not _has_trunk_zero(compact):
        return compact if _calling_code(compact) else None
    return _read(raw, country)


@lru_cache(maxsize=8192)
def judge(phone: str | None, country: str | None) -> Number:
    """Whether `phone` may be dialled, and where it may ring.

    Bad are: what is no possible or no valid number, emergency and short numbers, premium-rate and shared-cost
    numbers, pagers and voice-mail boxes, and world-wide networks that no country owns, such as satellites.
    Toll-free numbers, company numbers (UAN, the British 03) and personal numbers are dialled like any other.
    """
    if phone is None or not phone.strip():
        return NO_NUMBER
    number = _parse(phone, country) if len(phone) <= _LONGEST_TEXT else None
    if number is None or not phonenumbers.is_valid_number(number):
        return BAD_NUMBER
    kind = phonenumbers.number_type(number)
    region = phonenumbers.region_code_for_number(number)
    if kind in _NOBODY_ANSWERS or (region == _NO_COUNTRY and kind != PhoneNumberType.TOLL_FREE):
        return BAD_NUMBER
    zones = tuple(zone for zone in time_zones_for_number(number) if zone != UNKNOWN_ZONE)
    return Number("ok", zones, region if kind in _OF_ONE_COUNTRY else None)


def mask(phone: str) -> str:
    """`+44******67`: the country code, six stars whatever the length, the last two digits."""
    if not _E164.fullmatch(phone):
        return "******"
    return f"+{_calling_code(phone)}******{phone[-2:]}"


def _read(raw: str, country: str | None) -> str | None:
    text = unicodedata.normalize("NFKC", raw).strip().removeprefix("tel:")
    if not _LOOKS_LIKE_A_NUMBER.fullmatch(text):
        return None
    number = _parse(text, country)
    # A number without its area code is "possible" at home, but here it would be shared by strangers.
    if number is None or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written if _E164.fullmatch(written) else None


def _parse(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None


def _calling_code(e164: str) -> str:
    """The country calling code of an E.164 number, without `+`; empty when nobody has it."""
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((e164[1:end] for end in (2, 3, 4) if int(e164[1:end]) in known), "")


def _has_trunk_zero(e164: str) -> bool:
    """`+44 (0)20 ...`: the zero is only dialled at home, and one customer must not become two."""
    return e164[1 + len(_calling_code(e164))] == "0"
