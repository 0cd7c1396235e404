"""A log line says what it is about, and nothing about anybody."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.log_fields import FIELDS, about, bound, plain_id
from app.logs import JsonLines, TextLines

MOMENT = datetime(2026, 11, 23, 9, 0, 0, 250_000, tzinfo=UTC)
SAID = "what a customer said"
OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


def line(
    message: str = "callback opened", error: BaseException | None = None, *, extra: Mapping[str, object] | None = None
) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("consumers.journal", logging.INFO, __file__, 1, message, None, info)
    record.created = MOMENT.timestamp()
    record.__dict__.update(extra or {})
    return record


def test_a_line_for_people_and_one_for_machines_say_the_same() -> None:
    opened = line(extra=about(callback="c-1", event="e-1", trace=None, version=1))
    assert TextLines().format(opened) == (
        "2026-11-23T09:00:00.250Z INFO    consumers.journal: callback opened callback=c-1 event=e-1 version=1"
    )
    assert json.loads(JsonLines().format(opened)) == {
        "time": "2026-11-23T09:00:00.250Z",
        "level": "info",
        "logger": "consumers.journal",
        "message": "callback opened",
        "callback": "c-1",
        "event": "e-1",
        "version": 1,
    }


def test_what_is_bound_stands_in_every_line_of_that_work_and_in_no_other() -> None:
    with bound(request="r-1", trace="t-1"):
        with bound(callback="c-1"):
            inner = JsonLines().format(line(extra=about(trace="t-2")))
        outer = JsonLines().format(line())
    after = JsonLines().format(line())
    assert {name: value for name, value in json.loads(inner).items() if name in FIELDS} == {
        "request": "r-1",
        "trace": "t-2",
        "callback": "c-1",
    }
    assert json.loads(outer)["trace"] == "t-1"
    assert "callback" not in json.loads(outer)
    assert "request" not in json.loads(after)


def test_a_field_that_nobody_knows_is_not_written() -> None:
    told = line(extra={"about": {"callback": "c-1", "phone": "a number"}})
    assert "phone" not in json.loads(JsonLines().format(told))
    assert "phone" not in TextLines().format(told)


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_an_error_is_told_by_its_kind_and_place_and_not_by_what_it_quotes(form: logging.Formatter) -> None:
    try:
        int(SAID)
    except ValueError as error:
        told = form.format(line("it failed", error))
    assert "ValueError" in told
    assert "test_logs.py" in told
    assert SAID not in told


def test_nothing_within_a_line_can_pass_for_a_line_of_its_own() -> None:
    told = TextLines().format(line("one\n2026-11-23 ERROR forged\x1b[31m\r\u0085"))
    _, second = told.split("\n")
    assert second.startswith("    2026")
    assert not set(told) & {"\x1b", "\r", "\u0085"}
    assert "\n" not in JsonLines().format(line("one\ntwo\x1b\u2028"))


@pytest.mark.parametrize(
    "text", ["e-1", "r-81:o-2", "0198c0de-0000-4000-8000-000000000000", "123456", "1" * 16, "a=~/_.b"]
)
def test_an_id_is_shown_as_its_sender_wrote_it(text: str) -> None:
    assert plain_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+442079460067",
        "442079460067",
        "020-7946-0067",
        "0207/946.0067",
        "tel: 1",
        "vera@example.org",
        "Vera E",
        "\u00e9",
        "x" * 129,
        "a\n",
    ],
)
def test_an_id_that_could_be_somebody_is_not(text: str) -> None:
    assert plain_id(text) is None


def test_every_field_is_described() -> None:
    page = OPERATIONS.read_text(encoding="utf-8").partition("## Logs")[2].partition("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert tuple(described) == FIELDS
