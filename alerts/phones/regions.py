"""In which parts of a country a customer may be, as far as the number or the zone names them; holidays differ there."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

# Parts of a country as ISO 3166-2 names them, without the country: zones that lie in some of its parts only.
_BY_ZONE: dict[str, tuple[str, ...]] = {
    "Australia/Sydney": ("NSW", "ACT"),
    "Australia/Lord_Howe": ("NSW",),
    "Australia/Broken_Hill": ("NSW", "NSW Western"),
    "Australia/Melbourne": ("VIC",),
    "Australia/Hobart": ("TAS",),
    "Australia/Brisbane": ("QLD",),
    "Australia/Lindeman": ("QLD",),
    "Australia/Adelaide": ("SA",),
    "Australia/Darwin": ("NT",),
    "Australia/Perth": ("WA",),
    "Australia/Eucla": ("WA",),
    "America/St_Johns": ("NL",),
    "America/Goose_Bay": ("NL",),
    "America/Halifax": ("NS", "PE"),
    "America/Glace_Bay": ("NS",),
    "America/Moncton": ("NB",),
    "America/Toronto": ("ON", "QC"),
    "America/Winnipeg": ("MB", "ON"),
    "America/Regina": ("SK",),
    "America/Edmonton": ("AB", "BC", "NT", "SK"),
    "America/Vancouver": ("BC",),
    "America/Whitehorse": ("YT",),
    "America/Detroit": ("MI",),
    "America/Phoenix": ("AZ",),
    "America/Anchorage": ("AK",),
    "Pacific/Honolulu": ("HI",),
    "Atlantic/Canary": ("CN",),
    "Africa/Ceuta": ("CE", "ML"),
    "Atlantic/Azores": ("20",),
    "Atlantic/Madeira": ("30",),
    "Pacific/Chatham": ("CIT",),
    "Asia/Kuching": ("12", "13"),
    "America/Bahia": ("BA",),
    "America/Recife": ("PE",),
    "America/Manaus": ("AM",),
    "America/Rio_Branco": ("AC",),
    "America/Cuiaba": ("MT",),
    "America/Campo_Grande": ("MS",),
    "America/Porto_Velho": ("RO",),
    "America/Boa_Vista": ("RR",),
    "America/Araguaina": ("TO",),
}
_LONGEST_CODE = 7


def regions_of_number(e164: str, country: str | None) -> tuple[str, ...]:
    """The parts of the country that a number's area code names; none when it names none, as most mobiles do."""
    digits = e164.removeprefix("+")
    codes = (digits[:length] for length in range(_LONGEST_CODE, 1, -1))
    named_in, parts = next((found for found in map(_area_codes().get, codes) if found), ("", ()))
    return parts if named_in == country else ()


def regions_of_zone(zone: str) -> tuple[str, ...]:
    """The parts of the country in which a customer's own zone lies; none when it may be any of them.

    Not for the zones of a number: there Sydney may stand for Melbourne, whose clock is the same.
    """
    return _BY_ZONE.get(zone, ())


@lru_cache(maxsize=1)
def _area_codes() -> dict[str, tuple[str, tuple[str, ...]]]:
    text = resources.files("alerts.phones").joinpath("area_codes.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.replace("\n  ", " ").splitlines() if not line.startswith("#")]
    named = {(country, parts): tuple(parts.replace("_", " ").split("+")) for country, parts, *_ in rows}
    return {code: (country, named[country, parts]) for country, parts, *codes in rows for code in codes}
