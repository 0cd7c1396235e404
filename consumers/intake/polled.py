"""What a poll gave, in our own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from consumers.intake.record import Record
from consumers.kafka.tolerant import is_torn


def records_of(
    polled: Mapping[TopicPartition, Sequence[ConsumerRecord[Any, Any]]],
) -> dict[TopicPartition, list[Record]]:
    return {partition: [_record(each) for each in given] for partition, given in polled.items()}


def _record(polled: ConsumerRecord[Any, Any]) -> Record:
    return Record(
        topic=polled.topic,
        partition=polled.partition,
        offset=polled.offset,
        timestamp_ms=polled.timestamp,
        key=polled.key,
        value=polled.value,
        headers=tuple(polled.headers),
        is_torn=is_torn(polled),
    )
