"""`make watch`, as a visitor runs it: the demo beside a Prometheus, and addresses that answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

import pytest

from deploy.prometheus.server import missing_prometheus
from tests.parts.deployment import ROOT, panel_expressions
from tests.parts.postgres import missing_postgres
from tests.parts.prometheus_answers import PrometheusAnswers
from tests.parts.requirements import require
from tests.parts.town import eventually

COMMAND = [sys.executable, "-m", "deploy.watch"]


@pytest.fixture
def said(tmp_path: Path) -> Iterator[IO[str]]:
    """What it says while it runs; afterwards it ends cleanly."""
    require("postgres", missing_postgres())
    require("prometheus", missing_prometheus())
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with subprocess.Popen(COMMAND, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        yield watch.stdout
        watch.send_signal(signal.SIGTERM)
        watch.stdout.read()
        assert watch.wait(timeout=60) == 0


async def test_each_question_of_the_dashboards_has_an_address_that_answers(said: IO[str]) -> None:
    addresses = []
    while "curl " not in (line := said.readline()):
        assert line, "it ended"
        addresses += [line.strip()] if "/graph?" in line else []
    asked = [text for address in addresses for text in expressions(address)]
    assert len(asked) == len(panel_expressions())
    async with PrometheusAnswers(addresses[0].partition("/graph?")[0]) as prometheus:
        await eventually(lambda: prometheus.now("bottombox_build_info"), bool)
        for text in asked:
            await prometheus.now(text)


def expressions(address: str) -> list[str]:
    return [
        text for name, values in parse_qs(urlsplit(address).query).items() if name.endswith(".expr") for text in values
    ]


def test_without_a_prometheus_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(COMMAND, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == "Prometheus is not installed here (the system's package `prometheus`); `make demo` runs without one.\n"
    )
