"""Who asks, and whether they may: bearer keys and their scopes. Every route declares what it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct
from starlette.requests import Request

from alerts.ledger.access.keys import PREFIX, Key, digest_of, find_key
from app.api.dependencies import ApiDependencies
from app.api.http.limits import Acquaintances, RateLimiter, stranger
from app.api.http.problems import ApiProblem

PUBLIC = "public"
SIGNATURE = "signature"
"""The scopes of routes that need no key: they are open, or check themselves who signed."""

INCLUDES = {
    "admin": ("callbacks:lead", "callbacks:work", "callbacks:read"),
    "callbacks:lead": ("callbacks:work", "callbacks:read"),
    "callbacks:work": ("callbacks:read",),
}
"""The scopes that another one holds within it; the others stand beside these (docs/rest.md)."""


Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_ASKING: set[Callable[..., Any]] = set()


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks. `id` is the key's; `advisor` the person it belongs to, None for a platform."""

    id: str
    name: str
    scopes: frozenset[str]
    advisor: str | None = None
    queues: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None

    @property
    def actor(self) -> str:
        """The name in history and audit."""
        return self.advisor or self.name

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def demand(self, scope: str) -> None:
        """Raises 403 naming the scope that is missing."""
        if scope not in self.scopes:
            header = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            raise ApiProblem("insufficient-scope", f"this needs the scope {scope}", headers=header)


def asks_for_its_key(endpoint: Endpoint) -> Endpoint:
    """For an endpoint whose own statement asks whether the key still lives: one that was just looked up does for it."""
    _ASKING.add(endpoint)
    return endpoint


def is_asking(endpoint: Callable[..., Any]) -> bool:
    return endpoint in _ASKING


async def authenticate(request: Request, scope: str, *, trusting: bool = False) -> None:
    """Lets the request in, with its principal in `request.state`, or raises 400, 401, 403, 429.

    `trusting`: the endpoint asks itself whether the key still lives (`asks_for_its_key`).
    """
    if scope == PUBLIC:
        return
    if request.scope["query_string"] and "access_token" in request.query_params:
        raise ApiProblem("malformed", "credentials do not belong in a URL; send the Authorization header")
    principal = principal_of(await _key(request, trusting=trusting))
    principal.demand(scope)
    request.state.principal = principal


async def look_up_again(request: Request) -> None:
    """For an endpoint that was trusting, and goes another way than by the statement that asks. Raises 401."""
    digest = digest_of(_secret(request) or "")
    if await find_key(request.app.state.dependencies.engine, digest) is None:
        raise turned_away(request)


def turned_away(request: Request) -> ApiProblem:
    """401 for a key that lives no more; from now on its requests are a stranger's."""
    request.app.state.acquaintances.forget(digest_of(_secret(request) or ""))
    return _unauthorized("this key is unknown, revoked or expired", 'Bearer error="invalid_token"')


async def _key(request: Request, *, trusting: bool) -> Key:
    """The key of a request that its owner may still make."""
    header = request.headers.get("authorization", "")
    if not header:
        raise _unauthorized("send a key in the header Authorization: Bearer", "Bearer")
    key = await _charged(request, _secret(request), trusting=trusting)
    if key is None:
        raise turned_away(request)
    return key


def _secret(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    is_ours = scheme.lower() == "bearer" and secret.strip().startswith(PREFIX)
    return secret.strip() if is_ours else None


async def _charged(request: Request, secret: str | None, *, trusting: bool) -> Key | None:
    """Looks the key up once somebody has paid: its owner where it opened lately, else the address that it came from.

    So guessing costs the database no more than one address may ask, and whoever comes through the same proxy with a
    key that is good goes on. Raises 429.
    """
    dependencies: ApiDependencies = request.app.state.dependencies
    limiter: RateLimiter = request.app.state.limiter
    acquaintances: Acquaintances = request.app.state.acquaintances
    digest = digest_of(secret or "")
    known = acquaintances.get(digest)
    payer = known.id if known else stranger(request.client.host if request.client else "")
    limiter.take(payer)
    if trusting and (trusted := acquaintances.just_seen(digest)):
        return trusted
    key = None if secret is None else await find_key(dependencies.engine, digest)
    if key is None:
        return None
    acquaintances.remember(digest, key)
    if known is None:
        limiter.give_back(payer)
        limiter.take(key.id)
    return key


def _unauthorized(detail: str, challenge: str) -> ApiProblem:
    return ApiProblem("unauthorized", detail, headers={"WWW-Authenticate": challenge})


def principal_of(key: Key) -> Principal:
    scopes = {*key.scopes, *(inner for scope in key.scopes for inner in INCLUDES.get(scope, ()))}
    return Principal(
        id=key.id,
        name=key.name,
        scopes=frozenset(scopes),
        advisor=key.advisor,
        queues=key.queues,
        languages=key.languages,
    )
