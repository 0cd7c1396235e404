"""A workbook is read as a CSV file is: cells are the text that a person sees in them, and rows are named by number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias
from zipfile import ZipFile

import pytest

from alerts.errors import Misconfigured
from consumers.intake.reason import DeadLetterReason
from consumers.sources.rows import FileRow, InvalidRow, Sendable, read_rows
from consumers.sources.source import read_source

SOURCE = """
name: crm
map:
  event_id: id
  rating: {from: score, type: int}
  comment: note
  answered_at: {from: at, type: datetime, zone: UTC}
  customer: {id: who}
"""
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
DAY, MOMENT = ' s="1"', ' s="2"'
STYLES = (
    f'<styleSheet xmlns="{SHEETS}"><fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>'
    '<cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
Cell: TypeAlias = str | int | float | tuple[str, float] | bool | None
HEADER: tuple[Cell, ...] = ("id", "score", "at", "who", "note")


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[Cell]]], *, size: str = "A1") -> Path:
    """`size` is what the sheet says of itself, which many programs write wrong."""
    named = list(enumerate(sheets.items(), start=1))
    with ZipFile(path, "w") as file:
        file.writestr(
            "[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
        )
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}">'
            f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}"><sheets>'
            + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, (name, _) in named)
            + "</sheets></workbook>",
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}">'
            + "".join(
                f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/{n}.xml"/>' for n, _ in named
            )
            + f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        )
        file.writestr("xl/styles.xml", STYLES)
        for n, (_, rows) in named:
            written = "".join(f'<row r="{at}">{cells(row, at)}</row>' for at, row in enumerate(rows, start=1) if row)
            head = f'<worksheet xmlns="{SHEETS}"><dimension ref="{size}"/><sheetData>'
            file.writestr(f"xl/worksheets/{n}.xml", f"{head}{written}</sheetData></worksheet>")
    return path


def cells(row: Sequence[Cell], at: int) -> str:
    return "".join(cell(value, f"{chr(65 + column)}{at}") for column, value in enumerate(row) if value is not None)


def cell(value: Cell, place: str) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    style, number = value if isinstance(value, tuple) else ("", value)
    return f'<c r="{place}"{style}><v>{number}</v></c>'


def read(path: Path, rows: str = "{}") -> list[FileRow]:
    return list(read_rows(read_source(f"{SOURCE}rows: {rows}\n", file="crm.yaml"), path, secret=b"s"))


def good(rows: Sequence[FileRow]) -> list[Sendable]:
    return [row for row in rows if isinstance(row, Sendable)]


def test_dates_and_numbers_are_read_as_the_text_that_they_are(tmp_path: Path) -> None:
    sheet: list[Sequence[Cell]] = [
        HEADER,
        ("e-1", 1, (MOMENT, 46024.5), 447911123456, "größer"),
        ("e-2", 2.0, (DAY, 46024), "c-1", 0.5),
        (3, "3", "2026-01-02", "c-1", True),
    ]
    first, second, third = good(read(workbook(tmp_path / "größe.xlsx", {"Blatt": sheet})))
    assert first.response.answered_at.isoformat() == "2026-01-02T12:00:00+00:00"
    assert (first.response.customer.id, first.response.comment) == ("447911123456", "größer")
    assert second.response.answered_at.isoformat() == "2026-01-02T00:00:00+00:00"
    assert (second.response.rating, second.response.comment) == (2, "0.5")
    assert (third.response.event_id, third.response.comment) == ("3", "true")


def test_a_row_that_cannot_be_read_is_named_by_its_number_in_the_sheet(tmp_path: Path) -> None:
    sheet: list[Sequence[Cell]] = [
        (),
        ("Report of January",),
        HEADER,
        ("e-1", 2.5, (DAY, 46024), "c-1"),
        (),
        (" ",),
        ("e-2", 1, (DAY, 46024), "c-1", "x", "one too many"),
        ("e-3", 1, (DAY, 46024), "c-1"),
    ]
    rows = read(workbook(tmp_path / "a.xlsx", {"Blatt": sheet}), "{skip_rows: 1}")
    assert [(row.line, row.reason) for row in rows if isinstance(row, InvalidRow)] == [
        (4, DeadLetterReason.INVALID_RATING),
        (7, DeadLetterReason.MALFORMED),
    ]
    assert [row.line for row in good(rows)] == [8]


def test_a_sheet_is_chosen_by_the_source_file_else_the_first(tmp_path: Path) -> None:
    book: dict[str, Sequence[Sequence[Cell]]] = {
        "Titel": [HEADER],
        "Für März": [HEADER, ("e-1", 1, "2026-01-02", "c-1")],
    }
    path = workbook(tmp_path / "a.xlsx", book)
    assert read(path) == []
    assert len(good(read(path, "{sheet: Für März}"))) == 1
    with pytest.raises(
        Misconfigured, match=r'a\.xlsx has no sheet "April", which rows\.sheet names; there are: "Titel"'
    ):
        read(path, "{sheet: April}")


@pytest.mark.parametrize("size", ["A1", "A1:B2", "A1:XFD1048576"])
def test_a_sheet_that_tells_its_size_wrong_is_read_whole(tmp_path: Path, size: str) -> None:
    sheet: list[Sequence[Cell]] = [HEADER, *((f"e-{n}", 1, "2026-01-02", "c-1", "x") for n in range(60))]
    assert len(good(read(workbook(tmp_path / "a.xlsx", {"Blatt": sheet}, size=size)))) == 60


def test_a_header_is_refused_as_that_of_any_file(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Blatt": [("id", "score", "score", "at", "who")]})
    with pytest.raises(Misconfigured, match=r'a\.xlsx, row 1: more than one column has the name "score"'):
        read(path)
    with pytest.raises(Misconfigured, match=r'a\.xlsx has no header; looked for the columns "at", "id"'):
        read(workbook(tmp_path / "a.xlsx", {"Blatt": []}))


def test_an_archive_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with ZipFile(path, "w") as file:
        file.writestr("answers.csv", "id")
    with pytest.raises(Misconfigured, match="is a ZIP archive; unpack it"):
        read(path)
    with ZipFile(path, "w") as file:
        file.writestr("xl/workbook.xml", "<no")
    with pytest.raises(Misconfigured, match="cannot be read as a workbook"):
        read(path)
