"""What an endpoint works at: who asks, the parts of the house, and one transaction for each change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.callback import Callback, Transition
from alerts.errors import NotFound, Refused
from alerts.ledger.access.idempotency import AnsweredBefore, store_reply, stored_reply
from alerts.ledger.actions.working import apply_and_show
from alerts.ledger.callbacks.claims import NeedsCare
from alerts.ledger.connection.direct import AnyConnection, DirectConnection
from alerts.ledger.database import direct_transaction, transaction
from alerts.policy import Policy
from app.api.dependencies import ApiDependencies
from app.api.http.answering import Document, respond
from app.api.http.cursors import Cursors
from app.api.http.idempotency import KeyedRequest, keyed_request, replay, stored
from app.api.http.route import StrictRequest
from app.api.http.security import Principal, look_up_again
from app.api.http.tags import etag, is_known
from app.api.presenting import present_changed, present_transition
from app.listeners import harmless
from consumers.journal import tell_moved


@dataclass(frozen=True)
class ChangeResult:
    """What a change came to. `shown_in_full`: the customers whose data the answer holds unmasked."""

    body: BaseModel | Document | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    moved: Sequence[Transition] = ()
    shown_in_full: tuple[int, ...] = ()
    tagged: bool = False  # it shows one resource


Effect = Callable[[AsyncConnection], Awaitable[ChangeResult]]
TriedEffect = Callable[[AsyncConnection], Awaitable[ChangeResult | None]]
ShortEffect = Callable[[DirectConnection, KeyedRequest | None], Awaitable[ChangeResult]]
TriedShortEffect = Callable[[DirectConnection, KeyedRequest | None], Awaitable[ChangeResult | None]]


@dataclass(frozen=True)
class RequestContext:
    request: StrictRequest
    dependencies: ApiDependencies
    principal: Principal

    @property
    def policy(self) -> Policy:
        return self.dependencies.policy

    @property
    def actor(self) -> str:
        return self.principal.actor

    @property
    def base(self) -> str:
        """What links begin with."""
        return (self.dependencies.public_url or "").rstrip("/")

    @property
    def cursors(self) -> Cursors:
        cursors: Cursors = self.request.app.state.cursors
        return cursors

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with transaction(self.dependencies.engine) as connection:
            yield connection

    async def change(self, effect: Effect, *, short: ShortEffect | None = None) -> Response:
        """One transaction: the Idempotency-Key, the effect, the answer. Listeners hear of it once it is committed.

        `short`: the same effect in fewer round trips, which takes the request's turn itself, and may raise NeedsCare.
        """
        response = await self.try_change(effect, short=short)
        assert response is not None
        return response

    async def try_change(self, effect: TriedEffect, *, short: TriedShortEffect | None = None) -> Response | None:
        """As `change`, where the effect may find nothing to do; that is not stored, and None."""
        keyed = await keyed_request(self.request, self.principal)
        if short is not None:
            try:
                async with direct_transaction(self.dependencies.engine) as direct:
                    told = await self._told(direct, keyed, await short(direct, keyed))
                return self._announced(*told)
            except Refused:
                if keyed is None:
                    raise
                # By a twin, it may be, that ended as our turn came: its answer is there now.
            except (NeedsCare, AnsweredBefore):
                pass
            await look_up_again(self.request)
        async with transaction(self.dependencies.engine) as connection:
            before = await stored_reply(connection, keyed) if keyed else None
            if before is not None:
                return await replay(connection, before, self.principal, self.policy)
            told = await self._told(connection, keyed, await effect(connection))
        return self._announced(*told)

    async def _told(
        self, connection: AnyConnection, keyed: KeyedRequest | None, done: ChangeResult | None
    ) -> tuple[Response | None, Sequence[Transition]]:
        """The answer, and that it is remembered; and what has moved."""
        if done is None:
            return None, ()
        response = _respond_with(done)
        if keyed:
            await store_reply(connection, keyed, stored(response, done.shown_in_full))
        return response, done.moved

    def _announced(self, response: Response | None, moved: Sequence[Transition]) -> Response | None:
        if moved:
            harmless(self.dependencies.announce)(moved)
            harmless(tell_moved)(moved)
        return response

    async def send_out(self, effect: Callable[[], Awaitable[ChangeResult]]) -> Response:
        """A change that lies in Kafka: no transaction is open while it acknowledges (I24).

        So a twin with the same Idempotency-Key is not told to wait; what it sends again counts as duplicate.
        """
        keyed = await keyed_request(self.request, self.principal)
        if keyed:
            async with transaction(self.dependencies.engine) as connection:
                before = await stored_reply(connection, keyed)
                if before is not None:
                    return await replay(connection, before, self.principal, self.policy)
        done = await effect()
        response = _respond_with(done)
        if keyed:
            async with transaction(self.dependencies.engine) as connection:
                if await stored_reply(connection, keyed) is None:
                    await store_reply(connection, keyed, stored(response, done.shown_in_full))
        return response

    async def apply(self, callback_id: str, transition: Callable[..., Transition], **arguments: Any) -> Response:
        """One transition of `alerts.transitions` on one callback; the ledger's clock and the policy are given to it here."""

        def command(callback: Callback, now: datetime) -> Transition:
            return transition(callback, now=now, policy=self.policy, **arguments)

        async def effect(connection: AnyConnection, turn: KeyedRequest | None = None) -> ChangeResult:
            shown = await apply_and_show(connection, callback_id, command, key=self.principal.id, turn=turn)
            (seen,), (moved,) = shown.views, shown.moved
            answer = present_changed(seen, shown.now, self.principal, self.policy, self.base, token=moved.fence)
            return ChangeResult(answer, moved=[moved], tagged=True)

        return await self.change(effect, short=effect)

    async def done(self, connection: AsyncConnection, moved: Transition) -> ChangeResult:
        """The answer to a change of a callback: masked; with its lease for whoever has just shown its token."""
        answer = await present_transition(connection, moved, self.principal, self.policy, self.base, token=moved.fence)
        return ChangeResult(answer, moved=[moved], tagged=True)

    def show(self, answer: BaseModel | Document, *, version: str | None = None) -> Response:
        """One resource with its ETag, or 304 for a caller who has just this already."""
        response = respond(answer, headers=None if version is None else etag(version), tagged=version is None)
        if is_known(self.request.headers.getlist("if-none-match"), response.headers["etag"]):
            return Response(status_code=304, headers={"ETag": response.headers["etag"]})
        return response


def _respond_with(done: ChangeResult) -> Response:
    return respond(done.body, status=done.status, headers=done.headers, tagged=done.tagged)


async def _context(request: StrictRequest) -> RequestContext:
    return RequestContext(request, request.app.state.dependencies, request.state.principal)


async def _callback_id(callback_id: Annotated[str, Path(description="the callback's id")]) -> str:
    return read_id(callback_id, "callback")


async def _customer_ref(ref: Annotated[str, Path(description="the customer's ref")]) -> str:
    return read_id(ref, "customer")


def read_id(text: str, noun: str) -> str:
    """Raises NotFound for what is no UUID: an id that cannot exist is as unknown as any other."""
    found = as_id(text)
    if found is None:
        raise NotFound(f"there is no such {noun}")
    return found


def as_id(text: str) -> str | None:
    """A UUID as the ledger writes it; None for what is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


Context = Annotated[RequestContext, Depends(_context)]
CallbackIdPath = Annotated[str, Depends(_callback_id)]
CustomerRefPath = Annotated[str, Depends(_customer_ref)]
