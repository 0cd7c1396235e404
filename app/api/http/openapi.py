"""The OpenAPI document: what FastAPI reads off the routes, and what it cannot know of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.http.problems import problem_docs
from app.api.http.route import PUBLIC, SCOPE, SIGNATURE
from app.api.schemas.problem import ProblemDocument

SIGNED = ("unauthorized", "quota-exceeded", "temporarily-unavailable", "body-too-large", "unsupported-media-type")
SECURED = ("unauthorized", "insufficient-scope", "quota-exceeded", "temporarily-unavailable")
WITH_BODY = ("malformed", "body-too-large", "unsupported-media-type", "validation")
WITH_QUERY = ("malformed", "validation")
WITH_ID = ("not-found",)
KEYED = ("idempotency-in-progress", "idempotency-key-reused")

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "kept for 24 h: the same key with the same request gives the same answer, "
    "with `Idempotency-Replayed: true`",
    "schema": {"type": "string", "maxLength": 255},
    "example": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Made once, and kept by the application."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        _complete(document)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "bbx_..."}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method, operation)


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    codes: list[str] = []
    has_key = operation[SCOPE] not in (PUBLIC, SIGNATURE)
    if operation[SCOPE] == SIGNATURE:
        codes += SIGNED
    if has_key:
        operation["security"] = [{"key": [operation[SCOPE]]}]
        codes += SECURED
    if "requestBody" in operation and has_key:
        codes += WITH_BODY
    elif any(each["in"] == "query" for each in operation.get("parameters", ())):
        codes += WITH_QUERY
    if "{" in path:
        codes += WITH_ID
    if method != "get" and has_key:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        codes += ("malformed", *KEYED)
    _add_problems(operation["responses"], codes)


def _add_problems(responses: dict[str, Any], codes: list[str]) -> None:
    """Beside those that the route declared itself; the framework's own 422 gives way to ours."""
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]
    for status, doc in problem_docs(*codes).items():
        known = responses.setdefault(str(status), doc)
        if known is not doc:
            for media, content in doc["content"].items():
                known["content"][media]["examples"] |= content["examples"]
