"""Tells what kind of file this is: by its first bytes, and by its name where bytes say nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias
from zipfile import BadZipFile, ZipFile

from alerts.errors import Misconfigured
from consumers.sources.lines import open_bytes

ValueKind: TypeAlias = Literal["csv", "json", "xlsx"]

_JSON = frozenset({".json", ".jsonl", ".ndjson"})
_ZIP = b"PK\x03\x04"
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old or a locked Excel workbook; save it as XLSX or CSV without a password",
    b"%PDF": "a PDF; export CSV, XLSX or JSON",
    b"<!DO": "a web page; log in and fetch the export again",
    b"<htm": "a web page; log in and fetch the export again",
    b"<?xm": "XML; export CSV, XLSX or JSON",
    b"BZh9": "packed by bzip2; unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it, or pack it with gzip",
    b"PAR1": "Parquet; export CSV, XLSX or JSON",
}


def kind_of(path: Path) -> ValueKind:
    """Raises Misconfigured for a file of a kind that nobody reads here, saying which."""
    if path.exists() and not path.is_file():
        raise Misconfigured(f"{path.name} is no ordinary file; save the answers in one first")
    with open_bytes(path) as file:
        head = file.read(4)
    if head == _ZIP:
        return _workbook(path)
    if head in _OTHERS:
        raise Misconfigured(f"{path.name} is {_OTHERS[head]}")
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    return "json" if suffixes and suffixes[-1] in _JSON else "csv"


def _workbook(path: Path) -> ValueKind:
    try:
        with ZipFile(path) as archive:
            if "xl/workbook.xml" in archive.namelist():
                return "xlsx"
    except (BadZipFile, NotImplementedError, OSError):
        raise Misconfigured(f"{path.name} is a ZIP archive, and damaged or cut off; fetch it again") from None
    raise Misconfigured(f"{path.name} is a ZIP archive; unpack it and name the file with the answers")
