"""The short way finds the routes that FastAPI finds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match

from app.api.http.short_way import ShortWay
from tests.parts.openapi import front_door

ROUTES = front_door().router.routes
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PATHS = [re.sub(r"\{.*?\}", "x y", route.path) for route in ROUTES if isinstance(route, APIRoute)]
NOWHERE = [
    "",
    "/",
    "/v1",
    "/v1/",
    "/v1/callbacks/",
    "/v1/callbacks//claim",
    "/v1/callbacks/x/y/z",
    "//livez",
    "livez",
    "/livez/",
]


@pytest.mark.parametrize("path", [*dict.fromkeys(PATHS), *NOWHERE])
async def test_every_path_leads_where_fastapi_leads(path: str) -> None:
    for method in METHODS:
        scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "root_path": ""}
        expected, members = _by_fastapi(scope)
        assert ShortWay(_nobody, routes=ROUTES)._find(scope) is expected
        assert scope.get("path_params") == members


async def test_what_an_application_below_a_prefix_is_asked_for_goes_the_long_way() -> None:
    scope = {"type": "http", "method": "GET", "path": "/livez", "root_path": "/bottombox"}
    assert ShortWay(_nobody, routes=ROUTES)._find(scope) is None


def _by_fastapi(scope: dict[str, Any]) -> tuple[BaseRoute | None, dict[str, str] | None]:
    for route in ROUTES:
        match, found = route.matches(scope)
        if match is Match.FULL:
            return route, found["path_params"]
    return None, None


async def _nobody(*_: Any) -> None:
    raise AssertionError("nobody is asked")
