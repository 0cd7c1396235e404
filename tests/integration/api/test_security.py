"""Who may come in, and where."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import event

from alerts.errors import Invalid, NotFound
from alerts.ledger.access.keys import SCOPES, create_key, digest_of, find_key, list_keys, revoke_key
from app.api.http.limits import Acquaintances, RateLimiter, stranger
from app.api.http.route import SCOPE, GuardedRoute
from app.api.http.security import INCLUDES, PUBLIC, SIGNATURE
from tests.integration.api.front import Front, good, problem

ID = "0198c0de-0000-7000-8000-000000000001"

# The scopes, route by route. PATCH of a customer asks for more once it knows whose it is.
ROUTES = {
    "GET /v1/callbacks": "callbacks:read",
    "GET /v1/callbacks/{callback_id}": "callbacks:read",
    "POST /v1/callbacks/claim": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/claim": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/extend": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/release": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/skip": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/attempts": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/schedule": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/resolve": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/notes": "callbacks:work",
    "POST /v1/callbacks/{callback_id}/reopen": "callbacks:lead",
    "POST /v1/callbacks/{callback_id}/assign": "callbacks:lead",
    "POST /v1/callbacks/{callback_id}/move": "callbacks:lead",
    "POST /v1/callbacks/{callback_id}/escalate": "callbacks:lead",
    "POST /v1/callbacks/{callback_id}/reveal": "callbacks:lead",
    "POST /v1/callbacks/move": "callbacks:lead",
    "GET /v1/queues": "callbacks:read",
    "POST /v1/queues/{name}/pause": "callbacks:lead",
    "POST /v1/queues/{name}/resume": "callbacks:lead",
    "POST /v1/contacts": "events:ingest",
    "POST /v1/customers/lookup": "callbacks:lead",
    "GET /v1/customers/{ref}": "callbacks:lead",
    "PATCH /v1/customers/{ref}": "callbacks:work",
    "PUT /v1/customers/{ref}/opt-out": "callbacks:lead",
    "DELETE /v1/customers/{ref}/opt-out": "callbacks:lead",
    "GET /v1/responses": "callbacks:read",
    "GET /v1/responses/{id}": "callbacks:read",
    "GET /v1/ledger": "callbacks:read",
    "GET /v1/dead-letters": "admin",
    "GET /v1/dead-letters/counts": "admin",
    "GET /v1/dead-letters/{id}": "admin",
    "POST /v1/dead-letters/{id}/redrive": "admin",
    "POST /v1/dead-letters/redrive": "admin",
    "GET /v1/policy": "callbacks:read",
    "GET /v1/insights/hours": "callbacks:read",
    "GET /v1/insights/causes": "callbacks:read",
    "GET /v1/insights/targets": "callbacks:read",
    "GET /v1/insights/recovery": "callbacks:read",
    "GET /v1/insights/segments": "callbacks:read",
    "GET /v1/insights/repeats": "callbacks:read",
    "GET /v1/insights/forecast": "callbacks:read",
    "GET /v1/insights/summary": "callbacks:read",
    "GET /v1/insights/team": "callbacks:lead",
    "GET /v1/actions": "callbacks:read",
    "POST /v1/actions": "callbacks:lead",
    "GET /v1/actions/{id}": "callbacks:read",
    "PATCH /v1/actions/{id}": "callbacks:lead",
    "GET /v1/signals": "callbacks:read",
    "POST /v1/signals/{id}/acknowledge": "callbacks:lead",
    "GET /v1/problems": "callbacks:read",
    "POST /v1/problems": "callbacks:lead",
    "GET /v1/problems/{id}": "callbacks:read",
    "PATCH /v1/problems/{id}": "callbacks:lead",
    "POST /v1/problems/{id}/solve": "callbacks:lead",
    "GET /v1/problems/{id}/callbacks": "callbacks:read",
    "POST /v1/survey-events": "events:ingest",
    "POST /v1/sources/{name}/events": SIGNATURE,
    "GET /v1/sources/{name}/events": SIGNATURE,
    "GET /livez": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /schemas/{name}": PUBLIC,
}


async def test_every_route_declares_the_scope_of_the_contract(front: Front) -> None:
    declared = {}
    for route in iter_route_contexts(front.app.routes):
        for method in route.methods or ():
            declared[f"{method} {route.path}"] = (route.openapi_extra or {}).get(SCOPE)
            assert isinstance(route.original_route, GuardedRoute)
    assert declared == ROUTES


async def test_a_route_without_a_scope_cannot_be_made() -> None:
    router = APIRouter(route_class=GuardedRoute)

    async def forgotten() -> None:
        return

    with pytest.raises(TypeError, match="declares no scope"):
        router.get("/forgotten")(forgotten)
    assert not any(isinstance(route, APIRoute) and route.path == "/forgotten" for route in router.routes)


async def test_each_scope_opens_its_own_routes_and_those_it_includes_and_no_others(front: Front) -> None:
    clients = {scope: await front.key(scope) for scope in SCOPES}
    for route, needed in ROUTES.items():
        method, path = route.split()
        url = path.replace("{callback_id}", ID).replace("{ref}", ID).replace("{name}", "none").replace("{id}", "1")
        for scope, client in clients.items():
            response = await client.request(method, url)
            may = needed in (PUBLIC, SIGNATURE, scope) or needed in INCLUDES.get(scope, ())
            if not may:
                body = problem(response, 403, "insufficient-scope")
                assert needed in body["detail"]
                assert f'scope="{needed}"' in response.headers["www-authenticate"]
            elif method != "PATCH":  # asks once more, for a lead or the holder
                assert response.status_code not in (401, 403), (route, scope)
            assert response.status_code < 500


async def test_without_credentials_one_is_asked_for_them(front: Front) -> None:
    stranger = front.stranger()
    for route, needed in ROUTES.items():
        if needed in (PUBLIC, SIGNATURE):
            continue
        method, path = route.split()
        response = await stranger.request(method, path, content=b"{", headers={"Content-Type": "application/json"})
        problem(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_a_key_that_is_wrong_revoked_or_expired_opens_nothing(front: Front) -> None:
    now = await front.clock.now()
    revoked, secret = await create_key(front.engine, name="old", scopes=["admin"])
    await revoke_key(front.engine, revoked.id)
    _, dated = await create_key(front.engine, name="dated", scopes=["admin"], expires_at=now + timedelta(hours=1))
    good(await front.stranger(Authorization=f"bearer {dated}").get("/v1/queues"))
    await front.clock.advance(timedelta(hours=1))
    for header in (f"Bearer {secret}", f"Bearer {dated}", "Bearer bbx_", "Bearer x", "Basic abc", "Bearer"):
        response = await front.stranger(Authorization=header).get("/v1/queues")
        problem(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_credentials_in_a_url_are_never_accepted(front: Front) -> None:
    _, secret = await create_key(front.engine, name="k", scopes=["admin"])
    response = await front.stranger().get(f"/v1/queues?access_token={secret}")
    problem(response, 400, "malformed")
    assert secret not in response.text


async def test_two_keys_of_one_name_may_live_and_no_third(front: Front) -> None:
    key, secret = await create_key(front.engine, name="ann", scopes=["callbacks:work"], advisor="ann", queues=["a"])
    await create_key(front.engine, name="ann", scopes=["callbacks:work"])
    with pytest.raises(Invalid, match="two keys"):
        await create_key(front.engine, name="ann", scopes=["callbacks:work"])
    assert secret.startswith("bbx_")
    assert len(secret) >= 4 + 128 / 6
    assert await find_key(front.engine, digest_of(secret)) == key
    stored = await front.sql("SELECT * FROM api_keys")
    assert secret not in repr(stored)
    await revoke_key(front.engine, key.id)
    await revoke_key(front.engine, key.id)
    assert await find_key(front.engine, digest_of(secret)) is None
    await create_key(front.engine, name="ann", scopes=["callbacks:work"])
    assert [each.revoked_at is None for each in await list_keys(front.engine)] == [False, True, True]
    with pytest.raises(NotFound):
        await revoke_key(front.engine, "none")


@pytest.mark.parametrize(("name", "scopes"), [("k", []), ("k", ["everything"]), ("", ["admin"]), ("a\nb", ["admin"])])
async def test_a_key_needs_a_name_and_scopes_that_exist(front: Front, name: str, scopes: list[str]) -> None:
    with pytest.raises(Invalid):
        await create_key(front.engine, name=name, scopes=scopes)


async def test_whoever_asks_too_often_waits_and_nobody_else_does(front: Front) -> None:
    front.rebuild(rate_limit=3)
    hasty, patient = await front.key("callbacks:read"), await front.key("callbacks:read")
    statuses = [(await hasty.get("/v1/policy")).status_code for _ in range(8)]
    assert statuses[:3] == [200, 200, 200]
    assert 429 in statuses
    response = await hasty.get("/v1/policy")
    while response.status_code != 429:
        response = await hasty.get("/v1/policy")
    problem(response, 429, "quota-exceeded")
    assert response.headers["retry-after"] == "1"
    good(await patient.get("/v1/policy"))


async def test_a_request_that_fastapi_reads_after_all_is_paid_for_once(front: Front) -> None:
    front.rebuild(rate_limit=2)
    front.app.state.limiter = RateLimiter(2, lambda: 0.0)
    advisor = await front.key("callbacks:work")
    for _ in range(2):
        problem(await advisor.post("/v1/callbacks/claim", json={"count": "two"}), 422, "validation")
    problem(await advisor.post("/v1/callbacks/claim", json={"count": "two"}), 429, "quota-exceeded")


async def test_whoever_guesses_keys_is_slowed_down(front: Front) -> None:
    front.rebuild(rate_limit=3)
    statuses = set()
    for number in range(30):
        guess = front.stranger(Authorization=f"Bearer bbx_{number}")
        statuses.add((await guess.get("/v1/policy")).status_code)
    assert statuses == {401, 429}


@pytest.fixture
def lookups(front: Front) -> Iterator[list[int]]:
    """One entry for each connection that was taken out of the pool."""
    taken: list[int] = []

    def note(*_: object) -> None:
        taken.append(1)

    event.listen(front.engine.sync_engine, "checkout", note)
    yield taken
    event.remove(front.engine.sync_engine, "checkout", note)


async def test_guessing_keys_costs_the_database_no_more_than_one_address_may_ask(
    front: Front, lookups: list[int]
) -> None:
    front.rebuild(rate_limit=5)
    front.app.state.limiter = RateLimiter(5, lambda: 0.0)
    guesses = [front.stranger(Authorization=f"Bearer bbx_{number}") for number in range(40)]
    statuses = Counter(
        [answer.status_code for answer in await asyncio.gather(*(one.get("/v1/policy") for one in guesses))]
    )
    assert statuses == {401: 5, 429: 35}
    assert len(lookups) == 5


async def test_a_good_key_goes_on_while_somebody_guesses_behind_the_same_proxy(front: Front) -> None:
    front.rebuild(rate_limit=5)
    front.app.state.limiter = RateLimiter(5, lambda: 0.0)
    reader = await front.key("callbacks:read")
    good(await reader.get("/v1/policy"))
    guesses = [front.stranger(Authorization=f"Bearer bbx_{number}") for number in range(40)]
    await asyncio.gather(*(one.get("/v1/policy") for one in guesses))
    for _ in range(4):
        good(await reader.get("/v1/policy"))
    problem(await reader.get("/v1/policy"), 429, "quota-exceeded")


async def test_a_known_key_over_its_limit_costs_no_look_up(front: Front, lookups: list[int]) -> None:
    reader = await front.key("callbacks:read")
    front.app.state.limiter = RateLimiter(3, lambda: 0.0)
    statuses = []
    for number in range(10):
        before = len(lookups)
        statuses.append((await reader.get("/v1/policy")).status_code)
        assert len(lookups) == before + (number < 3)
    assert statuses == [200] * 3 + [429] * 7


async def test_a_key_that_was_good_is_refused_at_once_when_it_is_revoked_and_then_counts_as_a_guess(
    front: Front,
) -> None:
    key, secret = await create_key(front.engine, name="k", scopes=["callbacks:read"])
    front.app.state.limiter = RateLimiter(2, lambda: 0.0)
    client = front.stranger(Authorization=f"Bearer {secret}")
    good(await client.get("/v1/policy"))
    await revoke_key(front.engine, key.id)
    statuses = [(await client.get("/v1/policy")).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429], "the last of its own requests, then two of a stranger's"


async def test_a_key_that_is_still_remembered_does_nothing_more_once_it_is_revoked(front: Front) -> None:
    """Whatever asks in its own statement whether the key lives: reading, claiming, and the work on a lease."""
    await front.answers([front.answer(), front.answer()])
    key, secret = await create_key(front.engine, name="ann", scopes=["callbacks:work"], advisor="ann")
    ann = front.stranger(Authorization=f"Bearer {secret}")
    front.app.state.acquaintances = Acquaintances(lambda: 0.0)
    taken = good(await ann.post("/v1/callbacks/claim", json={}, headers={"Idempotency-Key": "once"}))
    url, lease = taken["links"]["self"], {"lease_token": taken["lease"]["token"]}
    cause = {"kind": "operations", "driver": "billing"}
    await revoke_key(front.engine, key.id)
    before = await front.sql("SELECT id, version FROM callbacks ORDER BY id")
    for method, path, body, headers in (
        ("GET", url, None, {}),
        ("GET", "/v1/callbacks", None, {}),
        ("GET", f"/v1/callbacks/{ID}", None, {}),
        ("POST", "/v1/callbacks/claim", {}, {}),
        ("POST", "/v1/callbacks/claim", {}, {"Idempotency-Key": "once"}),
        ("POST", "/v1/callbacks/claim", {}, {"Idempotency-Key": "twice"}),
        ("POST", f"{url}/resolve", {**lease, "cause": cause, "outcome": "recovered"}, {}),
        ("POST", f"{url}/extend", lease, {}),
        ("POST", f"{url}/release", lease, {}),
        ("POST", f"{url}/skip", {**lease, "reason": "r"}, {}),
        ("POST", f"{url}/schedule", {**lease, "at": "2026-11-25T12:00:00Z"}, {}),
        ("POST", f"{url}/notes", {"note": "n"}, {}),
    ):
        front.app.state.acquaintances.remember(digest_of(secret), key)
        response = await ann.request(method, path, json=body, headers=headers)
        problem(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert front.app.state.acquaintances.get(digest_of(secret)) is None, "from now on it is a guess"
    assert await front.sql("SELECT id, version FROM callbacks ORDER BY id") == before


def test_strangers_are_told_apart_by_address_and_in_ipv6_by_network() -> None:
    assert stranger("10.0.0.1") != stranger("10.0.0.2")
    assert stranger("::ffff:10.0.0.1") != stranger("::ffff:10.0.0.2")
    assert stranger("2001:db8::1") == stranger("2001:db8::2") != stranger("2001:db8:0:1::1")
    assert stranger("") == stranger("testclient")
