"""Who wants to change something is sent to files that are there, and given words that exist."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w.-]*/[\w./-]*|[\w-]+\.(py|md|toml|lock|yaml)")
"""A folder or a file, by its spelling; commands have blanks, and what is imported has dots alone."""

ELSEWHERE = {"../shared/data"}


def files_named(page: str) -> set[str]:
    return {each for each in CODE.findall(page) if FILE.fullmatch(each)} - ELSEWHERE


def words_of_make() -> set[str]:
    """Those that `make help` lists."""
    return set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)) - {"help"}


def test_every_file_that_is_named_is_there() -> None:
    named = files_named(PAGE)
    assert len(named) > 40
    assert {each for each in named if not (ROOT / each).exists()} == set()


def test_a_file_that_is_not_there_would_be_seen() -> None:
    assert files_named("`alerts/gone.py`, `make test`, `docs/`, `pyproject.toml`, `survey.responses`") == {
        "alerts/gone.py",
        "docs/",
        "pyproject.toml",
    }


def test_the_table_of_words_is_that_of_make() -> None:
    rows = re.findall(r"^\| `make (\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(words_of_make())


def test_every_word_of_make_that_a_page_or_a_script_says_exists() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md"), ROOT / ".ci/run"]
    said = {
        f"{page.relative_to(ROOT)}: make {word}"
        for page in pages
        for word in re.findall(r"(?:^|`)make ([a-z]+)\b", page.read_text(encoding="utf-8"), re.MULTILINE)
        if word not in words_of_make() | {"help"}
    }
    assert said == set()


def test_a_busy_machine_fails_no_property() -> None:
    """A story has pytest's timeout; an example by itself has none."""
    assert settings.default is not None
    assert settings.default.deadline is None
