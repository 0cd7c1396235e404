"""The same rows as CSV (RFC 4180), for whoever asks with `Accept: text/csv`."""

from __future__ import annotations

import csv
import io
import types
from collections.abc import Iterator, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from starlette.responses import Response

from app.api.context import RequestContext
from app.api.http.answering import respond

CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows; as CSV for `Accept: text/csv`",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
"""What a route declares that answers in both."""

BY_ACCEPT = {"Vary": "Accept"}

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would reckon out: whoever names a queue or a team must not run things on a lead's
machine. Source: OWASP, "CSV Injection"; its remedy is an apostrophe before the text.
"""


def tell(context: RequestContext, answer: BaseModel, rows: Sequence[BaseModel], kind: type[BaseModel]) -> Response:
    """`answer` as JSON, or its `rows`, all of one `kind`, as CSV."""
    if not prefers_csv(context.request.headers.get("accept", "")):
        return respond(answer, headers=BY_ACCEPT)
    return Response(as_csv(rows, kind), headers=BY_ACCEPT, media_type="text/csv; charset=utf-8; header=present")


def prefers_csv(accept: str) -> bool:
    """Whether `text/csv` is named, and JSON is not liked better (RFC 9110, 12.5.1)."""
    likes = dict(_liked(each) for each in accept.split(","))
    csv_, json = likes.get("text/csv", 0.0), likes.get("application/json", 0.0)
    return csv_ > 0 and csv_ >= json


def _liked(media: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in media.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


def as_csv(rows: Sequence[BaseModel], kind: type[BaseModel]) -> str:
    """A column for each member, `share.low` for one within another; nothing for null; lists with blanks between."""
    columns = list(_columns(kind))
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(columns)
    for row in rows:
        members = row.model_dump(mode="json", by_alias=True)
        table.writerow([_cell(members, column.split(".")) for column in columns])
    return written.getvalue()


def _columns(kind: type[BaseModel], within: str = "") -> Iterator[str]:
    for member, field in kind.model_fields.items():
        name, inner = field.alias or member, _model(field.annotation)
        if inner is None:
            yield f"{within}{name}"
        else:
            yield from _columns(inner, f"{within}{name}.")


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType):
        return next((each for each in map(_model, get_args(annotation)) if each is not None), None)
    return None


def _cell(members: Any, path: Sequence[str]) -> Any:
    for name in path:
        members = None if members is None else members[name]
    told = " ".join(map(str, members)) if isinstance(members, list) else members
    return f"'{told}" if isinstance(told, str) and told.startswith(FORMULA) else told
