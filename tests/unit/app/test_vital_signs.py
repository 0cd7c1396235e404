"""A reason to wait is told once, and so is its end."""

from __future__ import annotations

import logging

import pytest

from app.vital_signs import News


def test_a_night_without_a_database_is_a_handful_of_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    news = News()
    news.tell(None)
    for reason in ("nobody listens",) * 1000 + ("it is starting",) * 5 + (None, None):
        news.tell(reason)
    assert [record.getMessage() for record in caplog.records] == [
        "waiting: nobody listens",
        "waiting: it is starting",
        "the database is there again, and as it should be",
    ]
