"""A process that is looked at shows which of its functions holds the interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.sampled import looked_at, name_of, read_stacks
from tests.parts.requirements import require

BUSY = """
def spin():
    for _ in range(20_000):
        sum(range(1_000))
print("here", flush=True)
while input():
    spin()
    print("a turn", flush=True)
"""
TURNS = 3


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        ("decide (alerts/intake.py)", "alerts.intake:decide"),
        (
            "Intake.take.<locals>.<listcomp> (consumers/intake/batch.py)",
            "consumers.intake.batch:Intake.take.<locals>.<listcomp>",
        ),
        ("run (uvloop/__init__.py)", "uvloop:run"),
        ("ABCMeta.__instancecheck__ (<frozen abc>)", "<frozen abc>:ABCMeta.__instancecheck__"),
        ("what is no frame", "what is no frame"),
    ],
)
def test_a_frame_is_named_by_module_and_function(frame: str, name: str) -> None:
    assert name_of(frame) == name


def test_stacks_are_read_with_their_counts() -> None:
    written = "main (app/main.py);rate (alerts/scoring.py) 6\nmain (app/main.py) 1\n 2\n"
    assert read_stacks(written) == {("app.main:main", "alerts.scoring:rate"): 6, ("app.main:main",): 1}


def test_who_works_is_seen() -> None:
    command = [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as busy:
        assert busy.stdin is not None
        assert busy.stdout is not None
        try:
            busy.stdout.readline()  # an interpreter that is only starting cannot be looked at
            with looked_at(busy.pid) as stacks:
                for _ in range(TURNS):
                    busy.stdin.write("a turn\n")
                    busy.stdout.readline()
        except RuntimeError as error:
            require("py-spy", "py-spy may not look at other processes here" if "ermission" in str(error) else None)
            raise
        finally:
            busy.kill()
    assert any("<string>:spin" in stack for stack in stacks)


def test_who_is_gone_cannot_be_looked_at() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with (
        pytest.raises(RuntimeError, match=r"Check that the process is running|No such (file|process)"),
        looked_at(ended.pid),
    ):
        pass
