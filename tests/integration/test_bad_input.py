"""Bad input through a real broker: each costs itself only, for a stated reason, and is kept byte for byte (I4)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.integration.test_kafka_as_it_is import sending
from tests.integration.test_lag import consuming
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.town import Town, answer, eventually
from tests.unit.consumers.intake.test_record import BAD, CATALOGUE

ODD: dict[str, dict[str, Any]] = {
    "no number": {"customer": {"id": "n1"}},
    "a number that cannot be read": {"customer": {"id": "n2", "phone": "none of your business"}},
    "an emergency number": {"customer": {"id": "n3", "phone": "112"}},
    "a premium number": {"customer": {"id": "n4", "phone": "+44 909 879 0000"}},
    "a satellite": {"customer": {"id": "n5", "phone": "+88213212345"}},
    "a toll-free number": {"customer": {"id": "n6", "phone": "+1 800 555 0123"}},
    "a number without a country": {"customer": {"id": "n7", "phone": "020 7946 0067", "country": "GB"}},
    "a comment of 100,000 letters": {"comment": "ä" * 100_000},
    "a NUL": {"comment": "a\0b"},
    "marks, signs and formulas": {"comment": "\u202e\u200b<b>😡</b>=cmd()"},
    "members that nobody knows": {"mood": {"of": ["the", "day"]}},
    "a channel that nobody knows": {"interaction": {"id": "i", "channel": "telepathy"}},
    "tomorrow": {"answered_at": "2100-01-01T00:00:00Z"},
}
"""What is odd and costs no answer (each of a bad answer, so that losing it would be told)."""


async def test_every_kind_of_bad_record_costs_only_itself_and_is_kept_byte_for_byte(town: Town) -> None:
    sent = []
    async with sending(town, compression_type="gzip", max_request_size=4 * 1024 * 1024) as producer:
        for number, (reason, field, content, headers) in enumerate(BAD):
            value = content if isinstance(content, bytes) else json.dumps(content).encode()
            bad = await producer.send(town.topic, value, key=b"k%d" % number, headers=[*headers], partition=0)
            await producer.send(town.topic, json.dumps(answer(f"behind {number}", 1)).encode(), partition=0)
            sent.append(((await bad).offset, str(reason), field, b"k%d" % number, value, headers))
    async with consuming(town, town.database, CATALOGUE):
        await eventually(town.accounted, lambda done: done == 2 * len(BAD))
    kept = {dict(each.headers)["bottombox-origin-offset"]: each for each in await town.dead_letters(len(BAD))}
    rows = {row["offset"]: row for row in await town.rows(BEHIND)}
    for offset, code, member, key, body, its_headers in sent:
        letter, row = kept[str(offset).encode()], rows[offset]
        assert (letter.key, letter.value, letter.headers[: len(its_headers)]) == (key, body, (*its_headers,)), code
        assert dict(letter.headers[len(its_headers) :])["bottombox-reason"].decode() == row["reason"] == code
        assert row["field"] == member
        assert row["later"] < timedelta(seconds=5), "the next one of the partition is taken in at once"
    await check_alerts(town, {f"behind {number}" for number in range(len(BAD))})
    await check_conservation(town)


# Each dead letter, and how much later the record behind it was taken in.
BEHIND = """
    SELECT d."offset", d.reason, d.field, r.received_at - d.failed_at AS later
    FROM dead_letters d JOIN responses r ON r."offset" = d."offset" + 1 AND r.partition = d.partition
"""


async def test_what_is_odd_costs_no_answer(town: Town) -> None:
    odd = [{**whole, "data": whole["data"] | ODD[whole["id"]]} for whole in (answer(name, 1) for name in ODD)]
    twice = [answer("twice", 1), answer("twice", 2)]
    other_sender = {**twice[0], "source": "/elsewhere"}
    await town.send([*odd, twice[0], *twice, other_sender], partition=0)
    malformed_trace = [("traceparent", b"not a trace")]
    await town.send_raw([json.dumps(answer("a trace", 1)).encode()], partition=0, headers=malformed_trace)
    async with consuming(town, town.database):
        await eventually(town.accounted, lambda done: done == len(ODD) + 5)
    outcomes = json.loads(await town.value("SELECT outcomes FROM partitions"))
    assert outcomes == {"bottom_box": len(ODD) + 3, "duplicate": 1, "conflict": 1}
    flags = {row["event_id"]: row["flags"] for row in await town.rows("SELECT event_id, flags FROM responses")}
    assert "cut:comment" in flags["a comment of 100,000 letters"]
    assert flags["members that nobody knows"] == []
    assert all(flags[name] for name in ("a NUL", "tomorrow", "a number that cannot be read"))
    await check_conservation(town)
