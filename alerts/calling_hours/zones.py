"""Which names are time zones: the one judgement in the house, for policies, answers and calling hours alike."""

from __future__ import annotations

from functools import cache
from importlib import resources

from alerts.wording.plain_text import visible

NO_PLACE = frozenset({"Factory"})
"""Names in the zone database that stand for no clock: `Factory` means that nobody has set one yet."""


@cache
def known_zones() -> frozenset[str]:
    """Every IANA name of the locked zone database, older spellings and `Etc/...` among them.

    The machine's own folder is not asked: it may lack a zone, and it holds names that mean something else on each
    machine (`localtime`) or another reckoning of time (`posix/...`, `right/...`).
    """
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - NO_PLACE


def is_zone(name: str) -> bool:
    """Whether this is an IANA time zone, in the database's own spelling."""
    return name in known_zones()


def read_zone(text: str) -> str | None:
    """The zone that somebody wrote, in the database's own spelling; None for what is none.

    No two zones differ in case alone, and no name holds a blank: `europe/london` and `America/New York` are what people
    and programs write.
    """
    return text if text in known_zones() else _by_spelling().get(_spelling(text))


def _spelling(text: str) -> str:
    return "_".join(visible(text).split()).casefold()


@cache
def _by_spelling() -> dict[str, str]:
    return {name.casefold(): name for name in known_zones()}
