"""All that the program says during the stories is heard, and a word too many fails its story (invariant I28)."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.logs import QUIET
from tests.parts.scan import EAR, TESTS, heard, seeds

STORY = """
import logging, subprocess, sys
from tests.parts.scan import Scan
def test_of_a_log_line(): logging.getLogger("{logger}").warning("said %s", "{said}")
def test_of_an_output(): print("{said}")
def test_of_a_child(): subprocess.run([sys.executable, "-c", "print('{said}')"], check=True)
def test_of_nobody(): print("callback opened", "survey.responses-3@81", "10.0.0.1:5432", "2026-11-23T09:00:00+01:00")
"""
# Written apart, so that this file names nobody itself.
SAID = [
    " ".join(("Vera", "Example")),
    " ".join(("Nobody", "called me back.")),
    "@".join(("vera", "example.org")),
    "".join(("+4420", "79460067")),
    "".join(("0", "2079460067")),
]


@pytest.mark.parametrize("said", SAID)
def test_what_a_customer_is_or_said_is_heard_wherever_it_is_said(said: str) -> None:
    heard(f"nothing before\nsays {said}, and more", "a page")
    [told] = EAR.take()
    assert told.startswith("a page says who a customer is: ...says ")


def test_the_names_and_comments_that_stories_make_up_are_known_by_themselves() -> None:
    assert {*SAID[:2], "Do not call me again"} <= seeds()


@pytest.mark.parametrize("logger", ["consumers.intake.batch", "asyncio"])
def test_a_story_in_which_it_is_said_fails_and_its_neighbour_does_not(tmp_path: Path, logger: str) -> None:
    (tmp_path / "test_stories.py").write_text(STORY.format(said=SAID[0], logger=logger))
    (tmp_path / "conftest.py").write_text(
        "from tests.parts.scan import Scan\ndef pytest_configure(config): config.pluginmanager.register(Scan())\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        str(tmp_path),
    ]
    ran = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=60, check=False)
    assert "3 failed, 1 passed" in ran.stdout, ran.stdout
    assert ran.stdout.count("says who a customer is") >= 3


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root of all loggers, which is left as it was found."""
    found = logging.getLogger()
    level, handlers = found.level, found.handlers[:]
    yield found
    found.handlers[:] = handlers
    found.setLevel(level)


@pytest.mark.usefixtures("root")
def test_a_logger_that_a_command_has_set_up_anew_is_heard_too() -> None:
    logging.basicConfig(level="INFO", handlers=[logging.NullHandler()], force=True)
    logging.getLogger("app.cli").info("said %s", SAID[0])
    [told] = EAR.take()
    assert told.startswith("the logger app.cli")


@pytest.mark.parametrize("name", QUIET)
def test_what_the_program_keeps_quiet_is_not_said(root: logging.Logger, name: str) -> None:
    root.setLevel(logging.INFO)
    logging.getLogger(name).info("GET /v1/insights/hours?to=%s", SAID[3])
    assert not EAR.take()
    logging.getLogger(name).warning("said %s", SAID[3])
    [told] = EAR.take()
    assert told.startswith(f"the logger {name}")


def test_whoever_starts_the_program_hears_what_it_says() -> None:
    starting = {path for path in TESTS.rglob("*.py") if '"-m", "app"' in path.read_text(encoding="utf-8")}
    starting.discard(Path(__file__))
    assert {path.name for path in starting} == {"service.py", "test_demo.py"}
    assert all("heard(" in path.read_text(encoding="utf-8") for path in starting)
