"""What the demo tells is right, short, and fit to be pasted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from alerts.ledger.reading.demo_figures import Tally
from app.demo.show import Latency, Show, latency_of, lines_of, night_of, summary_of

NOTHING = Tally(
    answers=0,
    bottom_box=0,
    set_aside=0,
    opened=0,
    joined=0,
    waiting=0,
    ready=0,
    leased=0,
    resolved=0,
    next_callable_at=None,
)
SOME = replace(
    NOTHING, answers=141, bottom_box=20, set_aside=1, opened=19, joined=1, waiting=14, ready=9, leased=2, resolved=3
)
NIGHT = replace(SOME, ready=0, next_callable_at=datetime(2026, 3, 2, 9, tzinfo=UTC))


def test_before_the_first_alert_there_is_no_latency() -> None:
    assert latency_of([]) == Latency(None, None)
    assert "none raised yet" in " ".join(lines_of(NOTHING, Latency(), None))


def test_one_alert_is_its_own_median() -> None:
    assert latency_of([0.0123]) == Latency(12.3, 12.3)


def test_latency_is_told_in_milliseconds() -> None:
    assert latency_of([hundredth / 100 for hundredth in range(101)]) == Latency(500.0, 990.0)


def test_three_lines_fit_a_narrow_terminal() -> None:
    lines = lines_of(SOME, Latency(8.2, 24.0), 12.4)
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    assert "141 read · 20 in the bottom box (14 %) · 1 set aside" in lines[0]
    assert "19 opened · 1 joined · 14 waiting · 2 leased · 3 resolved" in lines[1]
    assert "p50 8 ms, p99 24 ms · 12 s left" in lines[2]


def test_when_it_is_night_for_all_who_wait_it_says_until_when() -> None:
    assert "nobody may be called before 09:00 UTC" in lines_of(NIGHT, Latency(8.2, 24.0), None)[2]
    assert night_of(NIGHT) == "nobody may be called before 09:00 UTC"
    assert "nobody" not in lines_of(SOME, Latency(8.2, 24.0), None)[2]
    assert night_of(NOTHING) == ""


def test_the_summary_is_one_sentence() -> None:
    assert summary_of(SOME, Latency(8.2, 24.0), 20.0) == (
        "In 20 s: 141 answers read, 20 in the bottom box, 19 callbacks opened, 1 joined, 3 resolved;"
        " alert latency p50 8 ms, p99 24 ms."
    )


def test_a_long_command_is_not_broken_and_standard_output_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    command = "curl " + "x" * 400
    with Show(to_stderr=True) as show:
        show.doing("starting")
        show.say(command)
        show.figures(["a   b", "c"])
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [command, "a b; c"]
