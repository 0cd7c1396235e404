"""Says of a phone number whether it may be dialled and in which time zones it may ring, and how to show or hide it.

A number is kept as E.164, with its extension behind it where it has one: `+442079460967`, `+12125550123;ext=45` (RFC
3966). How people write numbers is `alerts.phones.written_number`'s to know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.timezone import time_zones_for_number

from alerts.phones.regions import regions_of_number
from alerts.phones.written_number import WrittenNumber, read_written

UNKNOWN_ZONE = "Etc/Unknown"

_KEPT = re.compile(r"(\+[1-9][0-9]{6,14})(?:;ext=([0-9]{1,9}))?")
_LONGEST_TEXT = 128  # what is longer is prose, and costs time to search
_READ_ANEW = 3  # reading what was read changes nothing; this many times it may settle

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
_ONCE_DIALLED = {"52": ("1", "01", "044", "045")}  # Mexico's mobiles until 2019; messengers still write the 1
# Numbers that were given another digit, as they were written before: Brazil's mobiles until 2016 (messengers still do).
# And Italy's without the zero that others drop and Italy does not.
_RENUMBERED = (
    (re.compile(r"\+55([1-9][1-9])([6-9][0-9]{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+39([1-9][0-9]{5,9})"), r"+390\1"),
)
_NO_COUNTRY = "001"  # how the library writes the country of satellites and other world-wide services


class Number(Struct, frozen=True):
    """What a phone number tells us.

    `status`: `none` there is no number; `bad` there is one that must not be dialled; `ok` otherwise.
    `zones`: IANA names of every zone in which it may ring; empty when nothing is known.
    `country`: ISO 3166 alpha-2 of the number itself; None when it belongs to several countries or to none.
    `regions`: the parts of that country (ISO 3166-2) that its area code names; empty when it names none.
    """

    status: Literal["ok", "none", "bad"]
    zones: tuple[str, ...] = ()
    country: str | None = None
    regions: tuple[str, ...] = ()


NO_NUMBER = Number("none")
BAD_NUMBER = Number("bad")


@lru_cache(maxsize=8192)
def normalise(raw: str, country: str | None) -> str | None:
    """`raw` in E.164 with its extension (`+12125550123;ext=45`), or None when it cannot be read as a number.

    `country` (ISO 3166 alpha-2) is where a number without `+` was written. Whether the number may be dialled is
    `judge`'s to say. One number has one form, however it is written, and to read that again changes nothing. Never raises.
    """
    if _KEPT.fullmatch(raw) and _valid(to_dial(raw)):
        return raw
    written = read_written(raw) if len(raw) <= _LONGEST_TEXT else None
    if written is None:
        return None
    e164 = _best(_readings(written, country.upper() if country else None))
    return e164 and (f"{e164};ext={written.extension}" if written.extension else e164)


@lru_cache(maxsize=8192)
def judge(phone: str | None, country: str | None) -> Number:
    """Whether `phone` may be dialled, and where it may ring.

    Bad are: what is no possible or no valid number, emergency and short numbers, premium-rate and shared-cost
    numbers, pagers and voice-mail boxes, world-wide networks that no country owns, such as satellites, and one digit
    held down. What withheld callers are shown as is among them: `+266696687` spells "anonymous". Toll-free numbers,
    company numbers (UAN, the British 03) and personal numbers are dialled like any other.
    """
    if phone is None or not phone.strip():
        return NO_NUMBER
    kept = normalise(phone, country)
    number = _valid(to_dial(kept)) if kept else None
    if kept is None or number is None or _is_made_up(number):
        return BAD_NUMBER
    kind = phonenumbers.number_type(number)
    region = phonenumbers.region_code_for_number(number)
    if kind in _NOBODY_ANSWERS or (region == _NO_COUNTRY and kind != PhoneNumberType.TOLL_FREE):
        return BAD_NUMBER
    zones = tuple(zone for zone in time_zones_for_number(number) if zone != UNKNOWN_ZONE)
    if kind not in _OF_ONE_COUNTRY:
        return Number("ok", zones)
    return Number("ok", zones, region, regions_of_number(to_dial(kept), region))


def to_dial(kept: str) -> str:
    """The number alone, in E.164: what a dialler takes."""
    return kept.partition(";")[0]


def extension_of(kept: str) -> str | None:
    """What to dial once the switchboard answers."""
    return kept.partition(";ext=")[2] or None


def to_show(kept: str) -> str:
    """For an advisor's eyes: `+12125550123 ext. 45`."""
    return kept.replace(";ext=", " ext. ")


def mask(phone: str) -> str:
    """`+44******67`: the country code, six stars whatever the length, the last two digits; ` ext. **` for an extension."""
    kept = _KEPT.fullmatch(phone)
    if kept is None:
        return "******"
    number, extension = kept.groups()
    return f"+{_calling_code(number)}******{number[-2:]}{' ext. **' if extension else ''}"


def _readings(written: WrittenNumber, country: str | None) -> Iterator[str]:
    """What the digits may mean, in E.164, the likeliest first."""
    digits = written.digits
    if written.has_plus and not digits.startswith("0"):
        yield from _as_international(digits)
        yield from _after_trunk_digit(digits, country) if country else ()
        return
    if written.has_plus:  # no country code begins with 0: a plus before a number as it is dialled at home or abroad
        digits = digits.removeprefix("00") if digits.startswith("00") else digits
        yield from _as_international(digits) if digits != written.digits else ()
    yield from _e164(_parse(digits, country) if country else None)
    for prefix in ("00", "011"):
        if digits.startswith(prefix):
            yield from _as_international(digits.removeprefix(prefix))
    home = phonenumbers.country_code_for_region(country) if country else 0
    if home and digits.startswith(str(home)):
        yield from _as_international(digits)


def _after_trunk_digit(digits: str, country: str) -> Iterator[str]:
    """`+8 916 ...`, as Russians write 8 916 ...: a plus before a number as it is dialled at home."""
    trunk = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True)
    yield from _e164(_parse(digits, country)) if trunk and digits.startswith(trunk) else ()


def _as_international(digits: str) -> Iterator[str]:
    number = _parse(f"+{digits}", None)
    yield from _e164(number)
    if number is None:
        return
    # The library keeps a trunk digit when the number is of a possible length with it, and has forgotten some.
    assert number.country_code is not None
    region = phonenumbers.region_code_for_country_code(number.country_code)
    code, trunk = str(number.country_code), phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True)
    for left_over in (*_ONCE_DIALLED.get(code, ()), *((trunk,) if trunk else ())):
        if digits.startswith(code + left_over):
            yield from _e164(_parse(f"+{code}{digits.removeprefix(code + left_over)}", None))


def _best(readings: Iterable[str]) -> str | None:
    """The first that is a valid number, else the first."""
    first: str | None = None
    for reading in readings:
        for today in (reading, *_renumbered(reading)):
            if _valid(today):
                return today
        first = first or reading
    return _settled(first)


def _renumbered(e164: str) -> Iterator[str]:
    return (pattern.sub(now, e164) for pattern, now in _RENUMBERED if pattern.fullmatch(e164))


@lru_cache(maxsize=8192)
def _valid(e164: str) -> PhoneNumber | None:
    """The number, if it is one and is read as it is written."""
    number = _parse(e164, None)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return number if phonenumbers.format_number(number, PhoneNumberFormat.E164) == e164 else None


def _e164(number: PhoneNumber | None) -> Iterator[str]:
    # A number without its area code is "possible" at home, but here it would be shared by strangers.
    if number is None or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if _KEPT.fullmatch(written):
        yield written


def _settled(e164: str | None) -> str | None:
    """What it is read as when it is read again; some texts that are no number lose a digit each time."""
    for _ in range(_READ_ANEW):
        again = None if e164 is None else next(_e164(_parse(e164, None)), None)
        if again == e164:
            return e164
        e164 = again
    return None


def _parse(text: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _is_made_up(number: PhoneNumber) -> bool:
    return len(set(phonenumbers.national_significant_number(number))) == 1


def _calling_code(e164: str) -> str:
    """The country calling code of an E.164 number, without `+`; empty when nobody has it."""
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((e164[1:end] for end in (2, 3, 4) if int(e164[1:end]) in known), "")
