"""The demo's customers: made up, round the globe, and the same ones each time."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Any

from msgspec import Struct

from alerts.identity import Handle
from app.demo import voices
from consumers.intake.record import CLOUDEVENTS


class Town(Struct, frozen=True):
    """Where some customers live. `prefix` and then `digits` more is a phone number kept free for films and books;
    without one, nobody's number could be shown without it being somebody's, so these people left only an e-mail."""

    city: str
    country: str
    zone: str
    languages: str
    customers: int
    prefix: str = ""
    digits: int = 0


# The ranges that regulators keep for drama, as far as libphonenumber calls them valid: Ofcom (020 7946 0xxx and so on),
# NANPA (555-0100 to 0199), Bundesnetzagentur, ARCEP (01 99 00 and so on), ACMA (5550 xxxx), PTS (08-465 004 xx).
PLACES = (
    Town("London", "GB", "Europe/London", "en", 160, "+442079460", 3),
    Town("Manchester", "GB", "Europe/London", "en", 80, "+441614960", 3),
    Town("Edinburgh", "GB", "Europe/London", "en", 40, "+441314960", 3),
    Town("Berlin", "DE", "Europe/Berlin", "de de de en", 130, "+493023125", 3),
    Town("Hamburg", "DE", "Europe/Berlin", "de", 60, "+494066969", 3),
    Town("München", "DE", "Europe/Berlin", "de", 60, "+498999998", 3),
    Town("Paris", "FR", "Europe/Paris", "fr fr fr pt", 130, "+3319900", 4),
    Town("Lyon", "FR", "Europe/Paris", "fr", 60, "+3346571", 4),
    Town("Stockholm", "SE", "Europe/Stockholm", "en", 40, "+468465004", 2),
    Town("Madrid", "ES", "Europe/Madrid", "es", 60),
    Town("Lisboa", "PT", "Europe/Lisbon", "pt", 50),
    Town("New York", "US", "America/New_York", "en en es", 80, "+121255501", 2),
    Town("Newark", "US", "America/New_York", "en pt", 60, "+197355501", 2),
    Town("Miami", "US", "America/New_York", "es es en", 80, "+130555501", 2),
    Town("San Juan", "PR", "America/Puerto_Rico", "es", 50, "+178755501", 2),
    Town("Montréal", "CA", "America/Toronto", "fr fr en", 70, "+151455501", 2),
    Town("Chicago", "US", "America/Chicago", "en", 80, "+131255501", 2),
    Town("San Antonio", "US", "America/Chicago", "en es", 80, "+121055501", 2),
    Town("Denver", "US", "America/Denver", "en", 90, "+130355501", 2),
    Town("Los Angeles", "US", "America/Los_Angeles", "en es", 90, "+121355501", 2),
    Town("Seattle", "US", "America/Los_Angeles", "en", 80, "+120655501", 2),
    Town("Vancouver", "CA", "America/Vancouver", "en", 95, "+160455501", 2),
    Town("São Paulo", "BR", "America/Sao_Paulo", "pt", 80),
    Town("Anchorage", "US", "America/Anchorage", "en", 80, "+190755501", 2),
    Town("Honolulu", "US", "Pacific/Honolulu", "en", 95, "+180855501", 2),
    Town("Auckland", "NZ", "Pacific/Auckland", "en", 30),
    Town("Sydney", "AU", "Australia/Sydney", "en", 230, "+6125550", 4),
    Town("Brisbane", "AU", "Australia/Brisbane", "en", 200, "+6175550", 4),
    Town("Perth", "AU", "Australia/Perth", "en", 330, "+6185550", 4),
    Town("Hagåtña", "GU", "Pacific/Guam", "en", 95, "+167155501", 2),
    Town("Mumbai", "IN", "Asia/Kolkata", "en", 120),
    Town("Dubai", "AE", "Asia/Dubai", "en", 70),
)

SEGMENTS = {"standard": 80, "gold": 12, "business": 5, "platinum": 3}


class Person(Struct, frozen=True):
    """One customer. `facts` is the `customer` member of their answers; `zone` stands there too, unless they keep it."""

    language: str
    country: str
    city: str
    zone: str
    facts: dict[str, Any]

    @property
    def handle(self) -> Handle:
        """By which they are known: the id, else the phone number, else the e-mail."""
        if "id" in self.facts:
            return Handle("id", CLOUDEVENTS, self.facts["id"])
        if "phone" in self.facts:
            return Handle("phone", "", self.facts["phone"])
        return Handle("email", "", self.facts["email"])


def people(seed: int) -> tuple[Person, ...]:
    """All of them, well mixed; no two share a number or an e-mail."""
    dice = random.Random(seed)  # noqa: S311 - a story, no secret
    everybody = [_person(dice, place, number) for place in PLACES for number in range(place.customers)]
    dice.shuffle(everybody)
    return tuple(everybody)


def _person(dice: random.Random, place: Town, number: int) -> Person:
    language = dice.choice(place.languages.split())
    called = voices.name(dice, language)
    facts: dict[str, Any] = {
        "id": f"c-{place.country.lower()}-{_plain(place.city)}-{number:04}",
        "name": called,
        "email": f"{_plain(called)}.{_plain(place.city)}{number}@example.com",
        "time_zone": place.zone,
        "country": place.country,
        "language": language,
        "segment": dice.choices(list(SEGMENTS), list(SEGMENTS.values()))[0],
        "since": date(dice.randint(2009, 2025), dice.randint(1, 12), dice.randint(1, 28)).isoformat(),
        "value": round(dice.lognormvariate(4, 0.8), 2),
    }
    if place.prefix:
        facts["phone"] = f"{place.prefix}{number:0{place.digits}}"
    for missing in _left_out(dice, facts):
        del facts[missing]
    return Person(language, place.country, place.city, place.zone, facts)


def _left_out(dice: random.Random, facts: dict[str, Any]) -> Iterator[str]:
    """Some tell us less: one in thirty only a number, one in thirty only an e-mail, one in ten no zone."""
    luck = dice.random()
    if luck < 1 / 30 and "phone" in facts:
        yield from ("id", "email")
    elif luck > 29 / 30:
        yield "id"
        if "phone" in facts:
            yield "phone"
    elif luck < 4 / 30 and "phone" in facts:
        yield "time_zone"


def _plain(text: str) -> str:
    """ASCII lower-case letters with dots between words."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return ".".join(letters.split())
