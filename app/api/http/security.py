"""Who asks, and whether they may: bearer keys and their scopes. Every route declares what it needs."""

from __future__ import annotations

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


async def authenticate(request: Request, scope: str) -> None:
    """Lets the request in, with its principal in `request.state`, or raises 400, 401, 403, 429."""
    if scope == PUBLIC:
        return
    if "access_token" in request.query_params:
        raise ApiProblem("malformed", "credentials do not belong in a URL; send the Authorization header")
    principal = principal_of(await _key(request))
    principal.demand(scope)
    request.state.principal = principal


async def _key(request: Request) -> Key:
    """The key of a request that its owner may still make."""
    header = request.headers.get("authorization", "")
    if not header:
        raise _unauthorized("send a key in the header Authorization: Bearer", "Bearer")
    scheme, _, secret = header.partition(" ")
    is_ours = scheme.lower() == "bearer" and secret.strip().startswith(PREFIX)
    key = await _charged(request, secret.strip() if is_ours else None)
    if key is None:
        raise _unauthorized("this key is unknown, revoked or expired", 'Bearer error="invalid_token"')
    return key


async def _charged(request: Request, secret: str | None) -> Key | None:
    """Looks the key up once somebody has paid: its owner where it opened lately, else the address that it came from.

    So guessing costs the database no more than one address may ask, and whoever comes through the same proxy with a
    key that is good goes on. Raises 429.
    """
    dependencies: ApiDependencies = request.app.state.dependencies
    limiter: RateLimiter = request.app.state.limiter
    acquaintances: Acquaintances = request.app.state.acquaintances
    digest = digest_of(secret or "")
    known = acquaintances.get(digest)
    payer = known or stranger(request.client.host if request.client else "")
    limiter.take(payer)
    key = None if secret is None else await find_key(dependencies.engine, digest)
    if key is None:
        acquaintances.forget(digest)
        return None
    if known is None:
        limiter.give_back(payer)
        acquaintances.remember(digest, key.id)
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
