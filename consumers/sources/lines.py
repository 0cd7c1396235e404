"""Turns the bytes of a file into its lines, whatever wrote them: packed or not, in whatever encoding, with whatever line ends."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TextIO, cast

from msgspec import Struct

from alerts.errors import Misconfigured

MAX_LINE = 1024 * 1024
"""Characters. A longer line is named and not kept, so that a file without line ends cannot fill the memory."""

NOT_TEXT = "\udcff"
"""Stands for bytes that mean nothing in the file's encoding."""

_PACKED = b"\x1f\x8b"
_CHUNK = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the mark of UTF-16, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = ("unicode", "raw", "punycode", "idna", "utf-7")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
_BAD = re.compile("[\udc80-\udcff]")

codecs.register_error("bottombox-mark", lambda error: (NOT_TEXT, cast("UnicodeDecodeError", error).end))


class Line(Struct, frozen=True):
    """A physical line without its `end`. `number` is 1-based; `is_cut` when it was too long to be kept."""

    number: int
    text: str
    end: str
    is_cut: bool = False


class Ahead:
    """Lines that may be looked at before they are taken."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._waiting: deque[Line] = deque()

    def peek(self, place: int = 0) -> Line | None:
        """The line so many places ahead; None behind the last one."""
        while len(self._waiting) <= place:
            line = next(self._lines, None)
            if line is None:
                return None
            self._waiting.append(line)
        return self._waiting[place]

    def drop(self, count: int = 1) -> None:
        for _ in range(count):
            self._waiting.popleft()

    def drop_blank(self) -> None:
        while (line := self.peek()) is not None and not line.text.strip() and not line.is_cut:
            self.drop()


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """What the file holds, unpacked when it is packed by gzip. Raises Misconfigured."""
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == _PACKED
            file.seek(0)
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_packed else file
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise Misconfigured(f"{path.name} is packed, and damaged or cut off; fetch it again") from None
    except OSError:
        raise Misconfigured(f"{path.name} cannot be read; check that it is there and an ordinary file") from None


@contextmanager
def open_text(path: Path, stated: str | None = None) -> Iterator[TextIO]:
    """The text of the file, line ends as they are; NOT_TEXT where bytes mean nothing. Raises Misconfigured."""
    encoding = find_encoding(path, stated)
    with open_bytes(path) as file:
        yield TextIOWrapper(file, encoding=encoding, errors="bottombox-mark", newline="")


def read_lines(file: TextIO) -> Iterator[Line]:
    """Lines end with CR LF, LF or CR; no other character ends one."""
    number = 0
    while text := file.readline(MAX_LINE):
        number += 1
        is_cut = False
        while len(text) == MAX_LINE and text[-1] not in "\r\n":
            is_cut, text = True, file.readline(MAX_LINE)
        bare = text.rstrip("\r\n")
        yield Line(number, "" if is_cut else bare, text[len(bare) :], is_cut)


def is_encoding(name: str) -> bool:
    """Whether `name` is an encoding of text that Python knows, and no other transformation."""
    try:
        found = codecs.lookup(name)
        return "a\u0000".encode(found.name).decode(found.name) == "a\0" and not found.name.startswith(_NO_TEXT)
    except (LookupError, UnicodeError, TypeError, ValueError, AssertionError):
        return False


def find_encoding(path: Path, stated: str | None = None) -> str:
    """The mark at the file's beginning says it, else the source file, else the bytes themselves.

    Bytes that are UTF-8 are UTF-8. Others are Windows-1252, which every program of an office writes, unless
    most of what is beyond ASCII is UTF-8 all the same: then a few rows are damaged.
    """
    with open_bytes(path) as file:
        head = file.read(4096)
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
        if stated is not None:
            return stated
        if b"\0" in head and (wide := _wide(head)):
            return wide
        return "utf-8" if _is_utf8(head, file) else "windows-1252"


def _wide(head: bytes) -> str | None:
    """UTF-16 without its mark: in most languages' markup every second byte is zero."""
    pairs = len(head) // 2
    if head[1::2].count(0) > pairs * 0.4:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > pairs * 0.4 else None


def _is_utf8(head: bytes, rest: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    letters = bad = 0
    chunk = head
    while chunk:
        text = decoder.decode(chunk)
        if not text.isascii():
            letters += len(_BEYOND_ASCII.findall(text))
            bad += len(_BAD.findall(text))
        chunk = rest.read(_CHUNK)
    bad += len(decoder.decode(b"", final=True))
    return bad == 0 or letters - bad > bad
