"""The same figures by hand: the files read again, and counted in plain Python without a line of the product's."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

INDIA, BRAZIL = ZoneInfo("Asia/Kolkata"), ZoneInfo("America/Sao_Paulo")
Told = Mapping[str, str]


class Said(NamedTuple):
    """One answer: when, how many of five points, by whom, and whatever else the file tells."""

    at: datetime
    points: int
    customer: str
    told: Told

    @property
    def is_bad(self) -> bool:
        return self.points <= 2


@cache
def shopzilla_rows(folder: Path) -> tuple[Said, ...]:
    channels = {"Inbound": "voice", "Outcall": "voice", "Email": "email"}
    return tuple(
        Said(
            datetime.strptime(row["issue_responded"], "%d/%m/%Y %H:%M").replace(tzinfo=INDIA).astimezone(UTC),
            int(row["CSAT Score"]),
            row["Unique id"],
            {
                "channel": channels[row["channel_name"]],
                "team": row["Supervisor"],
                "queue": row["category"],
                "reason": row["Sub-category"],
            },
        )
        for row in rows_of(folder / "shopzilla_csat_sample.csv")
    )


@cache
def olist_rows(folder: Path) -> tuple[Said, ...]:
    people = {row["order_id"]: row for row in rows_of(folder / "olist_orders_sample.csv")}
    return tuple(
        Said(
            datetime.strptime(row["review_answer_timestamp"], "%Y-%m-%d %H:%M:%S")
            .replace(tzinfo=BRAZIL)
            .astimezone(UTC),
            int(row["review_score"]),
            people[row["order_id"]]["customer_unique_id"],
            {"order": row["order_id"], "reason": people[row["order_id"]]["order_status"]},
        )
        for row in rows_of(folder / "olist_order_reviews_sample.csv")
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def wilson(count: int, of: int) -> dict[str, Any]:
    if not of:
        return {"count": count, "of": 0, "share": None, "low": None, "high": None}
    low, high = proportion_confint(count, of, method="wilson")
    return {"count": count, "of": of, "share": count / of, "low": low, "high": high}


def newcombe(count: int, of: int, other: int, of_others: int) -> dict[str, Any]:
    if not of or not of_others:
        return {"value": None, "low": None, "high": None}
    low, high = confint_proportions_2indep(count, of, other, of_others, method="newcomb", compare="diff")
    return {"value": count / of - other / of_others, "low": low, "high": high}


def is_close(found: Any, expected: Any) -> bool:
    """Alike, save for what the last digits of a fraction are."""
    if isinstance(expected, Mapping):
        return all(name in found and is_close(found[name], expected[name]) for name in expected)
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(is_close, found, expected))
    if isinstance(expected, float) and found is not None:
        return bool(abs(found - expected) <= 1e-9 * max(1.0, abs(expected)))
    return bool(found == expected)


def median(values: Iterable[float]) -> float | None:
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def utc(at: datetime) -> str:
    """As JSON has it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def p_chart(earlier: Iterable[tuple[int, int]], of: int) -> dict[str, Any] | None:
    """Center and three sigma with Laney's correction, for points of more than a few answers."""
    points = [(count, n) for count, n in earlier if n]
    if len(points) < 8:
        return None
    center = sum(count for count, _ in points) / sum(n for _, n in points)
    scores = [(count / n - center) / sqrt(center * (1 - center) / n) for count, n in points]
    steps = [abs(after - before) for before, after in pairwise(scores)]
    sigma_z = max(1.0, sum(steps) / len(steps) / 1.1283791670955126)
    reach = 3 * sigma_z * sqrt(center * (1 - center) / of)
    return {"center": center, "low": max(0.0, center - reach), "high": min(1.0, center + reach), "sigma_z": sigma_z}


def within(
    said: Iterable[Said], since: datetime, until: datetime, keep: Callable[[Said], bool] = lambda _: True
) -> list[Said]:
    return [each for each in said if since <= each.at < until and keep(each)]


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Mention(NamedTuple):
    """That somebody spoke of a contact of theirs."""

    at: datetime
    customer: str
    contact: str
    value: str | None = None


def first_contacts(mentions: Iterable[Mention], since: datetime, until: datetime, days: int) -> list[dict[str, Any]]:
    """Each contact at its first answer; whether the same customer had another one later, but within the days."""
    first: dict[tuple[str, str], Mention] = {}
    for each in sorted(mentions):
        first.setdefault((each.customer, each.contact), each)
    groups: dict[str | None, list[bool]] = defaultdict(list)
    moments: dict[str, list[datetime]] = defaultdict(list)
    for each in first.values():
        moments[each.customer].append(each.at)
    for each in first.values():
        if since <= each.at < until - timedelta(days=days):
            again = any(each.at < at <= each.at + timedelta(days=days) for at in moments[each.customer])
            groups[each.value].append(not again)
    shares = {value: wilson(sum(settled), len(settled)) for value, settled in groups.items()}
    return [{"value": value, "share": share} for value, share in shares.items()]
