"""What an endpoint is called with, read straight from the request: for endpoints that ask for little.

FastAPI's own reading takes steps that most endpoints have no need of. It still reads for every endpoint that asks for
more than a body, a query and the parts below, and whatever is not simply right: so it alone says what is wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

MakeArgument = Callable[[Request], Awaitable[Any]]


class NotSimple(Exception):
    """FastAPI is to read this request."""


def simple_parts(dependant: Dependant) -> dict[str, MakeArgument] | None:
    """How to make each argument of an endpoint, by its name; None when it asks for more than is known here.

    The body first: what cannot be read is told before a path that leads nowhere, as FastAPI does.
    """
    if dependant.path_params or dependant.header_params or dependant.cookie_params or dependant.request_param_name:
        return None
    if len(dependant.body_params) > 1 or len(dependant.query_params) > 1:
        return None
    parts: dict[str, MakeArgument | None] = {field.name: _of_body(field.field_info) for field in dependant.body_params}
    parts |= {field.name: _of_query(field.field_info) for field in dependant.query_params}
    parts |= {str(each.name): _of_dependency(each) for each in dependant.dependencies}
    found = {name: part for name, part in parts.items() if part is not None}
    return found if len(found) == len(parts) else None


def _of_dependency(dependant: Dependant) -> MakeArgument | None:
    """Of one that takes the request, or one part of the path as it is."""
    call: Any = dependant.call
    more = (*dependant.query_params, *dependant.header_params, *dependant.body_params, *dependant.dependencies)
    if call is None or more or dependant.cookie_params or len(dependant.path_params) > 1:
        return None
    if not dependant.path_params:
        asked = dependant.request_param_name
        return None if asked is None else lambda request: call(**{asked: request})
    [field] = dependant.path_params
    name = field.name
    if field.field_info.annotation is not str or field.field_info.metadata or dependant.request_param_name:
        return None
    return lambda request: call(**{name: request.path_params[name]})


def _of_body(field: Any) -> MakeArgument | None:
    model, default = field.annotation, field.default_factory
    if not _is_model(model):
        return None

    async def read(request: Request) -> Any:
        if not await request.body():
            if default is None:
                raise NotSimple
            return default()
        return _validated(model, await request.json())

    return read


def _of_query(field: Any) -> MakeArgument | None:
    model = field.annotation
    if not _is_model(model):
        return None
    try:
        default = model()
    except ValidationError:
        return None
    alone = {name for name, schema in model.model_json_schema()["properties"].items() if not _is_list(schema)}

    async def read(request: Request) -> Any:
        if not request.scope["query_string"]:
            return default
        given = request.query_params.multi_items()
        values = dict(given)
        if len(values) < len(given) or not values.keys() <= alone:
            raise NotSimple
        return _validated(model, values)

    return read


def _is_list(schema: dict[str, Any]) -> bool:
    """Whether a query may have several values of a member."""
    return any(each.get("type") == "array" for each in (schema, *schema.get("anyOf", ())))


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _validated(model: type[BaseModel], value: Any) -> BaseModel:
    try:
        return model.model_validate(value)
    except ValidationError:
        raise NotSimple from None
