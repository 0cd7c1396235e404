"""The people and programs of a story, who know Bottombox by its HTTP address and a key, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.parts.service import bottombox


def new_key(env: Mapping[str, str], name: str, scope: str, *, advisor: bool = True, **more: Sequence[str]) -> str:
    """A fresh API key; `queues=` and `languages=` say what an advisor works on."""
    options = ["--scope", scope, *(["--advisor", name] if advisor else [])]
    options += [part for option, values in more.items() for value in values for part in (f"--{option}", value)]
    return str(bottombox("keys", "create", name, *options, env=env)["key"])


def who(callback: Mapping[str, Any]) -> str:
    """The customer of a callback, told by its answers: the events of `ada` are called `ada-1`, `ada-2`."""
    [name] = {alert["event_id"].split("-")[0] for alert in callback["alerts"]}
    return str(name)


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Caller:
    """Whoever has a key."""

    def __init__(self, http: str, key: str) -> None:
        self.client = httpx.AsyncClient(
            base_url=f"{http}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=httpx.Timeout(30)
        )

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.client.request(method, path, json=body, **options)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        response = await self.ask("GET", path, params=query)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """What comes of it; fails when it is refused."""
        response = await self.ask("POST", path, body)
        assert response.status_code == 200, f"{path}: {response.text}"
        return dict(response.json())

    async def refusal(self, path: str, **body: Any) -> str:
        """The code of the problem that this must end in."""
        response = await self.ask("POST", path, body)
        assert response.status_code == 409, f"{path}: {response.text}"
        return str(response.json()["code"])


@dataclass(frozen=True)
class Lease:
    path: str
    token: str


class Advisor(Caller):
    """Claims what is offered and works on it. `leases`: by the customer's name, also those that are over."""

    def __init__(self, http: str, key: str) -> None:
        super().__init__(http, key)
        self.leases: dict[str, Lease] = {}

    async def claims(self, name: str, **body: Any) -> dict[str, Any]:
        """Takes the next callback, which must be this customer's, and whose place in the order must add up."""
        response = await self.ask("POST", "/callbacks/claim", body, params={"explain": "true"})
        assert response.status_code == 200, f"{response.status_code} instead of {name}: {response.text}"
        callback = dict(response.json())
        assert who(callback) == name, f"{who(callback)} instead of {name}"
        terms = sum(term["seconds"] for term in callback["explain"]["terms"])
        assert time(callback["opened_at"]) + timedelta(seconds=terms) == time(callback["explain"]["rank_at"])
        self.leases[name] = Lease(f"/callbacks/{callback['id']}", callback["lease"]["token"])
        return callback

    async def finds_nothing(self) -> str | None:
        """When something becomes callable, as the empty answer says."""
        response = await self.ask("POST", "/callbacks/claim", {})
        assert response.status_code == 204, who(response.json())
        assert int(response.headers["Retry-After"]) >= 1
        moment: str | None = response.headers.get("Bottombox-Next-Callable-At")
        return moment

    async def tries(self, name: str, result: str, started_at: datetime, **more: Any) -> dict[str, Any]:
        return await self._work(name, "attempts", result=result, started_at=started_at.isoformat(), **more)

    async def may_not_try(self, name: str, started_at: datetime, lease: Lease | None = None) -> str:
        held = lease or self.leases[name]
        report = {"lease_token": held.token, "result": "voicemail", "started_at": started_at.isoformat()}
        return await self.refusal(f"{held.path}/attempts", **report)

    async def resolves(self, name: str, cause: str, outcome: str, **more: Any) -> dict[str, Any]:
        """`cause` is written as kind/driver."""
        return await self._work(name, "resolve", **resolution(cause, outcome), **more)

    async def promises(self, name: str, at: datetime, *, keep_owner: bool = True) -> dict[str, Any]:
        return await self._work(name, "schedule", at=at.isoformat(), keep_owner=keep_owner)

    async def skips(self, name: str, reason: str) -> dict[str, Any]:
        return await self._work(name, "skip", reason=reason)

    async def releases(self, name: str, reason: str) -> dict[str, Any]:
        return await self._work(name, "release", reason=reason)

    async def extends(self, name: str, seconds: int) -> dict[str, Any]:
        return await self._work(name, "extend", lease_seconds=seconds)

    async def _work(self, name: str, what: str, **body: Any) -> dict[str, Any]:
        lease = self.leases[name]
        return await self.post(f"{lease.path}/{what}", lease_token=lease.token, **body)


def resolution(cause: str, outcome: str) -> dict[str, Any]:
    kind, _, driver = cause.partition("/")
    return {"cause": {"kind": kind, "driver": driver}, "outcome": outcome, "note": "talked it over"}


class Lead(Advisor):
    """Sees every callback, and may put the queue and the customers' facts in order."""

    async def list(self, **query: Any) -> list[dict[str, Any]]:
        return list((await self.get("/callbacks", limit=200, **query))["items"])

    async def ref(self, name: str) -> str:
        return str((await self.post("/customers/lookup", customer={"id": name}))["ref"])

    async def callback(self, name: str) -> dict[str, Any]:
        """The newest callback of a customer, with everything that is known about it."""
        found = await self.list(customer=await self.ref(name), sort="opened_at")
        return await self.get(f"/callbacks/{found[-1]['id']}")

    async def does(self, name: str, what: str, **body: Any) -> dict[str, Any]:
        """assign, move, reopen, escalate"""
        return await self.post(f"/callbacks/{(await self.callback(name))['id']}/{what}", **body)

    async def opts_out(self, name: str) -> None:
        response = await self.ask("PUT", f"/customers/{await self.ref(name)}/opt-out")
        assert response.status_code == 204, response.text

    async def mends(self, name: str, **facts: str) -> None:
        path = f"/customers/{await self.ref(name)}"
        etag = (await self.ask("GET", path)).headers["ETag"]
        response = await self.ask("PATCH", path, facts, headers={"If-Match": etag})
        assert response.status_code == 200, response.text


class Platform(Caller):
    """A contact centre that tells us who was in touch."""

    async def called_in(self, name: str, at: datetime) -> str:
        """What it did to the customer's callback."""
        told = await self.post("/contacts", customer={"id": name}, kind="called_in", at=at.isoformat())
        return str(told["effect"])
