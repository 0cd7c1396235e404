"""The canary: told from every other answer by its mark, bad by its own policy alone, and awake at every hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.alert import Alert
from alerts.arrival import Answer, Canary
from alerts.canary import MARK_HEADER, POLICY, awake, is_genuine, sign
from alerts.consistency import CANARY_QUEUE
from alerts.customer import Customer
from alerts.document import BadDocument
from alerts.policy import Policy, read_policy, shipped_policy
from alerts.routing import route
from alerts.scale import Box
from alerts.scoring import rate, score
from alerts.transitions import open_callback
from consumers.canary import canary_record
from consumers.intake.record import Record, read_record
from consumers.kafka.producer import OutRecord
from consumers.sources.catalogue import load_catalogue

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = b"a key for stories only"
CATALOGUE = load_catalogue(None)


def read(sent: OutRecord, **changed: bytes) -> Answer | Canary:
    value = changed.get("value", sent.value or b"")
    headers = tuple((name, changed.get("mark", mark)) for name, mark in sent.headers)
    found = read_record(Record("surveys", 0, 7, int(NOW.timestamp() * 1000), None, value, headers), CATALOGUE, NOW)
    assert isinstance(found, Answer | Canary), found
    return found


def flown(sent: OutRecord) -> Canary:
    found = read(sent)
    assert isinstance(found, Canary)
    return found


def test_a_canary_is_read_as_one_and_known_by_its_key_and_every_byte() -> None:
    found = flown(canary_record("surveys", KEY, NOW))
    assert is_genuine(KEY, found.value, found.mark)
    assert not is_genuine(b"another key", found.value, found.mark)
    assert not is_genuine(KEY, found.value.replace(b"5", b"1"), found.mark)
    assert not is_genuine(KEY, found.value, b"\xff" * 64)
    assert found.address.offset == 7


def test_each_is_a_customer_whom_nobody_has_seen() -> None:
    names = {flown(canary_record("surveys", KEY, NOW)).answer.response.customer.id for _ in range(10)}
    assert len(names) == 10


def test_it_is_bad_by_its_own_policy_and_good_by_every_other() -> None:
    response = flown(canary_record("surveys", KEY, NOW)).answer.response
    assert rate(response, shipped_policy()).box is Box.TOP
    rating = rate(response, POLICY)
    assert rating.box is Box.BOTTOM
    assert route(response, score(response, rating, POLICY), POLICY)[0] == CANARY_QUEUE


def test_a_mark_on_what_cannot_be_read_is_no_canary() -> None:
    value = b"{}"
    headers = ((MARK_HEADER, sign(KEY, value)),)
    found = read_record(Record("surveys", 0, 7, -1, None, value, headers), CATALOGUE, NOW)
    assert not isinstance(found, Canary)


@pytest.mark.parametrize("half_hour", range(48))
def test_it_may_be_phoned_at_every_half_hour_of_every_season(half_hour: int) -> None:
    for month in (1, 4, 7, 10):
        now = datetime(2026, month, 23, tzinfo=UTC) + timedelta(minutes=30 * half_hour, seconds=1)
        answer = awake(flown(canary_record("surveys", KEY, now)).answer, now)
        verdict = score(answer.response, rate(answer.response, POLICY), POLICY)
        alert = Alert(answer=answer, verdict=verdict, queue=CANARY_QUEUE, priority=1, callback_id="c", raised_at=now)
        customer = Customer(id=1, ref="r", key="k", time_zone=answer.response.customer.time_zone)
        callback = open_callback(alert, customer, now=now, policy=POLICY).callback
        assert callback.ready, (now, callback.callable_reason)
        assert callback.callable_until is not None
        assert callback.callable_until - now >= timedelta(minutes=29)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("routing:\n  default: canary\n", 2),
        ("routing:\n  routes:\n    - when: {queues: [billing]}\n      queue: canary\n", 4),
        ("queues:\n  - name: canary\n", 2),
    ],
)
def test_no_policy_may_send_callbacks_to_its_queue(text: str, line: int) -> None:
    with pytest.raises(BadDocument) as refused:
        read_policy(text, file="my.yaml")
    assert f"my.yaml:{line}: " in str(refused.value)
    assert "the queue 'canary' is our own; choose another name" in str(refused.value)


def test_its_policy_is_one_of_ours() -> None:
    assert isinstance(POLICY, Policy)
    assert POLICY.queue_names == (CANARY_QUEUE,)
