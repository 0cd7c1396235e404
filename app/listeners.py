"""Tells listeners what has been committed. Whatever goes wrong with them, it has been committed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

from alerts.errors import safe_traceback

logger = logging.getLogger(__name__)

P = ParamSpec("P")


def _nothing() -> None:
    """Nobody counts."""


def harmless(listen: Callable[P, None], failed: Callable[[], None] = _nothing) -> Callable[P, None]:
    """`listen`, but its faults end in the log, and in `failed`, and not in the work that it hears of."""

    def heard(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            listen(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - a success must not become a failure for being counted wrongly
            logger.error("what happened was recorded, but a listener failed: %s", safe_traceback(error))
            failed()

    return heard
