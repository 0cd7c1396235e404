"""An open callback follows its customer: number, place and language are always those that the customer's record has now."""

from __future__ import annotations

from datetime import datetime

from alerts.callback import SYSTEM, Callback, Flag, Transition, check_transition, happened, without_flags
from alerts.customer import Customer
from alerts.event import EventKind
from alerts.policy import Policy
from alerts.transitions.next_wake import with_next_wake

FLAG_OF_NUMBER = {"none": Flag.NO_NUMBER, "bad": Flag.BAD_NUMBER}
"""What the state of the customer's number says on the callback."""

PLACE_FLAGS = (Flag.NO_NUMBER, Flag.BAD_NUMBER, Flag.ZONE_GUESSED, Flag.ZONE_NEEDED)


def follow(callback: Callback, customer: Customer, *, now: datetime, policy: Policy, actor: str = SYSTEM) -> Transition:
    """After any news of the customer. Nothing happens, and nothing is told, when all is as it was."""
    check_transition(callback, "follow")
    followed = as_known(callback, customer, policy)
    if followed == callback:
        return Transition(callback=callback)
    return with_next_wake(happened(followed, EventKind.CUSTOMER_CHANGED, now, actor=actor), now, policy)


def as_known(callback: Callback, customer: Customer, policy: Policy) -> Callback:
    """The callback with the customer's number, place and language of now; whatever moves it ends with this.

    `zone_needed` is left to the end of the transition, which counts the hours that the zones share.
    """
    place = customer.place(policy.queue(callback.queue).zone)
    flags = set(without_flags(callback, *PLACE_FLAGS))
    if place.zones == callback.zones and Flag.ZONE_NEEDED in callback.flags:
        flags.add(Flag.ZONE_NEEDED)
    if place.guessed:
        flags.add(Flag.ZONE_GUESSED)
    if customer.number_status in FLAG_OF_NUMBER:
        flags.add(FLAG_OF_NUMBER[customer.number_status])
    return callback.evolve(
        zones=place.zones,
        country=place.country,
        regions=place.regions,
        language=customer.language,
        flags=tuple(sorted(flags)),
    )
