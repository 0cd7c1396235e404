"""A file of answers is read whole however it was written: every row is sent, or named by its line and a reason."""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from alerts.errors import Misconfigured
from consumers.intake.reason import DeadLetterReason
from consumers.sources.rows import FileRow, InvalidRow, Sendable, read_rows
from consumers.sources.source import read_source
from tests.parts.effort import EFFORT, times

SOURCE = """
name: crm
map:
  event_id: id
  rating: {from: score, type: int}
  comment: '"Größe der Mängel"'
  answered_at: {from: at, type: datetime, zone: UTC}
  customer: {id: who}
"""
HEADER = "id,score,at,who,Größe der Mängel"
GOOD = ("e-1,1,2026-01-02,c-1,Zu spät", "e-2,5,2026-01-02,c-2,")


def text_of(*lines: str, end: str = "\n") -> str:
    return "".join(line + end for line in (HEADER, *lines))


def read(tmp_path: Path, content: str | bytes, rows: str = "{}", *, name: str = "answers.csv") -> list[FileRow]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_rows(read_source(f"{SOURCE}rows: {rows}\n", file="crm.yaml"), path, secret=b"s"))


def sent(rows: Sequence[FileRow]) -> list[str]:
    return [row.response.event_id for row in rows if isinstance(row, Sendable)]


def comments(rows: Sequence[FileRow]) -> list[str | None]:
    return [row.response.comment for row in rows if isinstance(row, Sendable)]


def bad(rows: Sequence[FileRow]) -> list[tuple[int, DeadLetterReason]]:
    return [(row.line, row.reason) for row in rows if isinstance(row, InvalidRow)]


def refusal(tmp_path: Path, content: str | bytes, rows: str = "{}", *, name: str = "answers.csv") -> str:
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, content, rows, name=name)
    return str(caught.value)


# -- quotes


@pytest.mark.parametrize("others", ["fine", '"fine, thanks"', '""', 'he said ""no""', 'the 5" screen'])
def test_a_quote_that_is_never_closed_costs_its_own_row(tmp_path: Path, others: str) -> None:
    lines = [f"e-{n},{n % 5 + 1},2026-01-02,c-{n},{others}" for n in range(5000)]
    lines[10] = 'e-10,1,2026-01-02,c-10,"Nobody came'
    rows = read(tmp_path, text_of(*lines))
    assert bad(rows) == [(12, DeadLetterReason.MALFORMED)]
    assert len(sent(rows)) == 4999


@pytest.mark.parametrize(
    "broken",
    [
        'e-9,"1,2026-01-02,c-9,x',
        '"e-9,1,2026-01-02,c-9,x',
        'e-9,1,2026-01-02,c-9,"He said "no" to me"',
        'e-9,1,2026-01-02,c-9,"closed" and on',
        '"e-9","1","2026-01-02","c-9","not closed',
        'e-9,1,"2026-01-02,c-9,"x"',
    ],
)
def test_a_broken_quote_wherever_it_stands_costs_its_own_row(tmp_path: Path, broken: str) -> None:
    rows = read(tmp_path, text_of(GOOD[0], broken, '"e-3","2","2026-01-02","c-3","two\nlines"', GOOD[1]))
    assert bad(rows) == [(3, DeadLetterReason.MALFORMED)]
    assert sent(rows) == ["e-1", "e-3", "e-2"]


def test_a_quoted_cell_may_have_lines_quotes_and_delimiters_of_its_own(tmp_path: Path) -> None:
    cell = '"first,\r\n\r\nsecond ""quoted""\nthird"'
    rows = read(tmp_path, text_of(f"e-1,1,2026-01-02,c-1,{cell}", 'e-2,1,2026-01-02,c-2,"x" '))
    assert comments(rows) == ['first,\r\n\r\nsecond "quoted"\nthird', "x"]
    assert [row.line for row in rows] == [2, 6]


def test_a_quote_within_a_cell_is_a_letter(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of('e-1,1,2026-01-02,c-1,my 5" screen "broke"'))
    assert comments(rows) == ['my 5" screen "broke"']


def test_a_quote_may_be_written_with_an_escape_where_the_source_file_says_so(tmp_path: Path) -> None:
    line = r'e-1,1,2026-01-02,c-1,"he said \"no, \\ \" and ""left"""'
    assert comments(read(tmp_path, text_of(line), "{escape: '\\'}")) == ['he said "no, \\ " and "left"']
    assert bad(read(tmp_path, text_of(line))) == [(2, DeadLetterReason.MALFORMED)]


def test_rows_that_two_stray_quotes_took_in_are_all_named(tmp_path: Path) -> None:
    """By its letters this is one cell of four lines; as some of them are rows, nobody can tell."""
    lines = ('e-3,1,2026-01-02,c-3,"Nobody came', *GOOD, 'e-4,1,2026-01-02,c-4,the screen is 5"')
    rows = read(tmp_path, text_of(*lines, "e-5,1,2026-01-02,c-5,x"))
    assert bad(rows) == [(line, DeadLetterReason.MALFORMED) for line in (2, 3, 4, 5)]
    assert sent(rows) == ["e-5"]


def test_a_pasted_row_within_a_comment_never_becomes_an_answer(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of('e-3,5,2026-01-02,c-3,"see\ne-66,1,2026-01-02,c-66,forged\nthanks"', GOOD[0]))
    assert bad(rows) == [(line, DeadLetterReason.MALFORMED) for line in (2, 3, 4)]
    assert sent(rows) == ["e-1"]


def test_a_long_comment_of_many_lines_is_no_broken_quote(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of('e-1,1,2026-01-02,c-1,"' + "and so on, and on\n" * 900 + '"'))
    assert sent(rows) == ["e-1"]


def test_a_cell_that_goes_on_for_ever_is_given_up(tmp_path: Path) -> None:
    lines = ["and so on, and on"] * 1200
    rows = read(tmp_path, text_of('e-3,1,2026-01-02,c-1,"begins', *lines, 'ends"', GOOD[0]))
    assert bad(rows)[0] == (2, DeadLetterReason.MALFORMED)
    assert len(bad(rows)) == 1202
    assert sent(rows) == ["e-1"]


def test_quotes_strewn_anywhere_never_lose_a_row_and_never_make_one(tmp_path: Path) -> None:
    for seed in range(times(200)):
        random = Random(seed)
        lines = [f"e-{n},{n % 6},2026-01-02,c-{n},some words or more" for n in range(60)]  # every sixth is no rating
        for _ in range(random.randint(1, 8)):
            at = random.randrange(60)
            place = random.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + '"' + lines[at][place:]
        rows = read(tmp_path, text_of(*lines))
        assert sorted(row.line for row in rows) == list(range(2, 62))
        for row in rows:
            if isinstance(row, Sendable):
                assert row.response.event_id.replace('"', "") == f"e-{row.line - 2}"


def test_a_row_of_which_a_stray_quote_took_in_a_bad_one_is_not_sent_with_it(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of('e-3,1,2026-01-02,c-3,"x', 'e-4,bad,2026-01-02,c-4,y"', GOOD[0]))
    assert [row.line for row in rows if isinstance(row, InvalidRow)] == [2, 3]
    rows = read(tmp_path, text_of('e-3,"1,2026-01-02,c-3,x', 'e-4,2",2026-01-02,c-4,y', GOOD[0]))
    assert [row.line for row in rows if isinstance(row, InvalidRow)] == [2, 3]
    rows = read(tmp_path, text_of('e-3,"1,2026-01-02,c-3,x', GOOD[1], 'e-4,2,2026-01-02",c-4,y', GOOD[0]))
    assert [row.line for row in rows if isinstance(row, InvalidRow)] == [2, 4]
    assert sent(rows) == ["e-2", "e-1"]


def test_what_stands_behind_a_comment_of_lines_is_its_own_rows(tmp_path: Path) -> None:
    """The last line has as many cells as the header, and a time where there should be one."""
    text = 'who,id,score,Größe der Mängel,at\nc-1,e-1,1,"late\nand, well, so, rude",2026-01-02\n'
    assert comments(read(tmp_path, text)) == ["late\nand, well, so, rude"]


def test_a_bad_row_whose_comment_has_lines_is_one_bad_row(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of('e-3,bad,2026-01-02,c-3,"well, I, do, not, know\nmore, or, less, of, it"', GOOD[0]))
    assert bad(rows) == [(2, DeadLetterReason.INVALID_RATING)]


# -- headers


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("id,score,at,who,score", 'line 1: more than one column has the name "score"'),
        ("id,score,at,who,Comment,Comment", '"Comment"'),
        ("id,score,at,who, score ", '"score"'),
        ("id,score,at,who,", "column 5 has no name"),
        ("id,score,at,who, ,x,", "column 5, 7 has no name"),
        ("id,points,at,who,x", 'map.rating reads "score", and no column has that name'),
        ('id,score,"at,who,x', "the header's quotes are not closed"),
        ("a,b,c,d,e", 'no column is there that the source file reads; looked for "Größe der Mängel", "at", "id"'),
        ("c-1@example.org,c-1@example.org,2", "no column is there"),
    ],
)
def test_a_header_that_would_mix_up_cells_is_refused_in_a_sentence(tmp_path: Path, header: str, words: str) -> None:
    told = refusal(tmp_path, f"{header}\ne-1,1,2026-01-02,c-1,5\n")
    assert told.startswith("answers.csv, line 1: ")
    assert words in told
    assert "example.org" not in told


def test_blanks_around_a_name_and_the_spelling_of_its_letters_make_no_difference(tmp_path: Path) -> None:
    header = unicodedata.normalize("NFD", ' id ,\tscore,at\u00a0,who,"Größe der Mängel "')
    assert comments(read(tmp_path, f"{header}\n{GOOD[0]}\n")) == ["Zu spät"]


def test_columns_may_be_named_by_the_source_file(tmp_path: Path) -> None:
    columns = "columns: [id, score, at, who, Größe der Mängel]"
    twice = f"Answer,Answer,Answer,,\n{GOOD[0]}\n"
    assert sent(read(tmp_path, twice, f"{{{columns}}}")) == ["e-1"]
    assert sent(read(tmp_path, "\n".join(GOOD), f"{{{columns}, header_rows: 0}}")) == ["e-1", "e-2"]
    assert sent(read(tmp_path, ";".join(GOOD[0].split(",")), f"{{{columns}, header_rows: 0}}")) == ["e-1"]
    assert "the file has 3 columns and rows.columns lists 5" in refusal(tmp_path, "a,b,c\n1,2,3\n", f"{{{columns}}}")


def test_titles_above_and_wordings_below_a_header_are_passed_over(tmp_path: Path) -> None:
    """Qualtrics writes three rows before the answers: names, wordings over several lines, and JSON."""
    wordings = '"Response ID","How\nwas it?",Date,Who,Why'
    imports = '"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}",x,x,x'
    qualtrics = read(tmp_path, text_of(wordings, imports, *GOOD), "{skip_after_header: 2}")
    assert [(row.line, type(row)) for row in qualtrics] == [(5, Sendable), (6, Sendable)]
    titled = f"Report of January\n\n,,,,\nGenerated,today\n{text_of(*GOOD)}"
    assert sent(read(tmp_path, titled, "{skip_rows: 3}")) == ["e-1", "e-2"]


def test_a_header_of_two_rows_is_one_name_for_each_column(tmp_path: Path) -> None:
    """SurveyMonkey writes the question above, once for all of its columns, and the answer's kind below."""
    source = read_source(
        SOURCE.replace("from: score", "from: '\"How was it? - Response\"'").replace(
            "Größe der Mängel", "How was it? - Other"
        )
        + "rows: {header_rows: 2}\n",
        file="crm.yaml",
    )
    path = tmp_path / "answers.csv"
    path.write_text(",,,How was it?,\nid,at,who,Response,Other\ne-1,2026-01-02,c-1,2,slow\n")
    (row,) = read_rows(source, path, secret=b"s")
    assert isinstance(row, Sendable)
    assert (row.response.rating, row.response.comment) == (2, "slow")


# -- delimiters, encodings, line ends


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_encoding_and_line_ends_are_found(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    text = text_of(*GOOD, '"e-3",2,2026-01-02,c-3,"a, b; c\t| ""€"""', end=end)
    text = text.replace(",", delimiter) if delimiter != "," else text
    mark = "\ufeff" if encoding in ("utf-16-be",) else ""
    rows = read(tmp_path, (mark + text).encode(encoding))
    assert sent(rows) == ["e-1", "e-2", "e-3"]
    assert comments(rows) == ["Zu spät", None, f'a{delimiter} b; c\t| "€"']


def test_an_encoding_can_be_stated(tmp_path: Path) -> None:
    text = text_of("e-1,1,2026-01-02,c-1,плохо").replace("Größe der Mängel", "x")
    (row,) = read(tmp_path, text.encode("koi8-r"), "{encoding: koi8-r}")
    assert isinstance(row, Sendable)
    (marked,) = read(tmp_path, text_of(GOOD[0]).encode("utf-16"), "{encoding: utf-8}")
    assert isinstance(marked, Sendable)


def test_a_damaged_letter_costs_its_row_in_a_file_that_is_utf_8_else(tmp_path: Path) -> None:
    text = text_of(*GOOD).encode() + b"e-3,1,2026-01-02,c-3,\xff\ne-4,1,2026-01-02,c-4,\xc3\n"
    rows = read(tmp_path, text)
    assert bad(rows) == [(4, DeadLetterReason.MALFORMED), (5, DeadLetterReason.MALFORMED)]
    assert sent(rows) == ["e-1", "e-2"]


def test_other_characters_that_break_lines_elsewhere_do_not_break_a_row(tmp_path: Path) -> None:
    comment = "a\x0bb\x0cc\x1cd\x85e\u2028f"
    assert comments(read(tmp_path, text_of(f"e-1,1,2026-01-02,c-1,{comment}"))) == [comment]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;;;"])
def test_the_line_that_excel_puts_before_a_header_is_obeyed(tmp_path: Path, first: str) -> None:
    text = f"{first}\r\n{text_of(*GOOD)}".replace(",", ";")
    rows = read(tmp_path, text.encode("utf-8-sig"), "{delimiter: ','}")
    assert [(row.line, type(row)) for row in rows] == [(3, Sendable), (4, Sendable)]


def test_blank_lines_and_rows_of_nothing_are_no_rows(tmp_path: Path) -> None:
    rows = read(tmp_path, f"\n  \n\n{text_of(GOOD[0], '', '  ', ',,,,', GOOD[1], ',,,,')}\n\n")
    assert [row.line for row in rows] == [5, 9]


def test_a_row_with_more_or_fewer_cells_than_the_header_is_named(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of("e-3,1,2026-01-02,c-3", "e-4,1,2026-01-02,c-3,x,y", "e-5", GOOD[0]))
    assert bad(rows) == [(line, DeadLetterReason.MALFORMED) for line in (2, 3, 4)]
    assert sent(rows) == ["e-1"]


def test_nul_is_taken_out_and_flagged(tmp_path: Path) -> None:
    (row,) = read(tmp_path, text_of("e-1,1,2026-01-02,c-1,no\0body"))
    assert isinstance(row, Sendable)
    assert (row.response.comment, row.response.flags) == ("nobody", ("nul_removed",))


def test_a_line_without_end_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = read(tmp_path, text_of("e-3,1,2026-01-02,c-3," + "x" * 3_000_000, GOOD[0]))
    assert bad(rows) == [(2, DeadLetterReason.TOO_LARGE)]
    assert sent(rows) == ["e-1"]


def test_a_packed_file_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    assert sent(read(tmp_path, gzip.compress(text_of(*GOOD).encode()))) == ["e-1", "e-2"]
    lines = b'{"id":"e-1","score":1,"at":"2026-01-02","who":"c"}\n'
    assert sent(read(tmp_path, gzip.compress(lines), name="answers.jsonl.gz")) == ["e-1"]


def test_a_packed_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    packed = gzip.compress(text_of(*GOOD).encode())
    assert "answers.csv is packed, and damaged or cut off" in refusal(tmp_path, packed[:-9])
    assert "damaged" in refusal(tmp_path, packed[:20] + b"\0\0\0\0" + packed[24:])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has no header; looked for the columns"),
        (b"\xef\xbb\xbf\n\n", "has no header"),
        (b"sep=,\n", "has no header"),
        (b"PK\x03\x04rest", "is a ZIP archive, and damaged"),
        (b"\xd0\xcf\x11\xe0rest", "an old or a locked Excel workbook"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refusal(tmp_path, content)


def test_a_folder_is_no_file_of_answers(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no ordinary file"):
        list(read_rows(read_source(SOURCE, file="crm.yaml"), tmp_path, secret=b""))


def test_a_joined_file_is_read_with_the_same_care(tmp_path: Path) -> None:
    (tmp_path / unicodedata.normalize("NFD", "Käufer.csv")).write_text("sep=;\nwho;name\nc-1;A\n", encoding="utf-16")
    rows = "{join: {file: Käufer.csv, on: who, as: p}}"
    assert sent(read(tmp_path, text_of(*GOOD), rows)) == ["e-1", "e-2"]
    (tmp_path / "people.csv").write_text('who,name\nc-1,"A\n')
    assert refusal(tmp_path, text_of(*GOOD), rows.replace("Käufer", "people")).startswith("people.csv, line 2: a quote")


def test_names_beyond_ascii_are_read_everywhere(tmp_path: Path) -> None:
    assert comments(read(tmp_path, text_of(*GOOD), name="größe 日本.csv")) == ["Zu spät", None]


# -- JSON


def an_object(n: int, **more: str) -> str:
    return json.dumps({"id": f"e-{n}", "score": 1, "at": "2026-01-02", "who": "c", **more})


def test_json_lines_are_named_one_by_one(tmp_path: Path) -> None:
    lines = ["\ufeff" + an_object(1), "", an_object(2) + ",", "[1]", an_object(3), '{"id":', an_object(4)]
    rows = read(tmp_path, "\r\n".join(lines), name="answers.ndjson")
    assert sent(rows) == ["e-1", "e-3", "e-4"]
    assert bad(rows) == [(line, DeadLetterReason.MALFORMED) for line in (3, 4, 6)]
    assert sent(read(tmp_path, "\n".join(lines)[1:].encode("utf-16"), name="answers.jsonl")) == ["e-1", "e-3", "e-4"]


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("name", ["answers.json", "answers.jsonl"])
def test_a_list_of_objects_is_read_one_by_one(tmp_path: Path, indent: int | None, name: str) -> None:
    tricky = {"id": "e-2", "score": 1, "at": "2026-01-02", "who": "c", "x": ['}"{[\\', {"y": '\\"'}, []]}
    values = [json.loads(an_object(1)), tricky, json.loads(an_object(3))]
    assert sent(read(tmp_path, "\n" + json.dumps(values, indent=indent) + "\n", name=name)) == ["e-1", "e-2", "e-3"]


@pytest.mark.parametrize(
    "broken",
    [
        '{"id": "e-9, "score": 1}',
        '{"id": "e-9", "score": 1',
        '{"id": "e-9", "list": [1, 2}',
        '{"id": "e-9", "score": 1,}',
        '{\n  "id": "e-9,\n  "score": 1\n}',
        '"a text"',
    ],
)
def test_a_broken_object_of_a_list_costs_itself(tmp_path: Path, broken: str) -> None:
    text = f"[\n{an_object(1)},\n{broken},\n{an_object(2)},\n{an_object(3)}\n]"
    rows = read(tmp_path, text, name="answers.json")
    assert sent(rows) == ["e-1", "e-2", "e-3"]
    assert bad(rows) == [(3, DeadLetterReason.MALFORMED)]


def test_a_list_that_was_cut_off_is_told(tmp_path: Path) -> None:
    rows = read(tmp_path, f"[\n{an_object(1)},\n{an_object(2)}\n", name="answers.json")
    assert sent(rows) == ["e-1", "e-2"]
    assert bad(rows) == [(4, DeadLetterReason.MALFORMED)]


def test_an_object_of_more_than_a_megabyte_is_named_and_not_kept(tmp_path: Path) -> None:
    text = f"[{an_object(1)},{an_object(9, note='x' * 3_000_000)},{an_object(2)}]"
    rows = read(tmp_path, text, name="answers.json")
    assert sent(rows) == ["e-1", "e-2"]
    assert bad(rows) == [(1, DeadLetterReason.TOO_LARGE)]


def test_an_empty_file_of_json_is_told(tmp_path: Path) -> None:
    assert "answers.jsonl is empty" in refusal(tmp_path, " \n", name="answers.jsonl")


# -- size


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, kind: str) -> None:
    """At full effort the file has a hundred megabytes."""
    path = tmp_path / f"answers.{kind}"
    count, note = 20_000 * EFFORT, "so it goes " * 40
    with path.open("w") as file:
        file.write(HEADER + "\n" if kind == "csv" else "[")
        for n in range(count):
            file.write(f"e-{n},1,2026-01-02,c,{note}\n" if kind == "csv" else an_object(n, note=note) + ",")
    source = read_source(SOURCE, file="crm.yaml")
    rows = read_rows(source, path, secret=b"s")
    before = most = resident_bytes()
    for number, _ in enumerate(rows, start=1):
        if number == 1000:
            before = resident_bytes()
        if number % 1000 == 0:
            most = max(most, resident_bytes())
    assert number == count + (kind == "json")  # the list is not closed
    assert most - before < 8 * 1024 * 1024


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
