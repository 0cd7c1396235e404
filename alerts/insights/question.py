"""What somebody wants to know: from when until when, on whose clock, and of which answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field

LONGEST_DAYS = 90
"""A contact that comes later than this after another one is not asked for as its repeat."""


class Question(Struct, frozen=True, kw_only=True):
    """Of [since, until). `zone`: an IANA name; days and hours are cut there. `filters`: by name, the values let through.

    An answer counts at its `answered_at` and by its newest revision alone, a callback at its `opened_at`, a resolution at
    its `ended_at`.
    """

    since: datetime
    until: datetime
    zone: str = "UTC"
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def clock(self) -> ZoneInfo:
        return ZoneInfo(self.zone)
