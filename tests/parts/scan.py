"""Hears whatever the program says during the stories, and fails the one in which it says who a customer is (I28).

Log lines of this process are heard by a handler, its output and that of what it starts by pytest; the output of processes
that write elsewhere, metrics pages and error bodies are handed to `heard` by the parts that start or ask them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from app.logs import TextLines, keep_quiet

TESTS = Path(__file__).parents[1]
FLOORS = ("alerts", "consumers", "app")

REMEDY = "in E.164 like +442079460067"
"""How a number is to be written, by an example that is nobody's."""

_COMMENT = re.compile(r"""\bcomment"?[=:] ?"(\w[^"\\]* [^"\\]{5,})\"""")
_NAME = re.compile(r"""\bname"?[=:] ?"([A-Z]\w+ [A-Z]\w+)\"""", re.IGNORECASE)
_ADDRESSES = (
    r"\+[1-9][0-9]{7,14}\b",  # a telephone number
    r"\b0?207946[0-9]{4}\b",  # those of the stories, written otherwise
    r"[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b",  # an e-mail address
)


def seeds(folder: Path = TESTS) -> set[str]:
    """The names and comments of the customers that the stories make up, wherever they do."""
    found = {"Quillfeather", "My canary died because nobody rang"}
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found |= {*_COMMENT.findall(text), *(name for name in _NAME.findall(text) if name.istitle())}
    return found


class Ear:
    """`told` holds what was said that should not have been, since it was last taken."""

    def __init__(self) -> None:
        self._seeded = re.compile("|".join([*map(re.escape, sorted(seeds())), *_ADDRESSES]))
        self._told: list[str] = []

    def hear(self, text: str, where: str) -> None:
        text = text.replace(REMEDY, "")
        found = self._seeded.search(text)
        if found is not None:
            line = text[: found.end()].rpartition("\n")[2]
            self._told.append(f"{where} says who a customer is: ...{line[-200:]}")

    def take(self) -> list[str]:
        told, self._told = self._told, []
        return told


EAR = Ear()
heard = EAR.hear


class LogEar(logging.Handler):
    """Reads each line as the program would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(TextLines())

    def emit(self, record: logging.LogRecord) -> None:
        EAR.hear(self.format(record), f"the logger {record.name}")


class Scan:
    """The pytest plugin; tests/conftest.py registers it."""

    def __init__(self) -> None:
        self._ear = LogEar()
        for name in FLOORS:
            logging.getLogger(name).setLevel(logging.INFO)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Again before each story: a command that runs within one sets up the logs as it likes.

        What the program keeps quiet is quiet here: httpx would say which addresses the stories themselves ask for.
        """
        keep_quiet()
        for logger in map(logging.getLogger, ("", *FLOORS)):
            if self._ear not in logger.handlers:
                logger.addHandler(self._ear)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        for title, text in _outputs(report):
            EAR.hear(text, title)
        told = EAR.take()
        if told and report.outcome == "passed":
            report.outcome, report.longrepr = "failed", "\n".join(told)
        return report


def _outputs(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """What was written in this phase of a story. Its log is heard line by line, as the program writes it."""
    for title, text in report.sections:
        if title in (f"Captured stdout {report.when}", f"Captured stderr {report.when}"):
            yield title, text
