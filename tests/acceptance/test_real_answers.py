"""Real answers of real customers go in through Kafka; exactly the expected callbacks come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.parts.checks import check_conservation, check_history
from tests.parts.service import Service, bottombox
from tests.parts.town import Town, eventually

FILES: dict[str, tuple[str, dict[str, int]]] = {
    "shopzilla": ("shopzilla_csat_sample.csv", {"responses": 17_182, "alerts": 2_468, "callbacks": 2_468}),
    "olist": ("olist_order_reviews_sample.csv", {"responses": 8_225, "alerts": 3_020, "callbacks": 2_987}),
    "bank-reviews": ("bank_app_reviews_sample.csv", {"responses": 1_200, "alerts": 287, "callbacks": 287}),
}
TABLES = ("customers", "responses", "callbacks", "alerts", "history", "outbox", "attempts", "dead_letters")


@pytest.mark.parametrize("source", FILES)
async def test_a_real_file_gives_exactly_its_callbacks_and_a_second_run_changes_nothing(
    town: Town, survey_data: Path, source: str
) -> None:
    name, expected = FILES[source]
    with Service.start("consume", town.env):
        summary = bottombox("publish", str(survey_data / name), "--source", source, env=town.env)
        assert summary["rows"] == summary["sent"] == expected["responses"]
        assert summary["unreadable"] == []
        assert summary["by_box"]["bottom"] == expected["alerts"]
        await eventually(town.accounted, lambda count: count == expected["responses"])
        assert await _counts(town, expected) == expected
        before = await _contents(town)

        bottombox("publish", str(survey_data / name), "--source", source, env=town.env)
        await eventually(town.accounted, lambda count: count == 2 * expected["responses"])

        assert await _contents(town) == before
    if source == "shopzilla":
        by_rating = await town.rows(
            "SELECT rating, count(*) AS n FROM responses WHERE rating <= 2 GROUP BY 1 ORDER BY 1"
        )
        assert by_rating == [{"rating": 1, "n": 2_241}, {"rating": 2, "n": 227}]
    assert await town.value("SELECT count(*) FROM dead_letters") == 0
    assert await town.value("SELECT sum((outcomes->>'duplicate')::int) FROM partitions") == expected["responses"]
    await check_conservation(town)
    await check_history(town)


async def _counts(town: Town, tables: dict[str, int]) -> dict[str, int]:
    return {table: int(await town.value(f"SELECT count(*) FROM {table}")) for table in tables}


async def _contents(town: Town) -> dict[str, Any]:
    """A fingerprint of every table but the accounts."""
    sql = "SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM {} AS t"
    return {table: await town.value(sql.format(table)) for table in TABLES}
