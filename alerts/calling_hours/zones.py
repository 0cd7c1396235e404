"""Which names are time zones: the one judgement in the house, for policies, answers and calling hours alike."""

from __future__ import annotations

from functools import cache
from importlib import resources

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
