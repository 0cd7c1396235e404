"""HTTP as proxies, load balancers and strangers speak it, byte by byte on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.parser import BytesHeaderParser
from typing import Any, NamedTuple

import msgspec
import pytest

from alerts.ledger.access.keys import create_key
from app.api.http.limits import RateLimiter
from app.serving import bind, serve
from tests.integration.api.front import Front

PUBLIC = ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs")
JSON = "Content-Type: application/json"


class Said(NamedTuple):
    """What came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A front door on a port of its own. `key`: an Authorization line that opens everything."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.key = key

    async def send(self, *pieces: bytes) -> bytes:
        """All that comes back; each piece goes out once something may be on its way for the one before."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        said = b""
        for number, piece in enumerate(pieces):
            if number:
                said += await reader.readuntil(b"\r\n\r\n")
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(20):
            said += await reader.read()
        writer.close()
        return said

    async def ask(self, start: str, *lines: str, body: bytes = b"", host: str | None = "Host: here") -> Said:
        head = [start, *([host] if host else []), "Connection: close", *lines]
        return parse(await self.send("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body))


def parse(raw: bytes) -> Said:
    head, _, body = raw.partition(b"\r\n\r\n")
    start, _, lines = head.partition(b"\r\n")
    headers = {name.lower(): value for name, value in BytesHeaderParser().parsebytes(lines).items()}
    return Said(int(start.split()[1]), headers, body)


def refused(said: Said, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer."""
    assert said.status == status, said
    assert said.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = msgspec.json.decode(said.body)
    assert (document["status"], document["code"]) == (status, code)
    return document


@asynccontextmanager
async def _served(front: Front, proxies: Sequence[str] = ()) -> AsyncIterator[Wire]:
    scopes = ("admin", "callbacks:dial", "events:ingest")
    _, secret = await create_key(front.engine, name=f"wire-{'-'.join(proxies)}", scopes=scopes, advisor="ann")
    listening, stop = bind("127.0.0.1", 0), asyncio.Event()
    port = listening.getsockname()[1]
    serving = asyncio.create_task(serve(front.app, listening, stop, proxies=proxies))
    yield Wire(port, f"Authorization: Bearer {secret}")
    stop.set()
    await serving


@pytest.fixture
async def wire(front: Front) -> AsyncIterator[Wire]:
    async with _served(front) as wire:
        yield wire


async def test_head_is_get_without_the_body(front: Front, wire: Wire) -> None:
    moved = await front.bad_answer()
    for path in (*PUBLIC, "/v1/policy", "/v1/queues", "/v1/callbacks?limit=1", f"/v1/callbacks/{moved.callback.id}"):
        got, headed = [await wire.ask(f"{method} {path} HTTP/1.1", wire.key) for method in ("GET", "HEAD")]
        assert (headed.status, headed.body) == (200, b""), path
        assert got.body
        kept = ("content-length", "content-type", "etag", "link", "cache-control")
        assert {name: got.headers.get(name) for name in kept} == {name: headed.headers.get(name) for name in kept}, path


async def test_head_tells_of_mistakes_as_get_does(front: Front, wire: Wire) -> None:
    front.missing.append("the database cannot be reached")
    for path, status in (("/readyz", 503), ("/v1/nothing", 404), ("/v1/contacts", 405), ("/v1/policy", 401)):
        headed = await wire.ask(f"HEAD {path} HTTP/1.1")
        assert (headed.status, headed.body) == (status, b"")
    assert front.observed[-1][0] == "/v1/policy", "metrics know the route"


async def test_other_methods_are_told_which_there_are(wire: Wire) -> None:
    for method in ("OPTIONS", "PROPFIND", "TRACE", "DELETE"):
        said = await wire.ask(f"{method} /v1/policy HTTP/1.1")
        refused(said, 405, "method-not-allowed")
        assert said.headers["allow"] == "GET, HEAD"
    refused(await wire.ask("OPTIONS * HTTP/1.1"), 404, "not-found")


@pytest.mark.parametrize(
    "start",
    [
        *("BREW /v1/policy HTTP/1.1", "CONNECT here:443 HTTP/1.1", "GET /v1/queues/\xff HTTP/1.1", "GET / HTTP/9.9"),
        *("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET /v1/callbacks?q=\xff HTTP/1.1"),
    ],
)
async def test_what_is_no_http_is_answered_by_a_problem_document_too(wire: Wire, start: str) -> None:
    said = await wire.ask(start)
    refused(said, 400, "malformed")
    assert said.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/v1/policy/", "//v1/policy", "/v1", "/", "/livez/", "/V1/policy", "/v1/policy%00"])
async def test_a_path_that_is_nearly_right_is_not_found(wire: Wire, path: str) -> None:
    refused(await wire.ask(f"GET {path} HTTP/1.1", wire.key), 404, "not-found")


@pytest.mark.parametrize("text", ["%00", "%ff%fe", "%ed%a0%80", "%", "%zz", "..%2f..", "%F0%9F%98%80", "a" * 5000])
async def test_no_text_in_a_path_makes_a_fault_of_ours(wire: Wire, text: str) -> None:
    for start in (
        f"GET /v1/callbacks/{text} HTTP/1.1",
        f"GET /v1/customers/{text} HTTP/1.1",
        f"GET /v1/responses/{text} HTTP/1.1",
        f"GET /v1/dead-letters/{text} HTTP/1.1",
        f"POST /v1/queues/{text}/resume HTTP/1.1",
        f"POST /v1/callbacks/{text}/claim HTTP/1.1",
    ):
        refused(
            await wire.ask(start, wire.key, "Content-Length: 0" if start.startswith("POST") else "X: y"),
            404,
            "not-found",
        )


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%ff", "%00=1", "limit=%EF%BC%91", "cursor=%00", "sort=%ff", "&&==&", "q="]
)
async def test_no_query_makes_a_fault_of_ours(wire: Wire, query: str) -> None:
    said = await wire.ask(f"GET /v1/callbacks?{query} HTTP/1.1", wire.key)
    assert said.status in (200, 400, 422)


async def test_the_absolute_form_of_a_proxy_is_the_same_request(wire: Wire) -> None:
    assert (await wire.ask("GET http://here:8000/livez HTTP/1.1")).status == 200
    assert (await wire.ask("GET http://here/v1/policy HTTP/1.1", wire.key)).status == 200


async def test_a_request_without_a_host_is_answered(wire: Wire) -> None:
    assert (await wire.ask("GET /livez HTTP/1.0", host=None)).status == 200
    listed = await wire.ask("GET /v1/callbacks?limit=1 HTTP/1.0", wire.key, host=None)
    assert listed.status == 200


@pytest.mark.parametrize("host", ["[", "a b", "\xff", "here:99999999", "", "here/..", "x@y"])
async def test_a_host_that_is_none_makes_no_fault_of_ours(front: Front, wire: Wire, host: str) -> None:
    await front.answers([front.answer(), front.answer()])
    listed = await wire.ask("GET /v1/callbacks?limit=1 HTTP/1.1", wire.key, host=f"Host: {host}")
    assert listed.status in (200, 400)
    keyed = ("Idempotency-Key: a", JSON, "Content-Length: 2", wire.key)
    claimed = await wire.ask("POST /v1/callbacks/claim HTTP/1.1", *keyed, body=b"{}", host=f"Host: {host}")
    assert claimed.status in (200, 400)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("Content-Type", "application/json", "text/plain"),
        ("Idempotency-Key", "one", "two"),
        ("If-Match", '"one"', '"two"'),
        ("Host", "here", "there"),
    ],
)
async def test_a_header_that_decides_is_there_once(wire: Wire, name: str, one: str, other: str) -> None:
    start, lines = "POST /v1/callbacks/claim HTTP/1.1", [wire.key, "Content-Length: 2"]
    if name != "Content-Type":
        lines.append(JSON)
    for first, second in ((one, other), (other, one)):
        said = await wire.ask(start, f"{name}: {first}", f"{name}: {second}", *lines, body=b"{}")
        assert name in refused(said, 400, "malformed")["detail"]
    same = await wire.ask(start, f"{name}: {one}", f"{name}: {one}", *lines, body=b"{}")
    assert same.status == 204, "a proxy that says the same twice says it once"


async def test_two_keys_open_nothing(wire: Wire) -> None:
    for lines in ((wire.key, "Authorization: Bearer x"), ("Authorization: Bearer x", wire.key)):
        said = await wire.ask("GET /v1/policy HTTP/1.1", *lines)
        assert "x" not in refused(said, 400, "malformed").get("errors", "")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: x",),
        ("Content-Length: -1",),
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
    ],
)
async def test_a_body_whose_length_is_in_doubt_is_refused(wire: Wire, lines: tuple[str, ...]) -> None:
    said = await wire.ask("POST /v1/callbacks/claim HTTP/1.1", wire.key, JSON, *lines, body=b"{}")
    refused(said, 400, "malformed")


async def test_a_body_may_come_in_chunks(front: Front, wire: Wire) -> None:
    await front.bad_answer()
    lines = (wire.key, JSON, "Transfer-Encoding: chunked")
    chunks = b'11\r\n{"lease_seconds":\r\n4\r\n 60}\r\n0\r\n\r\n'
    said = await wire.ask("POST /v1/callbacks/claim HTTP/1.1", *lines, body=chunks)
    assert said.status == 200
    assert msgspec.json.decode(said.body)["state"] == "leased"


async def test_a_body_may_wait_until_it_is_asked_for(front: Front, wire: Wire) -> None:
    await front.bad_answer()
    head = "POST /v1/callbacks/claim HTTP/1.1\r\nHost: here\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
    said = await wire.send(f"{head}{JSON}\r\n{wire.key}\r\n\r\n".encode(), b"{}")
    first, _, rest = said.partition(b"\r\n\r\n")
    assert first == b"HTTP/1.1 100 Continue"
    assert parse(rest).status == 200
    refused(parse(await wire.send(f"{head}{JSON}\r\n\r\n".encode())), 401, "unauthorized")


async def test_an_offer_to_speak_another_protocol_is_passed_over(wire: Wire) -> None:
    for protocol in ("websocket", "h2c"):
        head = f"GET /livez HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n"
        head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(head.encode())
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()


async def test_whoever_hangs_up_in_the_middle_is_no_fault_of_ours(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    observed: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
    front.rebuild(observe_http=lambda route, status, seconds: observed.put_nowait((route, status)))
    async with _served(front) as wire:
        _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        lines = ("POST /v1/callbacks/claim HTTP/1.1", "Host: here", wire.key, JSON, "Content-Length: 100", "", "{")
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        writer.close()
        assert await observed.get() == ("/v1/callbacks/claim", 400)
    assert "ClientDisconnect" not in caplog.text


async def test_where_a_request_came_from_is_believed_of_trusted_proxies_only(front: Front) -> None:
    async def guess(wire: Wire, address: str) -> int:
        lines = ("Authorization: Bearer bbx_x", f"X-Forwarded-For: {address}")
        return (await wire.ask("GET /v1/policy HTTP/1.1", *lines)).status

    for proxies, statuses in (((), [401, 429, 429]), (("127.0.0.0/8",), [401, 401, 429])):
        front.app.state.limiter = RateLimiter(1, lambda: 0.0)
        async with _served(front, proxies) as wire:
            assert [await guess(wire, address) for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1")] == statuses
