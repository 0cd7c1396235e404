"""The documentation pages: the OpenAPI document, a plain list of operations that needs no script, and the schemas."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from alerts.errors import NotFound
from app.api.http.route import PUBLIC, SCOPE, GuardedRoute, declare
from app.published import DOCUMENTS, MEDIA, written

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #ccc; padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top }}
</style>
<h1>{title} {version}</h1>
<p>The full text, for programs and for tools that draw it: <a href="openapi.json">openapi.json</a>.
Send <code>Authorization: Bearer</code> with a key that has the scope.</p>
<table>
<thead><tr><th>Operation<th>Scope<th>What it does</thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""
ROW = "<tr><td><code>{method} {path}</code><td><code>{scope}</code><td>{summary}"


@router.get("/openapi.json", **declare(PUBLIC))
async def openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


@router.get("/docs", **declare(PUBLIC))
async def docs(request: Request) -> Response:
    return HTMLResponse(page(request.app.openapi()))


@router.get("/schemas/{name}", **declare(PUBLIC))
async def schema(name: str) -> Response:
    """JSON Schema and AsyncAPI, for senders and receivers of events."""
    if name not in DOCUMENTS:
        raise NotFound("there is no such schema")
    return Response(written(name), media_type=MEDIA.get(name, "application/schema+json"))


def page(document: dict[str, Any]) -> str:
    rows = [
        ROW.format(
            method=method.upper(),
            path=escape(path),
            scope=escape(operation[SCOPE]),
            summary=escape(operation["summary"]),
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    info = document["info"]
    return PAGE.format(title=escape(info["title"]), version=escape(info["version"]), rows="\n".join(rows))
