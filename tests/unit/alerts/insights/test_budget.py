"""How many false alarms a month are agreed to."""

from __future__ import annotations

import pytest

from alerts.insights.budget import budget


def test_what_is_agreed_is_shared_out_among_the_looks() -> None:
    found = budget(2, scopes=4, looks_an_hour=12)
    assert found.looks_a_month == pytest.approx(4 * 12 * 730.5)
    assert found.per_look == pytest.approx(2 / 35_064)
    assert found.per_look * found.looks_a_month == pytest.approx(found.alarms_a_month)


def test_who_looks_rarely_does_not_call_everything_an_alarm() -> None:
    assert budget(1, hours_a_month=4).per_look == 0.05
    assert budget(1, scopes=0).looks_a_month == 730.5
