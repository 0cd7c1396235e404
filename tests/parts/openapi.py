"""The front door and its OpenAPI document, without a house behind it."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI

from alerts.ledger.database import open_engine
from alerts.policy import shipped_policy
from app.api.app import create_app
from app.api.dependencies import ApiDependencies
from consumers.sources.catalogue import Catalogue


def openapi() -> dict[str, Any]:
    return front_door().openapi()


def front_door() -> FastAPI:
    """An app made of stand-ins; nothing is called, and no connection is opened."""

    async def nothing(*_: Any) -> Any:
        raise AssertionError("this needs no part of the house")

    dependencies = ApiDependencies(
        engine=open_engine("postgresql://nobody@127.0.0.1:1/nothing"),
        policy=shipped_policy(),
        catalogue=Catalogue(),
        announce=lambda moved: None,
        survey_topic="",
        send=nothing,
        redrive=nothing,
        rehearse=nothing,
        doors={},
        observe_webhook=lambda source, result: None,
        observe_http=lambda route, status, seconds: None,
        metrics_page=lambda accept: (b"", "text/plain"),
        not_ready=nothing,
        stopping=asyncio.Event(),
        secret_key=b"0" * 32,
        rate_limit=0,
        metrics_protected=False,
        public_url=None,
        version="0",
    )
    return create_app(dependencies)
