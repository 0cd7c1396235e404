"""What was polled gets into the real ledger, whatever stands in the way of some of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.intake.record import Record
from consumers.kafka.producer import OutRecord
from consumers.sources.catalogue import Catalogue
from consumers.sources.source import read_source
from tests.parts.desk import NOW, Desk
from tests.parts.town import answer


def record(offset: int, *, partition: int = 0, comment: str = "", **data: Any) -> Record:
    value = json.dumps(answer(f"e{partition}-{offset}", 1, comment=comment, **data)).encode()
    return Record("surveys", partition, offset, int(NOW.timestamp() * 1000), None, value)


def unreadable(offset: int, *, partition: int = 0) -> Record:
    return Record("surveys", partition, offset, int(NOW.timestamp() * 1000), b"key", b"{", (("trace", None),))


async def test_an_answer_that_cannot_be_stored_costs_only_itself(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.sql("ALTER TABLE responses ADD CHECK (comment IS DISTINCT FROM 'poison')")
    pieces = await desk.take([record(offset, comment="poison" if offset == 6 else "") for offset in range(20)])
    assert [place for piece in pieces for place in piece] == [(0, offset) for offset in range(20)]
    assert await desk.outcomes() == {"bottom_box": 19, "dead_lettered": 1}
    [letter] = desk.shelf.kept
    assert json.loads(letter.value or b"")["id"] == "e0-6"
    assert dict(letter.headers)["bottombox-reason"] == b"not_storable"
    assert "surveys-0@6 cannot be stored" in caplog.text
    assert "poison" not in caplog.text


async def test_a_fault_that_would_hit_every_answer_sets_none_aside(desk: Desk) -> None:
    await desk.sql("ALTER TABLE responses ALTER COLUMN rating TYPE boolean USING true")
    with pytest.raises(Exception, match="rating"):
        await desk.take([record(offset) for offset in range(5)])
    assert desk.shelf.kept == []


async def test_a_batch_that_is_too_much_for_one_statement_goes_through_in_pieces(desk: Desk) -> None:
    await desk.sql("""
        CREATE FUNCTION too_many() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF (SELECT count(*) FROM new_rows) > 3 THEN
                RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014';
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER too_many AFTER INSERT ON responses REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION too_many();
    """)
    pieces = await desk.take([record(offset) for offset in range(10)])
    assert max(map(len, pieces)) <= 3
    assert [place for piece in pieces for place in piece] == [(0, offset) for offset in range(10)]
    assert await desk.outcomes() == {"bottom_box": 10}


async def test_large_records_are_spread_over_several_transactions(desk: Desk) -> None:
    padding = {"padding": "x" * 900_000}
    pieces = await desk.take([record(offset, attributes=padding) for offset in range(30)])
    assert len(pieces) == 2
    assert await desk.outcomes() == {"bottom_box": 30}


async def test_what_cannot_be_read_goes_out_together_and_once_though_kafka_fails_meanwhile(desk: Desk) -> None:
    desk.shelf.fails_after = 30
    await desk.take([unreadable(offset) for offset in range(100)] + [record(100)])
    assert desk.shelf.packets == [100, 70]
    origins = [dict(letter.headers)["bottombox-origin-offset"] for letter in desk.shelf.kept]
    assert origins == [str(offset).encode() for offset in range(100)]
    assert desk.shelf.kept[0].headers[0] == ("trace", None)
    assert await desk.outcomes() == {"bottom_box": 1, "dead_lettered": 100}


async def test_a_refused_dead_letter_stops_its_own_partition_only_and_repeats_no_other(desk: Desk) -> None:
    def is_refused(letter: OutRecord) -> bool:
        return dict(letter.headers)["bottombox-origin-offset"] == b"2"

    desk.shelf.refuses = is_refused
    records = [unreadable(0), record(1), unreadable(2), unreadable(3), record(4), record(0, partition=1)]
    [piece] = await desk.take(records)
    assert piece == [(0, 0), (0, 1), (1, 0)]
    assert [(place.partition, place.offset) for place in desk.refused] == [(0, 2)]
    assert desk.shelf.packets == [3, 1], "the refused one was tried once more, alone"
    desk.shelf.refuses = lambda letter: False
    await desk.take(records[2:5])
    assert desk.shelf.packets == [3, 1, 1], "what was acknowledged before is not sent again"
    assert await desk.outcomes() == {"bottom_box": 3, "dead_lettered": 3}


async def test_an_answer_that_can_be_neither_stored_nor_set_aside_stops_its_partition(desk: Desk) -> None:
    await desk.sql("ALTER TABLE responses ADD CHECK (comment IS DISTINCT FROM 'poison')")
    desk.shelf.refuses = lambda letter: True
    records = [record(0), record(1, comment="poison"), record(2), record(0, partition=1)]
    pieces = await desk.take(records)
    assert sorted(place for piece in pieces for place in piece) == [(0, 0), (1, 0)]
    assert [(place.partition, place.offset) for place in desk.refused] == [(0, 1)]


async def test_an_answer_without_a_rating_is_counted_once_under_its_source(desk: Desk) -> None:
    desk.intake.catalogue = Catalogue(
        [
            read_source(
                "name: calls\nunrated: pass_over\nmap: {event_id: id, rating: key, answered_at: at}", file="calls.yaml"
            )
        ]
    )
    headers = (("bottombox-source", b"calls"),)
    at = int(NOW.timestamp() * 1000)
    records = [Record("surveys", 0, 0, at, None, None), Record("surveys", 0, 1, at, None, b'{"id": "e"}', headers)]
    counted = [[dict(taken.report.unrated) async for taken in desk.intake.take(records, NOW, desk.stop)] for _ in "ab"]
    assert counted == [[{"calls": 1}], [{"calls": 0}]]
    assert await desk.outcomes() == {"tombstone": 2}
