"""The demo, as a visitor runs it on a machine where nothing is set up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.postgres import missing_postgres
from tests.parts.requirements import require
from tests.parts.scan import heard


@pytest.fixture(autouse=True)
def _embedded() -> None:
    require("postgres", missing_postgres())


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home)}


def test_the_demo_works_a_claim_and_stops_by_itself(tmp_path: Path) -> None:
    """Exit 0 says that a callback was claimed, the customer reached, and the callback resolved."""
    ran = subprocess.run(
        [sys.executable, "-m", "app", "demo", "--for", "12", "--json"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    heard(ran.stderr, "bottombox demo")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told.keys() >= {"answers", "callbacks", "latency_ms"}
    assert 40 < told["answers"] < 120
    assert 0 < told["callbacks"] < 40
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"]
    assert "has claimed a callback, reached the customer and resolved it" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.fixture
def passable_folder() -> Iterator[Path]:
    """For temporary files; PostgreSQL reads there as an unprivileged user, which pytest's own folders do not allow."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_signal_ends_the_demo_cleanly_and_nothing_outlives_it(tmp_path: Path, passable_folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "app", "demo"],
        env={**environment(tmp_path), "TMPDIR": str(passable_folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        shown = ""
        while "in the bottom box" not in shown:
            line = demo.stdout.readline()
            assert line, demo.stderr.read()
            shown += line
        server = server_in(passable_folder)
        demo.send_signal(signal.SIGTERM)
        shown += demo.stdout.read()
        assert demo.wait(timeout=30) == 0, demo.stderr.read()
    heard(shown, "bottombox demo")
    assert "gone afterwards" in shown
    assert "curl " in shown
    assert shown.splitlines()[-1].startswith("In ")
    assert not list(passable_folder.glob("bottombox-*"))
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def server_in(folder: Path) -> int:
    """The process id of the PostgreSQL whose data lies in `folder`."""
    [lock] = folder.glob("bottombox-postgres-*/data/postmaster.pid")
    return int(lock.read_text().splitlines()[0])
