"""Conservation (I1): one row per topic and partition says where every consumed offset ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field, structs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import RecordOutcome
from alerts.ledger.bulk import recordset
from alerts.ledger.database import transaction
from alerts.ledger.tables.kafka import partitions

Partition = tuple[str, int]


class PartitionAccount(Struct, frozen=True, kw_only=True):
    """One partition's row. `next_offset` is the first offset that has not been accounted for."""

    topic: str
    partition: int
    epoch: int = 0
    first_offset: int
    next_offset: int
    outcomes: dict[str, int] = field(default_factory=dict)
    skipped: int = 0  # offsets that hold no record: transaction markers, compaction, retention
    seen_again: int = 0  # offsets that were delivered again; they change nothing

    @property
    def difference(self) -> int:
        """0, or an offset was lost or counted twice."""
        return self.next_offset - self.first_offset - sum(self.outcomes.values()) - self.skipped


class RecordEnd(Struct, frozen=True, gc=False):
    """One record's end. `effect`: it wrote something that was not there before."""

    offset: int
    outcome: RecordOutcome
    effect: bool


def account(row: PartitionAccount, seen: Sequence[RecordEnd]) -> tuple[PartitionAccount, bool]:
    """The row after `seen`, in offset order, and whether a new epoch began with it.

    An offset below `next_offset` was accounted for before. If it still has an effect, the topic was made anew: the account
    begins again at that offset.
    """
    for each in seen:
        if each.effect and each.offset < row.next_offset:
            anew = [later for later in seen if later.offset >= each.offset]
            return _add(_new_account(row, each.offset), anew), True
    return _add(row, seen), False


def _new_account(row: PartitionAccount, offset: int) -> PartitionAccount:
    return PartitionAccount(
        topic=row.topic, partition=row.partition, epoch=row.epoch + 1, first_offset=offset, next_offset=offset
    )


def _add(row: PartitionAccount, seen: Sequence[RecordEnd]) -> PartitionAccount:
    if [each.offset for each in seen] == list(range(row.next_offset, row.next_offset + len(seen))):
        return _add_all(row, seen)
    outcomes, skipped, again, next_offset = Counter(row.outcomes), row.skipped, row.seen_again, row.next_offset
    for each in seen:
        if each.offset < next_offset:
            again += 1
            continue
        skipped += each.offset - next_offset
        outcomes[each.outcome.value] += 1
        next_offset = each.offset + 1
    return structs.replace(row, outcomes=dict(outcomes), skipped=skipped, seen_again=again, next_offset=next_offset)


def _add_all(row: PartitionAccount, seen: Sequence[RecordEnd]) -> PartitionAccount:
    """The usual case, in one go: the very next offsets, none of them left out."""
    outcomes = Counter(row.outcomes)
    for outcome, count in Counter([each.outcome for each in seen]).items():
        outcomes[outcome.value] += count
    return structs.replace(row, outcomes=dict(outcomes), next_offset=row.next_offset + len(seen))


COLUMNS = ("topic", "partition", "epoch", "first_offset", "next_offset", "outcomes", "skipped", "seen_again")

# Which rows are these partitions' present ones? Made when new, and locked in one order: whoever holds them
# is the only one that accounts for these partitions, so a consumer that has lost them waits and then sees.
LOCK_ACCOUNTS = (
    "INSERT INTO partitions (topic, partition, epoch, first_offset, next_offset, outcomes, skipped, seen_again)"
    " SELECT r.topic, r.partition, coalesce((SELECT max(p.epoch) FROM partitions p"
    "  WHERE p.topic = r.topic AND p.partition = r.partition), 0),"
    " r.first_offset, r.first_offset, '{}', 0, 0"
    f" FROM {recordset(partitions, ('topic', 'partition', 'first_offset'), parameter='$1')} ORDER BY 1, 2"
    " ON CONFLICT (topic, partition, epoch) DO UPDATE SET moved_at = ledger_now()"
    " RETURNING topic, partition, epoch, first_offset, next_offset, outcomes, skipped, seen_again"
)

# The rows that we hold, as they stand after the batch; and the first of a new epoch.
ON_CONFLICT = (
    "ON CONFLICT (topic, partition, epoch) DO UPDATE SET next_offset = excluded.next_offset,"
    " outcomes = excluded.outcomes, skipped = excluded.skipped, seen_again = excluded.seen_again,"
    " moved_at = ledger_now()"
)


async def read_accounts(engine: AsyncEngine) -> list[dict[str, Any]]:
    """The conservation table, as `/v1/ledger` and `bottombox ledger` show it."""
    query = select(*(partitions.c[name] for name in COLUMNS)).order_by("topic", "partition", "epoch")
    async with transaction(engine) as connection:
        accounts = [PartitionAccount(**row._mapping) for row in await connection.execute(query)]
    return [_told(each) for each in accounts]


def _told(row: PartitionAccount) -> dict[str, Any]:
    outcomes = {outcome.value: row.outcomes.get(outcome, 0) for outcome in RecordOutcome}
    return {**structs.asdict(row), "outcomes": outcomes, "difference": row.difference}
