"""A batch's first question, all in one round trip: its partitions' accounts, locked, and which of its events we have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from alerts.arrival import Answer, Arrival, Canary
from alerts.case import Fingerprint, ScopedId, event_identity
from alerts.ledger.bulk import encode
from alerts.ledger.connection.opening import Connection
from alerts.ledger.intake.accounts import LOCK_ACCOUNTS, Partition, PartitionAccount
from alerts.ledger.intake.responses import KNOWN_EVENTS

# Whoever waits here for an account reads the events as they were before the wait, and may miss those that the holder has
# just stored. To store one of them again the unique index refuses, and the batch is taken in anew, which then sees it.
BEGINNING = f"""
WITH held AS ({LOCK_ACCOUNTS})
SELECT (SELECT json_agg(held)::text FROM held),
    (SELECT json_agg(json_build_array(event_source, event_id, encode(value_hash, 'base64'), encode(content_hash, 'base64')))::text
        FROM ({KNOWN_EVENTS}) AS known)
"""

_accounts = msgspec.json.Decoder(list[PartitionAccount])
_events = msgspec.json.Decoder(list[tuple[str, str, bytes, bytes]])


class Beginning(Struct, frozen=True):
    """`accounts`: the present row of each partition, locked. `known`: those of the batch's events that are stored."""

    accounts: dict[Partition, PartitionAccount]
    known: dict[ScopedId, Fingerprint]


async def lock_accounts(driver: Connection, batch: Sequence[Arrival]) -> Beginning:
    """And says which of its events are stored. A partition that is new begins with its first record here."""
    row = await driver.fetchrow(BEGINNING, encode(_first_of_each(batch)), encode(_events_of(batch)))
    assert row is not None
    accounts = _accounts.decode(row[0] or "[]")
    return Beginning(
        accounts={(each.topic, each.partition): each for each in accounts},
        known={
            (source, id_): Fingerprint(value, content) for source, id_, value, content in _events.decode(row[1] or "[]")
        },
    )


def _first_of_each(batch: Iterable[Arrival]) -> list[dict[str, object]]:
    first: dict[Partition, int] = {}
    for each in batch:
        address = each.address
        first.setdefault((address.topic, address.partition), address.offset)
    return [
        {"topic": topic, "partition": partition, "first_offset": offset} for (topic, partition), offset in first.items()
    ]


def _events_of(batch: Iterable[Arrival]) -> list[dict[str, str]]:
    """Of canaries too: a forged one is an answer."""
    answers = (each.answer if type(each) is Canary else each for each in batch)
    wanted = dict.fromkeys(event_identity(each.response) for each in answers if type(each) is Answer)
    return [{"event_source": source, "event_id": id_} for source, id_ in wanted]
