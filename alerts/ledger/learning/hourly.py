"""How many answers each scope had in each hour, and how many of them were bad."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.share import Count, total
from alerts.learning.watching import WEEK, WEEKS, HourlyCounts, WatchedScope
from alerts.ledger.insights.counted import COUNTED_ANSWERS

AT_MOST = 100
"""So many scopes of one kind are looked at, the largest: what senders write in `queue` may have no end."""

REACH = timedelta(hours=WEEK * (WEEKS + 1) + 2)
"""As far back as a look compares; the two hours are for summer time."""

HOUR = timedelta(hours=1)
CAUGHT_UP = 24 * HOUR
"""Further back a missed hour is not looked at any more."""

COLUMNS = {
    "source": "source",
    "queue": "contact_queue",
    "channel": "channel",
    "team": "agent_team",
    "survey": "survey_id",
}
"""Where each kind of scope stands in an answer."""


def counts_query(by: Sequence[str]) -> TextClause:
    """How many answers, and bad ones, had each scope in each hour of the wall clock? The newest revision alone counts.

    One pass for all kinds of scopes: in each row one of their columns has a value, the others are null.
    """
    columns = [COLUMNS[each] for each in by]
    return text(f"""
        SELECT hour, {", ".join(columns)}, count(*) AS answers, count(*) FILTER (WHERE box = 'bottom') AS bottom
        FROM (
            SELECT {", ".join(f"r.{each}" for each in columns)}, r.box,
                   CAST(floor(extract(epoch FROM r.answered_at AT TIME ZONE :zone) / 3600) AS bigint) AS hour
            FROM responses AS r
            WHERE r.answered_at >= :since AND r.answered_at < :until AND {COUNTED_ANSWERS}
        ) AS counted
        GROUP BY GROUPING SETS ({", ".join(f"(hour, {each})" for each in columns)})
    """)


async def hourly_counts(
    connection: AsyncConnection, until: datetime, by: Sequence[str], zone: str
) -> dict[WatchedScope, HourlyCounts]:
    """Of the weeks before `until`."""
    asked = {"since": until - REACH, "until": until, "zone": zone}
    found: dict[WatchedScope, dict[int, Count]] = defaultdict(dict)
    for row in await connection.execute(counts_query(by), asked):
        for each in by:
            value = row._mapping[COLUMNS[each]]
            if value is not None:
                found[WatchedScope(each, value)][row.hour] = Count(row.bottom, row.answers)
    return _largest(found)


def _largest(found: dict[WatchedScope, dict[int, Count]]) -> dict[WatchedScope, HourlyCounts]:
    by_size = sorted(found, key=lambda scope: (-total(found[scope].values()).of, scope))
    seen: dict[str, int] = defaultdict(int)
    kept: dict[WatchedScope, HourlyCounts] = {}
    for scope in by_size:
        seen[scope.by] += 1
        if seen[scope.by] <= AT_MOST:
            kept[scope] = found[scope]
    return kept


def hour_number(moment: datetime, zone: str) -> int:
    """The hour in which a moment lies, as the counts have it."""
    wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    return int(wall.timestamp() // 3600)


def hour_began(moment: datetime, zone: str) -> datetime:
    """The last full hour on the wall clock there."""
    return moment.astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def next_hour(last: datetime | None, newest: datetime, zone: str) -> datetime | None:
    """The end of the hour to look at, after the one that ended at `last`; None when there is none yet.

    Zones may begin their hours at other minutes, and a policy may have another zone since.
    """
    if last is None or last < newest - CAUGHT_UP:
        return newest
    after = hour_began(last + HOUR, zone)
    return after if last < after <= newest else None
