"""A source file says all there is to know about a platform, and its mistakes are found when it is read."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import jmespath
import pytest
from jmespath.exceptions import JMESPathError

from alerts.document import BadDocument
from alerts.errors import Misconfigured
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.catalogue import Catalogue, load_catalogue
from consumers.sources.examples import run_examples
from consumers.sources.mapping import UNUSABLE
from consumers.sources.rule import Rule, RuleError
from consumers.sources.source import Source, read_source
from consumers.sources.windows_zones import zone_named

LEAST = """\
name: crm
map:
  event_id: id
  rating: score
  answered_at: at
"""
ROOT = Path(__file__).parents[3]
SHIPPED = load_catalogue()
NAMES = re.compile(r"`([a-z-]+)`")
ZONED = "%Y-%m-%d %H:%M:%S %Z"
TEN = datetime(2026, 7, 1, 10, tzinfo=UTC)


def problem_of(text: str, file: str = "crm.yaml") -> str:
    with pytest.raises(BadDocument) as caught:
        read_source(text, file=file)
    return str(caught.value)


def value(event: Any, **rule: Any) -> Any:
    return Rule.model_validate({"from": "x", **rule}).value_of({"x": event})


@pytest.mark.parametrize("source", list(SHIPPED), ids=lambda source: source.name)
def test_every_shipped_source_proves_itself_by_its_examples(source: Source) -> None:
    assert source.examples
    assert [result for result in run_examples(source) if not result.ok] == []


def test_the_shipped_sources_name_no_topic() -> None:
    assert SHIPPED.topics == frozenset()


def test_every_shipped_source_stands_on_its_page() -> None:
    page = (ROOT / "docs/sources.md").read_text().partition("## Shipped sources")[2].partition("\n## ")[0]
    assert {source.name for source in SHIPPED} == {
        name for row in page.splitlines() if row.startswith("| ") for name in NAMES.findall(row.split(" | ")[0])
    }


def test_what_the_data_action_of_genesys_posts_is_what_its_source_reads() -> None:
    action = json.loads((ROOT / "deploy/genesys/survey-answer.json").read_text())
    schema = action["contract"]["input"]["inputSchema"]
    assert action["config"]["request"]["requestTemplate"] == "${input.rawRequest}"
    assert set(schema["properties"]) == shipped("genesys-cloud").map.columns
    assert set(schema["required"]) == {"conversationId", "rating", "answeredAt"}


def test_what_the_trigger_of_zendesk_sends_is_what_its_source_reads() -> None:
    body = json.loads((ROOT / "deploy/zendesk/trigger-body.json").read_text())
    source = shipped("zendesk-trigger")
    assert set(body) == source.map.columns
    assert {path.removeprefix("customer.") for path, _ in source.map.rules if path.startswith("customer.")} == set(
        body["customer"]
    )


def shipped(name: str) -> Source:
    found = SHIPPED.get(name)
    assert found is not None
    return found


def test_an_example_that_does_not_hold_says_what_came_out() -> None:
    event = "{id: e, score: 2, at: 2026-01-01T00:00:00Z}"
    source = read_source(
        LEAST
        + "  interaction: {id: id}\nexamples:\n"
        + f"  - {{name: wrong, event: {event}, response: {{rating: 1, customer: {{id: x}}}}}}\n"
        + f"  - {{name: right, event: {event}, response: {{rating: 2}}}}\n"
        + f"  - {{name: not refused, event: {event}, refused: no_handle}}\n"
        + f"  - {{name: not passed over, event: {event}, passed_over: true}}\n"
        + "  - {name: refused, event: {id: e}, response: {rating: 1}}\n",
        file="crm.yaml",
    )
    wrong, right, not_refused, not_passed_over, refused = run_examples(source)
    assert wrong.differences == ("rating: expected 1, got 2", "customer.id: expected 'x', got None")
    assert right.ok
    assert not_refused.differences == ("not refused as no_handle",)
    assert not_passed_over.differences == ("not passed over: rating 2",)
    assert refused.differences[0].startswith("refused as invalid_")


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (4, LEAST.replace("score", '"score["'), "not JMESPath"),
        (4, LEAST.replace("score", "nonsense(score)"), "no function nonsense()"),
        (4, LEAST.replace("score", "'items[].{a: upper(b)}'"), "no function upper()"),
        (4, LEAST.replace("score", "length(a, b)"), "length() takes 1 arguments, not 2"),
        (4, LEAST.replace("score", "join(',')"), "join() takes 2 arguments, not 1"),
        (4, LEAST.replace("score", "not_null()"), "not_null() takes 1 arguments"),
        (4, LEAST.replace("score", '""'), "an expression has 1 to"),
        (4, LEAST.replace("score", "a." * 600 + "a"), "an expression has 1 to"),
        (4, LEAST.replace("score", "'" + "!" * 900 + "a'"), "nested too deeply"),
        (4, LEAST.replace("score", "{from: score, type: number}"), "map.rating.type"),
        (4, LEAST.replace("score", "{form: score}"), "did you mean 'format'"),
        (4, LEAST.replace("score", "{type: int}"), "either \"from\" or \"constant\""),
        (4, LEAST.replace("score", "{from: score, constant: 2}"), "either \"from\" or \"constant\""),
        (4, LEAST.replace("score", "{from: score, type: words}"), 'needs "values"'),
        (4, LEAST.replace("score", "{from: score, values: {GOOD: 2}}"), "'values' belongs to type words"),
        (5, LEAST.replace("at: at", "at: {from: at, zone: Europe/London}"), "belongs to type datetime"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, zone: London}"), "not an IANA time zone"),
        (4, LEAST.replace("score", "{from: score, type: words, values: {Good: 1, ' GOOD': 2}}"), "the same word"),
        (4, LEAST.replace("score", "{from: score, type: words, values: {'2': 1, '2.0': 2}}"), "the same word"),
        (4, LEAST.replace("score", "{from: score, type: float, rounding: floor}"), "'rounding' belongs to type int"),
        (4, LEAST.replace("score", "{from: score, decimal: ','}"), "'decimal' belongs to type int or float"),
        (3, LEAST.replace("event_id: id", "event_id: {constant: e}"), "all events would have one id"),
        (6, LEAST + "  time: at\n", "give the rule type datetime"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, format: '%Y-%Q'}"), "no format of Python's strptime"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, format: '%d %d %m %Y'}"), "no format of Python's"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, format: '%H:%M'}"), "names no whole date"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, format: '%Y-%m'}"), "names no whole date"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, format: '%d/%m/%Y %I:%M'}"), "hours to 12 and no %p"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, format: '%Y-%m-%d %Z %H:%M'}"), "%Z is read at the end"),
        (5, LEAST.replace("at: at", "at: {from: at, type: datetime, zones: {EST: America/New_York}}"), "ends with %Z"),
        (6, LEAST + "rows: {encoding: rot13}\n", "not an encoding of text"),
        (6, LEAST + "rows: {delimiter: '\"'}\n", "cannot stand between cells"),
        (6, LEAST + "rows: {header_rows: 0}\n", 'needs "columns"'),
        (6, LEAST + "rows: {columns: [a, ' a']}\n", "two have the same"),
        (6, LEAST + "rows: {columns: [a, '']}\n", "a column has no name"),
        (1, LEAST.replace("crm", "CRM"), "name"),
        (1, LEAST.replace("crm", "cloudevents"), "cloudevents is the name"),
        (6, LEAST + "scale: {worst: 5, best: 5}\n", "worst and best are equal"),
        (6, LEAST + "customer_ids: common\n", "customer_ids"),
        (6, LEAST + "topic: [x]\n", "did you mean 'topics'"),
        (6, LEAST + "when: contains(a)\n", "contains() takes 2 arguments"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_source_file_is_told_with_its_line(line: int, text: str, words: str) -> None:
    problem = problem_of(text)
    assert words in problem
    assert problem.startswith(f"crm.yaml:{line}:") or "cloudevents" in words


def test_jmespath_is_the_library_whose_grammar_the_files_are_written_in() -> None:
    assert jmespath.__version__.startswith("1.")
    with pytest.raises(JMESPathError):  # another library of the same import name reads this as arithmetic
        jmespath.compile("a - `1`")


@pytest.mark.parametrize(
    ("rule", "event", "expected"),
    [
        ({}, {"deep": [1]}, {"deep": [1]}),
        ({"default": "web"}, None, "web"),
        ({"default": "web"}, "", "web"),
        ({"default": 5, "type": "int"}, 0, 0),
        ({"type": "int"}, "3", 3),
        ({"type": "int"}, " -103 ", -103),
        ({"type": "int"}, 3.0, 3),
        ({"type": "int"}, "3.0", 3),
        ({"type": "float"}, "156.5", 156.5),
        ({"type": "float"}, 2, 2.0),
        ({"type": "text"}, 208, "208"),
        ({"type": "words", "values": {"GOOD": 2}}, "GOOD", 2),
        ({"type": "words", "values": {"1": 2}}, 1, 2),
        ({"type": "words", "values": {"true": 5}}, True, 5),
        ({"type": "words", "values": {"Sehr schlecht": 1}}, "\u00a0SEHR  schlecht ", 1),
        ({"type": "words", "values": {"2": 2}}, 2.0, 2),
        ({"type": "words", "values": {"2": 2}}, "2.00", 2),
        ({"type": "words", "values": {"Straße": 1}}, "STRASSE", 1),
        ({"type": "words", "values": {"☹": 1}}, "☹\ufe0f", 1),
        ({"type": "words", "values": {"ﬁne": 4}}, "FINE", 4),
        ({"type": "words", "values": {"N/A": None}}, "n/a", None),
        ({"type": "stars"}, "★★☆☆☆", 2),
        ({"type": "stars"}, " ⭐\ufe0f⭐ ", 2),
        ({"type": "stars"}, "☆☆☆☆☆", 0),
        ({"type": "leading"}, "2 - Poor", 2),
        ({"type": "leading"}, "10 (very likely)", 10),
        ({"type": "leading"}, "1. gar nicht", 1),
        ({"type": "leading"}, "4", 4),
        ({"type": "leading"}, 4, 4),
        ({"type": "int", "rounding": "floor"}, "2.9", 2),
        ({"type": "int", "rounding": "floor"}, -2.1, -3),
        ({"type": "int", "rounding": "nearest"}, 2.5, 3),
        ({"type": "int", "rounding": "nearest"}, "2.49", 2),
        ({"type": "int", "rounding": "nearest", "decimal": ","}, "3,5", 4),
        ({"type": "float", "decimal": ","}, "1.234,50", 1234.5),
        ({"type": "float", "decimal": "."}, "1,234.50", 1234.5),
        ({"type": "duration"}, "1:02:03", 3723),
        ({"type": "duration"}, "PT1H2M3.5S", 3723.5),
        ({"type": "duration"}, "P1DT1S", 86401),
        ({"type": "duration"}, "90", 90),
        ({"type": "zone"}, "W. Europe Standard Time", "Europe/Berlin"),
        ({"type": "zone"}, "w. europe  standard time", "Europe/Berlin"),
        ({"type": "zone"}, "Europe/London", "Europe/London"),
        ({"type": "zone"}, "Nowhere Standard Time", "Nowhere Standard Time"),
        ({"type": "json"}, '{"a": [1]}', {"a": [1]}),
        ({"type": "json"}, " 2 ", 2),
        ({"type": "json"}, {"a": 1}, {"a": 1}),
        ({"from": "from_json(x).a.b"}, '{"a": {"b": "2"}}', "2"),
        ({"from": "from_json(x).a"}, {"a": 1}, 1),
        ({"from": "from_json(x).a"}, None, None),
        ({"from": "x[?id=='csat'].value | [0]"}, [{"id": "why", "value": 1}, {"id": "csat", "value": 2}], 2),
        ({"type": "e164", "country": "GB"}, "020 7183 8750", "+442071838750"),
        ({"type": "e164"}, "nobody", "nobody"),
        ({"type": "date"}, "2019-02-23", date(2019, 2, 23)),
        ({"type": "date", "format": "%d-%b-%y"}, "01-Aug-23", date(2023, 8, 1)),
        ({"type": "datetime"}, "2026-01-01T00:00:00+01:00", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ({"type": "datetime", "zone": "Asia/Kolkata"}, "2026-01-01T05:30", datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "zone": "Asia/Tokyo"}, "2026-01-01T00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch_s"}, 1767225600, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch_ms"}, "1767225600000", datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch_s"}, 1767225600.25, datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch_us"}, 1767225600000001, datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch_ns"}, "1767225600000001999", datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch"}, 1767225600, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch"}, "1767225600000", datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch"}, 1767225600000000, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "epoch"}, 1767225600000000000, datetime(2026, 1, 1, tzinfo=UTC)),
        ({"type": "datetime", "format": "excel", "zone": "UTC"}, "46023.5", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ({"type": "datetime", "format": ZONED, "zone": "America/New_York"}, "2026-07-01 10:00:00 UTC", TEN),
        ({"type": "datetime", "format": ZONED}, "2026-07-01 10:00:00 (gmt)", TEN),
        ({"type": "datetime", "format": ZONED}, "2026-07-01 12:00:00 Europe/Berlin", TEN),
        ({"type": "datetime", "format": ZONED, "zones": {"EDT": "America/New_York"}}, "2026-07-01 06:00:00 EDT", TEN),
        ({"type": "datetime", "format": "%Y-%m-%d %H:%M:%S %z", "zone": "Asia/Tokyo"}, "2026-07-01 12:00:00 +0200", TEN),
        ({"type": "datetime"}, "2026-07-01T10:00:00.0000000Z", TEN),
        ({"type": "date", "format": ZONED}, "2026-07-01 23:00:00 UTC", date(2026, 7, 1)),
    ],
)  # fmt: skip
def test_a_rule_reads_what_the_platform_sends(rule: dict[str, Any], event: Any, expected: Any) -> None:
    found = value(event, **rule)
    assert found == expected
    assert type(found) is type(expected)


def test_every_zone_of_windows_is_one_that_we_know() -> None:
    table = resources.files("consumers.sources").joinpath("windows_zones.txt").read_text(encoding="utf-8")
    names = [line.partition(" = ")[0] for line in table.splitlines()[1:]]
    assert len(names) > 130
    assert {zone_named(name) for name in names} <= available_timezones()


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("W. Europe Daylight Time", "Europe/Berlin"),
        ("GMT Daylight Time", "Europe/London"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT-06:00) Central Time (US & Canada)", "America/Chicago"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("Europe/London (GMT+01:00)", "Europe/London"),
        ("London", "Europe/London"),
        ("mexico city", "America/Mexico_City"),
        ("Hawaii", "Pacific/Honolulu"),
        ("America\\/New_York", "America/New_York"),
        (":America/New_York", "America/New_York"),
        ("TZ=Europe/Berlin", "Europe/Berlin"),
        ("\u200eLondon\u200e", "Europe/London"),
    ],
)
def test_a_zone_is_known_by_the_names_that_windows_rails_and_unix_show(written: str, zone: str) -> None:
    assert zone_named(written) == zone


@pytest.mark.parametrize(
    "written", ["London, Ontario", "Eastern", "East", "General", "Louisville/x", "Coordinated Universal Time"]
)
def test_a_name_that_may_be_several_zones_is_left_to_the_judge_of_zones(written: str) -> None:
    assert zone_named(written) == written


@pytest.mark.parametrize(
    ("rule", "event"),
    [
        ({"type": "int"}, True),
        ({"type": "int"}, "3.5"),
        ({"type": "int"}, 3.5),
        ({"type": "int"}, "5 abc"),
        ({"type": "int"}, "٣x"),
        ({"type": "int"}, [3]),
        ({"type": "float"}, "nan"),
        ({"type": "float"}, "inf"),
        ({"type": "float"}, False),
        ({"type": "text"}, 2.5),
        ({"type": "text"}, True),
        ({"type": "words", "values": {"GOOD": 2}}, "goods"),
        ({"type": "date"}, "23/02/2019"),
        ({"type": "datetime"}, "2026-01-01T00:00:00"),
        ({"type": "datetime", "format": "%d/%m/%Y", "zone": "UTC"}, "12/31/2026"),
        ({"type": "datetime", "format": "epoch_s"}, 10**300),
        ({"type": "datetime"}, "0001-01-01T00:00:00+14:00"),
        ({"type": "datetime", "format": ZONED, "zone": "America/New_York"}, "2026-07-01 10:00:00 EST"),
        ({"type": "datetime", "format": ZONED, "zone": "America/New_York"}, "2026-07-01 10:00:00"),
        ({"type": "datetime", "format": ZONED, "zone": "UTC"}, "2026-07-01 10:00:00 Europe/Nowhere"),
        ({"type": "datetime", "format": "epoch_s"}, 1767225600000),
        ({"type": "datetime", "format": "epoch_ms"}, 1767225600000000),
        ({"type": "datetime", "format": "epoch"}, -62135596800),
        ({"type": "datetime", "format": "epoch"}, True),
        ({"type": "datetime", "format": "epoch_s"}, [1767225600]),
        ({"type": "int", "rounding": "refuse"}, 2.5),
        ({"type": "int", "decimal": ","}, "2.5"),
        ({"type": "int"}, "1_000"),
        ({"type": "float"}, "1,234"),
        ({"type": "words", "values": {"2": 2}}, [2]),
        ({"type": "stars"}, "★★ of five"),
        ({"type": "stars"}, 2),
        ({"type": "leading"}, "2-3 days"),
        ({"type": "leading"}, "2.5 - so so"),
        ({"type": "leading"}, "2/5"),
        ({"type": "leading"}, "Poor - 2"),
        ({"type": "duration"}, "05:32"),
        ({"type": "duration"}, "P"),
        ({"type": "json"}, "{'a': 1}"),
        ({"type": "json"}, '{"a": 1, "a": 2}'),
        ({"type": "json"}, '1,"more":2'),
        ({"type": "json"}, "NaN"),
        ({"from": "from_json(x)"}, "{"),
        ({"from": "from_json(x)"}, 5),
        ({"from": "length(x)"}, 5),
    ],
)
def test_a_rule_refuses_what_is_not_of_its_type(rule: dict[str, Any], event: Any) -> None:
    with pytest.raises(RuleError):
        value(event, **rule)


def data_of(source: Source, event: dict[str, Any]) -> dict[str, Any]:
    data = source.read(event).data
    assert isinstance(data, dict)
    return data


def test_infinity_made_by_an_expression_is_left_out() -> None:
    source = read_source(LEAST + "  attributes: {n: to_number(n)}\n", file="crm.yaml")
    assert "attributes" not in data_of(source, {"id": "e", "n": "inf"})


def test_a_detail_that_cannot_be_read_costs_the_detail_and_not_the_answer() -> None:
    more = """\
  time: {from: changed, type: datetime}
  customer: {id: who, since: {from: since, type: date}}
  interaction: {channel: {from: via, type: words, values: {tel: voice}}, reason: length(why)}
  attributes: {price: {from: price, type: float}}
"""
    source = read_source(LEAST + more, file="crm.yaml")
    event = source.read(
        {"id": "e", "who": "c", "since": "long ago", "via": "fax", "why": 5, "price": "?", "changed": "x"}
    )
    assert event.time is None
    assert isinstance(event.data, dict)
    assert event.data["customer"] == {"id": "c", "since": UNUSABLE}
    assert event.data["interaction"] == {"channel": UNUSABLE, "reason": UNUSABLE}
    assert "attributes" not in event.data


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ("rating: {from: length(x), type: int}", "rating", DeadLetterReason.MAPPING_FAILED),
        ("rating: {from: x, type: words, values: {a: 1}}", "rating", DeadLetterReason.INVALID_RATING),
        ("answered_at: {from: x, type: datetime}", "answered_at", DeadLetterReason.INVALID_TIME),
        ("response_id: {from: x, type: int}", "response_id", DeadLetterReason.MAPPING_FAILED),
        ("event_id: {from: x, type: int}", "event_id", DeadLetterReason.MAPPING_FAILED),
    ],
)
def test_what_decides_is_refused_when_it_cannot_be_read(rule: str, field: str, reason: DeadLetterReason) -> None:
    lines = [line for line in LEAST.splitlines() if not line.strip().startswith(rule.partition(":")[0])]
    source = read_source("\n".join([*lines, f"  {rule}\n"]), file="crm.yaml")
    with pytest.raises(InvalidRecord) as caught:
        source.read({"id": "e", "score": 1, "at": "2026-01-01T00:00:00Z", "x": 2.5})
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_a_mapping_shows_field_by_field_what_it_makes_of_an_event() -> None:
    source = read_source(LEAST.replace("score", "{from: score, type: int}"), file="crm.yaml")
    fields = {field.path: field for field in source.map.fields({"id": "e-1", "score": "bad"})}
    assert (fields["event_id"].value, fields["event_id"].problem) == ("e-1", None)
    assert (fields["rating"].value, fields["rating"].problem) == (
        None,
        "what was found there is not of type int",
    )


def test_an_attribute_keeps_the_dot_in_its_name() -> None:
    source = read_source(LEAST + "  attributes: {a.b: id}\n", file="crm.yaml")
    assert data_of(source, {"id": "e"})["attributes"] == {"a.b": "e"}


def test_an_operators_file_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "typeform.yaml").write_text(LEAST.replace("crm", "typeform"))
    (tmp_path / "crm.yaml").write_text(LEAST + "customer_ids: shared\ntopics: [crm.surveys]\n")
    (tmp_path / "notes.txt").write_text("not a source")
    catalogue = load_catalogue(tmp_path)
    assert {source.name for source in catalogue} == {source.name for source in SHIPPED} | {"crm"}
    typeform = catalogue.get("typeform")
    assert typeform is not None
    assert typeform.when is None
    assert catalogue.shared_sources == {"crm"}
    assert catalogue.topics == {"crm.surveys"}
    assert catalogue.choose(None, "crm.surveys") is catalogue.get("crm")
    assert catalogue.choose(None, "other") is None
    assert catalogue.choose("olist", "crm.surveys") is catalogue.get("olist")


def test_the_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: one\n")
    (tmp_path / "two.yaml").write_text(LEAST)
    (tmp_path / "three.yaml").write_bytes(b"\xff")
    (tmp_path / "four.yml").write_text(LEAST.replace("crm", "four"))
    (tmp_path / "._one.yaml").write_bytes(b"\xff")
    with pytest.raises(BadDocument) as caught:
        load_catalogue(tmp_path)
    told = str(caught.value)
    assert "one.yaml:1: map is missing" in told
    assert "two.yaml:1: the file is not named for its source; call it crm.yaml" in told
    assert "four.yml:1: the file is not named for its source; call it four.yaml" in told
    assert "._one" not in told
    assert "three.yaml:1: the file cannot be read as UTF-8 text" in told


def test_two_sources_cannot_read_one_topic() -> None:
    one = read_source(LEAST + "topics: [surveys]\n", file="crm.yaml")
    two = read_source(LEAST.replace("crm", "shop") + "topics: [surveys]\n", file="shop.yaml")
    with pytest.raises(BadDocument, match=r"crm\.yaml names one of its topics too"):
        Catalogue([one, two])


def test_a_folder_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="SOURCES_DIR"):
        load_catalogue(tmp_path / "nowhere")


def test_an_event_that_is_no_survey_answer_is_told_from_one_that_is() -> None:
    source = read_source(LEAST + "when: contains(kinds, 'rated')\n", file="crm.yaml")
    assert source.concerns({"kinds": ["rated"]})
    assert not source.concerns({"kinds": []})
    assert not source.concerns({"kinds": 5})
