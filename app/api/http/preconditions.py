"""What a change rests on: the version that its sender has read (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re

from starlette.requests import Request

from app.api.http.problems import ApiProblem

_STRONG = re.compile(r'"([\x21\x23-\x7e]*)"')


def if_match(request: Request) -> str:
    """The version that the caller has read. Raises 428 without, 412 for a weak one, 400 for what is no ETag."""
    header = request.headers.get("if-match", "").strip()
    if not header:
        raise ApiProblem("precondition-required", "send If-Match with the ETag of what you have read")
    if header.startswith("W/"):
        raise ApiProblem("stale-version", "a weak ETag proves nothing here; send the strong one")
    match = _STRONG.fullmatch(header)
    if match is None:
        raise ApiProblem("malformed", "If-Match has one ETag in quotes")
    return match.group(1)


def read_version(request: Request) -> str:
    """The same of a resource whose ETag is its version, and after a dot what else is shown with it."""
    return if_match(request).partition(".")[0]
