"""The family of errors. Each docstring is the sentence a person would say.

    BottomboxError
    ├── Refused                 the request makes no sense now; asking again changes nothing
    │   ├── NotFound
    │   ├── LeaseLost           AlreadyResolved      CallbackChanged
    │   ├── NotClaimable        OutsideCallingWindow DoNotCall       TooManyHeld
    │   ├── StaleVersion        Invalid
    │   └── IdempotencyKeyReused, IdempotencyInProgress
    ├── Unavailable             a part we depend on is away; the same thing may work in a moment
    └── Misconfigured           a person must mend a setting or a file

`code` is the contract's problem code; which HTTP status it becomes is decided in `app.api.http.problems` alone.
No message carries a value a customer or a caller sent us.
"""

from __future__ import annotations

import traceback
from datetime import datetime
from typing import ClassVar


class BottomboxError(Exception):
    """Something went wrong that we have a name for."""


class Refused(BottomboxError):
    """What was asked for is not possible in the present state."""

    code: ClassVar[str] = "validation"


class NotFound(Refused):
    """There is no such thing here."""

    code = "not-found"


class LeaseLost(Refused):
    """The lease on this callback has expired or belongs to somebody else."""

    code = "lease-lost"


class AlreadyResolved(Refused):
    """This callback has ended; only a lead can reopen it."""

    code = "already-resolved"


class CallbackChanged(Refused):
    """Another bad answer joined since it was claimed; read it, then resolve with its version."""

    code = "callback-changed"


class NotClaimable(Refused):
    """This callback cannot be taken now."""

    code = "not-claimable"


class OutsideCallingWindow(Refused):
    """The customer may not be phoned at that moment."""

    code = "outside-calling-window"

    def __init__(self, message: str, opens_at: datetime | None = None) -> None:
        super().__init__(message)
        self.opens_at = opens_at


class DoNotCall(Refused):
    """The customer asked not to be phoned."""

    code = "do-not-call"


class TooManyHeld(Refused):
    """This advisor already holds as many callbacks as the policy allows."""

    code = "too-many-held"


class StaleVersion(Refused):
    """It was changed by somebody else since you read it."""

    code = "stale-version"


class IdempotencyKeyReused(Refused):
    """This Idempotency-Key was used before for a different request."""

    code = "idempotency-key-reused"


class IdempotencyInProgress(Refused):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency-in-progress"


class Invalid(Refused):
    """One member of the request cannot be right."""

    code = "validation"

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class Unavailable(BottomboxError):
    """A part we depend on is away. Nothing is lost; try again."""


class Misconfigured(BottomboxError):
    """A setting, the policy or a source file must be mended by a person."""


def safe_traceback(error: BaseException) -> str:
    """What a log may say of a fault of ours: its kind and where it happened. Its message may quote the data it choked on."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
