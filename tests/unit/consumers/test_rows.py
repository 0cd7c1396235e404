"""A file of answers becomes the same survey events each time it is read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.arrival import Answer
from alerts.errors import Misconfigured
from alerts.identity import handle_of, record_key
from consumers.intake.reason import DeadLetterReason
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import load_catalogue
from consumers.sources.rows import FileRow, InvalidRow, Sendable, last_answer, read_rows
from consumers.sources.source import Source, read_source

CATALOGUE = load_catalogue()
CRM = """
name: crm
map:
  event_id: {event_id}
  rating: {{from: score, type: int}}
  comment: note
  answered_at: {{from: at, type: datetime, zone: UTC}}
  customer: {{id: {who}}}
  interaction: {{started_at: {{from: at, type: datetime, zone: UTC}}, ended_at: over}}
rows: {{{rows}}}
"""
SECRET = b"a secret of the tests"


def rows_of(source: Source, path: Path, **more: Any) -> list[FileRow]:
    return list(read_rows(source, path, secret=SECRET, **more))


def good(rows: list[FileRow]) -> list[Sendable]:
    return [row for row in rows if isinstance(row, Sendable)]


def shipped(name: str) -> Source:
    source = CATALOGUE.get(name)
    assert source is not None
    return source


LATER = datetime(2030, 1, 1, tzinfo=UTC)


def crm(tmp_path: Path, text: str | bytes, *, name: str = "answers.csv", **swaps: str) -> tuple[Source, Path]:
    """The source `crm` with lines of its file swapped (rows, event_id, who), and a file of answers."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lines = {"rows": 'delimiter: ";"', "event_id": "id", "who": "who", **swaps}
    return read_source(CRM.format_map(lines), file="crm.yaml"), path


def read_back(row: Sendable) -> Answer:
    found = read_record(Record("t", 0, 0, -1, row.key, row.value, row.headers), CATALOGUE, LATER)
    assert isinstance(found, Answer), found
    return found


@pytest.mark.parametrize(
    ("name", "file", "ratings", "customers"),
    [
        ("shopzilla", "shopzilla_csat_sample.csv", {1: 2241, 2: 227, 3: 503, 4: 2277, 5: 11934}, 2468),
        ("olist", "olist_order_reviews_sample.csv", {1: 2638, 2: 382, 3: 667, 4: 1184, 5: 3354}, 2987),
        ("bank-reviews", "bank_app_reviews_sample.csv", {1: 245, 2: 42, 3: 64, 4: 79, 5: 770}, 287),
    ],
)
def test_real_answers_are_all_read_and_come_back_as_they_went(
    survey_data: Path, name: str, file: str, ratings: dict[int, int], customers: int
) -> None:
    rows = rows_of(shipped(name), survey_data / file)
    sent = good(rows)
    assert [row for row in rows if isinstance(row, InvalidRow)] == []
    assert Counter(row.response.rating for row in sent) == ratings
    assert len({row.response.event_id for row in sent}) == len(sent) == sum(ratings.values())
    unhappy = {handle_of(row.response) for row in sent if row.response.rating <= 2}
    assert len(unhappy) == customers
    assert all(read_back(row).response == row.response for row in sent)


def test_a_row_becomes_a_cloud_event_that_counts_under_its_source(tmp_path: Path) -> None:
    source, path = crm(tmp_path, "id;score;note;at;who\ne-1;2;Nobody came;2026-01-02T03:04:05;c-1\n")
    (row,) = good(rows_of(source, path))
    assert row.line == 2
    assert dict(row.headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"survey.response.submitted.v1",
        "ce_source": b"/sources/crm",
        "ce_id": b"e-1",
        "ce_time": b"2026-01-02T03:04:05+00:00",
        "content-type": b"application/json",
        "bottombox-source": b"crm",
    }
    handle = handle_of(row.response)
    assert handle is not None
    assert row.key == record_key(handle, SECRET)
    assert (row.response.rating, row.response.comment) == (2, "Nobody came")


def test_reading_twice_gives_the_same_events(tmp_path: Path) -> None:
    source, path = crm(tmp_path, "id;score;at;who\ne-1;2;2026-01-02;c-1\ne-2;5;2026-01-02;c-1\n")
    assert rows_of(source, path) == rows_of(source, path)


def test_a_shift_moves_the_times_and_not_the_ids(tmp_path: Path) -> None:
    over = "2026-01-02T01:00:00+01:00"
    source, path = crm(tmp_path, f"id;score;at;who;over\ne-1;2;2026-01-02;c;{over}\ne-2;2;2026-01-03;c;{over}\n")
    assert last_answer(source, path) == datetime(2026, 1, 3, tzinfo=UTC)
    first, *_ = good(rows_of(source, path, shift=timedelta(days=3)))
    assert first.response.event_id == "e-1"
    assert first.response.answered_at == first.response.revised_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert first.response.interaction.started_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert first.response.interaction.ended_at == datetime(2026, 1, 5, tzinfo=UTC)


def test_a_time_that_a_shift_carries_beyond_the_calendar_is_a_bad_row(tmp_path: Path) -> None:
    source, path = crm(tmp_path, "id;score;at;who\ne-1;2;9999-12-31;c-1\n")
    (row,) = rows_of(source, path, shift=timedelta(days=3))
    assert isinstance(row, InvalidRow)
    assert row.reason is DeadLetterReason.INVALID_TIME


def test_a_bad_row_is_told_with_its_line_and_the_rest_is_read(tmp_path: Path) -> None:
    text = (
        b"\xef\xbb\xbfid;score;note;at;who\n"
        b'e-1;1;"two\nlines";2026-01-02;c-1\n'
        b"e-2;bad;;2026-01-02;c-1\n"
        b"e-3;1;;soon;c-1\n"
        b"e-4;1;;2026-01-02\n"
        b"e-5;1;\xff;2026-01-02;c-1\n"
        b"\n"
        b"e-6;1;;2026-01-02;\n"
        b";1;;2026-01-02;c-1\n"
        b"e-7;1;no\0body;2026-01-02;c-1\n"
    )
    rows = rows_of(*crm(tmp_path, text))
    assert [(row.line, row.reason, row.field) for row in rows if isinstance(row, InvalidRow)] == [
        (4, DeadLetterReason.INVALID_RATING, "rating"),
        (5, DeadLetterReason.INVALID_TIME, "answered_at"),
        (6, DeadLetterReason.MALFORMED, None),
        (7, DeadLetterReason.MALFORMED, None),
        (9, DeadLetterReason.NO_HANDLE, "customer"),
        (10, DeadLetterReason.MAPPING_FAILED, "event_id"),
    ]
    assert [(row.line, row.response.comment, row.response.flags) for row in good(rows)] == [
        (2, "two\nlines", ()),
        (11, "nobody", ("nul_removed",)),
    ]


def test_rows_that_are_alike_to_the_last_letter_are_told_apart_by_counting(tmp_path: Path) -> None:
    text = "score,at,who\n1,2026-01-02,c\n1,2026-01-02,c\n2,2026-01-02,c\n"
    source, path = crm(tmp_path, text, rows="identity: row_hash", event_id="row_hash")
    ids = [row.response.event_id for row in good(rows_of(source, path))]
    assert len(set(ids)) == 3
    assert ids == [row.response.event_id for row in good(rows_of(source, path))]


def test_a_row_meets_its_partner_in_the_joined_file(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,person\ne-1,c-9\n")
    text = "id,score,at\ne-1,1,2026-01-02\ne-2,1,2026-01-02\n"
    partner, alone = rows_of(*crm(tmp_path, text, rows="join: {file: people.csv, on: id, as: p}", who="p.person"))
    assert isinstance(partner, Sendable)
    assert partner.response.customer.id == "c-9"
    assert isinstance(alone, InvalidRow)
    assert alone.reason is DeadLetterReason.NO_HANDLE


def test_a_limit_ends_the_reading(tmp_path: Path) -> None:
    source, path = crm(tmp_path, "id;score;at;who\n" + "".join(f"e-{n};1;2026-01-02;c\n" for n in range(9)))
    assert [row.response.event_id for row in good(rows_of(source, path, limit=2))] == ["e-0", "e-1"]


def test_json_lines_are_read_strictly_one_by_one(tmp_path: Path) -> None:
    text = (
        '{"id":"e-1","score":1,"at":"2026-01-02","who":"c"}\n\n'
        '{"id":"e-2","id":"e-3"}\n'
        '{"id":"e-4","score":2,"at":"2026-01-02","who":"c","note":"a\\u0000b"}\n'
    )
    first, second, third = rows_of(*crm(tmp_path, text, name="answers.jsonl"))
    assert isinstance(first, Sendable)
    assert first.response.event_id == "e-1"
    assert isinstance(second, InvalidRow)
    assert (second.line, second.reason) == (3, DeadLetterReason.MALFORMED)
    assert isinstance(third, Sendable)
    assert (third.line, third.response.comment) == (4, "ab")


@pytest.mark.parametrize("name", ["missing.csv", "missing.jsonl"])
def test_a_file_that_is_not_there_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured, match=rf"{name} cannot be read"):
        rows_of(shipped("shopzilla"), tmp_path / name)


def test_a_joined_file_that_is_missing_or_lacks_its_column_is_told(tmp_path: Path) -> None:
    reviews = tmp_path / "reviews.csv"
    reviews.write_text("review_id,order_id\nr,o\n")
    with pytest.raises(Misconfigured, match=r"olist_orders_sample\.csv cannot be read"):
        rows_of(shipped("olist"), reviews)
    (tmp_path / "olist_orders_sample.csv").write_text("id\n1\n")
    with pytest.raises(Misconfigured, match=r'olist_orders_sample\.csv, line 1: .*looked for "order_id"'):
        rows_of(shipped("olist"), reviews)
