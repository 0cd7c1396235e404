"""A dead-letter topic in memory, for stories that need no broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alerts.errors import Unavailable
from consumers.intake.dead_letters import DeadLetters
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Delivery, OutRecord, Producer, RecordRefused, Sent

DEAD = "dead"


class Shelf(Producer):
    """Keeps what it is given. `refuses` says which records Kafka would not take; `fails` after so many, once."""

    def __init__(self) -> None:
        super().__init__(KafkaAccess(bootstrap_servers="nowhere"))
        self.kept: list[OutRecord] = []
        self.packets: list[int] = []
        self.refuses: Callable[[OutRecord], bool] = lambda record: False
        self.fails_after: int | None = None

    async def deliver(self, records: Sequence[OutRecord]) -> list[Delivery]:
        self.packets.append(len(records))
        outcomes: list[Delivery] = []
        for record in records:
            if self.fails_after == len(outcomes):
                outcomes += [Unavailable("Kafka did not acknowledge")] * (len(records) - len(outcomes))
                self.fails_after = None
                break
            if self.refuses(record):
                outcomes.append(RecordRefused("the topic refused a record"))
                continue
            self.kept.append(record)
            outcomes.append(Sent(DEAD, 0, len(self.kept) - 1))
        return outcomes

    @property
    def dead_letters(self) -> DeadLetters:
        return DeadLetters(self, DEAD)
