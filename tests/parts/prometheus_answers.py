"""What a Prometheus answers: the vectors of an instant, the courses of a range, the state of its rules."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Any, Self

import httpx
from msgspec import Struct


class Series(Struct, frozen=True):
    """`points` are (Unix time, value), without those that are no number."""

    labels: dict[str, str]
    points: list[tuple[float, float]]

    @property
    def last(self) -> float:
        return self.points[-1][1]


class PrometheusAnswers:
    """Asks over HTTP; fails with what Prometheus said of a question that it cannot answer."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def now(self, expression: str, at: float | None = None) -> list[Series]:
        """At a moment; now without one."""
        asked = {"query": expression, **({} if at is None else {"time": at})}
        return _series([{**each, "values": [each["value"]]} for each in await self._ask("query", asked)])

    async def value(self, expression: str, at: float | None = None) -> float | None:
        """The only one that there is; None where there is none."""
        found = await self.now(expression, at)
        return found[0].last if len(found) == 1 else None

    async def course(self, expression: str, since: float, until: float, step: float) -> list[Series]:
        asked = {"query": expression, "start": since, "end": until, "step": step}
        return _series(await self._ask("query_range", asked))

    async def rules(self) -> list[dict[str, Any]]:
        answer = await self._client.get("/rules")
        return [rule for group in answer.json()["data"]["groups"] for rule in group["rules"]]

    async def _ask(self, how: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self._client.post(f"/{how}", data=asked)
        assert answer.status_code == 200, f"{asked['query']}: {answer.text}"
        data = answer.json()["data"]
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return list(data["result"])


def _series(results: list[dict[str, Any]]) -> list[Series]:
    found = []
    for each in results:
        points = [(float(moment), float(value)) for moment, value in each["values"]]
        numbers = [(moment, value) for moment, value in points if math.isfinite(value)]
        if numbers:
            found.append(Series(each["metric"], numbers))
    return found
