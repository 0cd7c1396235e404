"""No request makes a fault of ours: every operation of the OpenAPI document, with what it allows and nearly allows."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.front import Front, good
from tests.parts.bodies import STRANGE, nearly, values
from tests.parts.effort import times
from tests.parts.openapi import openapi

HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Idempotency-Key": st.sampled_from(["one", '"two"', '"', "a b"]),
        "If-Match": st.sampled_from(['"x"', "*", "W/", "x"]),
        "If-None-Match": st.sampled_from(['"x"', "*", ",", "W/"]),
        "Accept": st.sampled_from(["*/*", "text/plain;q=x", "application/openmetrics-text; version=1.0.0"]),
    },
)
MEDIA = st.sampled_from(
    ["application/json"] * 6
    + ["text/plain", "application/json; charset=utf-16", "", "application/cloudevents-batch+json"]
)
ODD_BYTES = st.binary(max_size=40) | st.sampled_from(
    [b"{", b"\0", b"[]", b"\xff\xfe{\0}\0", b'{"a":1,"a":2}', b"[" * 9000]
)


KNOWN: dict[str, list[Any]] = {
    "callback_id": ["{held}", "{waiting}"],
    "ids": [["{held}", "{waiting}"], ["{waiting}"]],
    "ref": ["{ref}"],
    "name": ["general"],
    "queue": ["general"],
    "id": ["1", "2"],
    "lease_token": ["{token}"],
    "advisor": ["ann", "bob"],
}
"""What there is to ask about; the names in braces are put in when the request is made."""

DOCUMENT = openapi()
DEFINED = DOCUMENT["components"]["schemas"]
OPERATIONS = [(method, path) for path, each in DOCUMENT["paths"].items() for method in each]


class Asked(NamedTuple):
    method: str
    path: str  # as the document has it
    url: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    method, path = draw(st.sampled_from(OPERATIONS))
    operation = DOCUMENT["paths"][path][method]
    url, query, headers, body = path, {}, draw(HEADERS), b""
    for each in operation.get("parameters", ()):
        if each["in"] == "path":
            text = draw(st.sampled_from(KNOWN.get(each["name"], ["1"])) | STRANGE.map(str))
            url = url.replace(f"{{{each['name']}}}", quote(text.encode("utf-8", "replace"), safe="{}"))
        elif each["in"] == "query" and draw(st.booleans()):
            query[each["name"]] = str(draw(nearly(values(each["schema"], DEFINED, KNOWN))))
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = (
            draw(ODD_BYTES) if draw(st.integers(0, 5)) == 0 else _written(draw(nearly(values(schema, DEFINED, KNOWN))))
        )
        headers["Content-Type"] = draw(MEDIA)
    return Asked(method, path, url, query, headers, body)


def _written(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return repr(value).encode("utf-8", "surrogatepass")


@pytest.fixture
async def world(front: Front) -> tuple[httpx.AsyncClient, dict[str, str]]:
    """Whoever asks, and what the names in braces stand for."""
    moved = await front.answers([front.answer(f"c-{number}") for number in range(8)])
    client = await front.key("admin", "events:ingest", "callbacks:dial", advisor="ann")
    held = good(await client.post("/v1/callbacks/claim", json={"lease_seconds": 3600}))
    waiting = next(each.callback.id for each in moved if each.callback.id != held["id"])
    names = {"held": held["id"], "waiting": waiting, "ref": held["customer"]["ref"], "token": held["lease"]["token"]}
    return client, {f"{{{name}}}": value for name, value in names.items()}


@settings(
    max_examples=times(2_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=requests())
async def test_no_request_makes_a_fault_of_ours(world: tuple[httpx.AsyncClient, dict[str, str]], asked: Asked) -> None:
    client, names = world
    url, body = asked.url, asked.body
    for name, value in names.items():
        url, body = url.replace(name, value), body.replace(name.encode(), value.encode())
    response = await client.request(asked.method, url, params=asked.query, content=body, headers=asked.headers)
    documented = DOCUMENT["paths"][asked.path][asked.method]["responses"]
    assert response.status_code < 500, response.text
    assert str(response.status_code) in documented, (response.status_code, response.text)
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
