"""All the sources of an installation: the shipped files, and the operator's own beside or instead of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from alerts.document import BadDocument, Problem
from alerts.errors import Misconfigured
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.source import Source, read_source


class Catalogue:
    """The sources by name and by topic. Raises BadDocument when two of them claim one topic."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._by_name = {source.name: source for source in sources}
        self._by_topic: dict[str, Source] = {}
        for source in self:
            for topic in source.topics:
                if self._by_topic.setdefault(topic, source) is not source:
                    other = self._by_topic[topic].name
                    problem = f"{other}.yaml names one of its topics too"
                    raise BadDocument([_problem(f"{source.name}.yaml", problem, "name it once")])

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Source | None:
        return self._by_name.get(name)

    def choose(self, named: str | None, topic: str) -> Source | None:
        """The source of a record: what its header names, else the one that reads its topic, else none.

        Raises InvalidRecord (`unknown_source`) for a name that no file has.
        """
        if named is None:
            return self._by_topic.get(topic)
        source = self._by_name.get(named)
        if source is None:
            raise InvalidRecord(
                DeadLetterReason.UNKNOWN_SOURCE, "bottombox-source", "no source file has this name; add one"
            )
        return source

    @property
    def topics(self) -> frozenset[str]:
        """The topics that source files name, to be consumed beside those of the settings."""
        return frozenset(self._by_topic)

    @property
    def shared_sources(self) -> frozenset[str]:
        """Names of the sources whose customer ids mean the same customer everywhere."""
        return frozenset(source.name for source in self if source.customer_ids == "shared")


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """The shipped sources, and those in `folder` (`*.yaml`), which replace shipped ones of the same name.

    Raises BadDocument with the mistakes of all files, Misconfigured when the folder cannot be read.
    """
    files = {file.name: file for file in _yaml(resources.files("consumers.sources").joinpath("files"))}
    if folder is not None:
        try:
            files |= {file.name: file for file in _yaml(folder)}
        except OSError:
            raise Misconfigured("BOTTOMBOX_SOURCES_DIR cannot be read; name a folder that is there") from None
    sources: list[Source] = []
    problems: list[Problem] = []
    for name in sorted(files):
        try:
            sources.append(_read(files[name], name))
        except BadDocument as bad:
            problems += bad.problems
    if problems:
        raise BadDocument(problems)
    return Catalogue(sources)


def _yaml(folder: Traversable) -> Iterator[Traversable]:
    """`.yml` too, so that a file of that name is told of, and not passed over; hidden files are other programs'."""
    return (each for each in folder.iterdir() if each.name.endswith((".yaml", ".yml")) and each.name[0] != ".")


def _read(file: Traversable, name: str) -> Source:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        problem = _problem(name, "the file cannot be read as UTF-8 text", "check it and its permissions")
        raise BadDocument([problem]) from None
    source = read_source(text, file=name)
    if name != f"{source.name}.yaml":
        problem = _problem(name, "the file is not named for its source", f"call it {source.name}.yaml")
        raise BadDocument([problem])
    return source


def _problem(file: str, problem: str, remedy: str) -> Problem:
    return Problem(file=file, line=1, problem=problem, remedy=remedy)
