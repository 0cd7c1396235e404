"""How a try to reach the customer can end."""

from __future__ import annotations

from enum import StrEnum


class Result(StrEnum):
    CONNECTED = "connected"  # a conversation with the customer
    NO_ANSWER = "no_answer"  # it rang, and nobody took it
    BUSY = "busy"  # the line was engaged
    VOICEMAIL = "voicemail"  # a machine answered
    INVALID_NUMBER = "invalid_number"  # the number does not exist, or cannot be dialled
    REFUSED = "refused"  # the customer answered and did not want to talk
    WRONG_PERSON = "wrong_person"  # somebody answered who is not the customer

    @property
    def is_contact(self) -> bool:
        """Whether the customer was reached."""
        return self in (Result.CONNECTED, Result.REFUSED)

    @property
    def is_bad_number(self) -> bool:
        """Whether the number is not the customer's, until somebody mends it."""
        return self in (Result.INVALID_NUMBER, Result.WRONG_PERSON)
