"""Reads a file of JSON objects: one on each line, or a list of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from alerts.errors import Misconfigured
from consumers.intake import strict_json
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.lines import Ahead, Line, open_text, read_lines

Object: TypeAlias = tuple[int, dict[str, Any] | InvalidRecord]
"""The line on which an object begins, and the object, or why it cannot be read."""

_PIECE = 64 * 1024
_SIGN = re.compile(r'["\\{}\[\]\n]')


def json_objects(path: Path, encoding: str | None) -> Iterator[Object]:
    """The objects of a file, in their order. Raises Misconfigured when it holds none."""
    with open_text(path, encoding) as file:
        line = Ahead(read_lines(file))
        line.drop_blank()
        first = line.peek()
    if first is None:
        raise Misconfigured(f"{path.name} is empty; looked for JSON objects, one on each line, or a list of them")
    with open_text(path, encoding) as file:
        yield from _listed(file) if _begins_list(first) else _lined(file)


def _begins_list(first: Line) -> bool:
    return first.is_cut or first.text.lstrip("\ufeff \t").startswith("[")


def _lined(file: TextIO) -> Iterator[Object]:
    for line in read_lines(file):
        if line.is_cut:
            yield (
                line.number,
                InvalidRecord(DeadLetterReason.TOO_LARGE, None, "this line has more than a million characters"),
            )
        elif line.text.strip():
            yield line.number, _object(line.text)


def _object(text: str) -> dict[str, Any] | InvalidRecord:
    """NOT_TEXT is not UTF-8 when it is written, so such an object is refused as any sender's would be."""
    try:
        return strict_json.read_object(text.encode("utf-8", "surrogatepass"))[0]
    except InvalidRecord as why:
        return why


def _listed(file: TextIO) -> Iterator[Object]:
    yield from _List(iter(lambda: file.read(_PIECE), "")).objects()


class _List:
    """Walks through a list from brace to brace, so that an object that is broken costs itself only.

    Memory: one object. After a broken one the walk goes on at the next line that begins with a brace as far from the
    margin as the broken one did: an object within an object stands further in.
    """

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces, self._text, self._at = pieces, "", 0
        self._line = 1
        self._margin = ""  # what stands on the line so far, outside of objects
        self._only_after: str | None = None
        self._is_closed = False

    def objects(self) -> Iterator[Object]:
        while (sign := self._outside()) is not None:
            if sign != "{":
                yield self._line, _malformed("the list holds something that is not an object")
                self._skip_text()
                continue
            line, margin = self._line, self._margin
            text = self._object()
            if text is None:
                yield line, _malformed("a text or a brace of this object is not closed")
                self._only_after = margin
            elif not text:
                yield (
                    line,
                    InvalidRecord(DeadLetterReason.TOO_LARGE, None, "this object has more than a million characters"),
                )
            else:
                yield line, _object(text)
        if not self._is_closed:
            yield self._line, _malformed("the list is not closed; the file may be cut off")

    def _outside(self) -> str | None:
        """Goes on to the next object's brace, or quotation mark; None at the end."""
        for text, sign in self._signs():
            self._margin += text
            if sign == "\n":
                self._line, self._margin = self._line + 1, ""
            elif sign in ("{", '"') and self._only_after in (None, self._margin):
                self._only_after = None
                return sign
            elif sign:
                self._is_closed = sign == "]"
                self._margin += sign
        return None

    def _skip_text(self) -> None:
        is_escaped = False
        for text, sign in self._signs():
            is_escaped = is_escaped and not text
            if sign == "\n":
                self._line, self._margin = self._line + 1, ""
            if sign == "\n" or (sign == '"' and not is_escaped):
                return
            is_escaped = sign == "\\" and not is_escaped

    def _object(self) -> str | None:
        """The text of the object whose brace was taken; None when it is broken, "" when it is too long to keep."""
        parts, size, open_ = ["{"], 1, ["}"]
        in_text = is_escaped = False
        lines = 0
        for text, sign in self._signs():
            size += len(text) + 1
            if size <= strict_json.MAX_BYTES:
                parts.append(text + sign)
            elif lines:
                break
            if text:
                is_escaped = False
            if sign == "\n":
                lines += 1
                if in_text:
                    break
            elif in_text:
                in_text = sign != '"' or is_escaped
                is_escaped = sign == "\\" and not is_escaped
            elif sign == '"':
                in_text = True
            elif sign in ("{", "["):
                open_.append("}" if sign == "{" else "]")
            elif sign in ("}", "]"):
                if open_.pop() != sign:
                    break
                if not open_:
                    self._line, self._margin = self._line + lines, self._margin + "{}"
                    return "".join(parts) if size <= strict_json.MAX_BYTES else ""
        self._again_after_first_line("".join(parts))
        return None

    def _again_after_first_line(self, text: str) -> None:
        _, newline, rest = text.partition("\n")
        self._text, self._at = rest + self._text[self._at :], 0
        self._line, self._margin = self._line + bool(newline), ""

    def _signs(self) -> Iterator[tuple[str, str]]:
        """What stands before each sign that matters, and the sign; a piece of the file may end without one."""
        while True:
            found = _SIGN.search(self._text, self._at)
            start, self._at = self._at, found.end() if found else len(self._text)
            if found:
                yield self._text[start : found.start()], found[0]
            elif start < len(self._text):
                yield self._text[start:], ""
            else:
                self._text, self._at = next(self._pieces, ""), 0
                if not self._text:
                    return


def _malformed(detail: str) -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.MALFORMED, None, detail)
