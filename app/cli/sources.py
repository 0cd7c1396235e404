"""Commands about source files: run their examples, and see field by field what a mapping makes of an event."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from alerts.errors import Misconfigured
from alerts.ledger.reading.source_report import source_report
from alerts.members import MemberCount
from app import wiring
from app.cli.output import as_json, moment, print_json, settings, table, wait_for
from consumers.intake.reason import InvalidRecord
from consumers.intake.record import CLOUDEVENTS
from consumers.intake.strict_json import read_object
from consumers.sources.catalogue import Catalogue, load_catalogue
from consumers.sources.doors import closed_doors
from consumers.sources.examples import run_examples
from consumers.sources.source import Source


@click.group()
def source() -> None:
    """The places that surveys come from, each described by a file."""


@source.command("test", epilog="Example: bottombox source test typeform")
@click.argument("name", required=False)
@as_json
def test(name: str | None, as_json: bool) -> None:
    """Runs the examples in the source files."""
    with_settings = settings()
    catalogue = load_catalogue(with_settings.sources_dir)
    chosen = [find_source(catalogue, name)] if name else list(catalogue)
    results = [(each.name, result) for each in chosen for result in run_examples(each)]
    notes = closed_doors(chosen, with_settings.plain_secrets)
    failed = [result for _, result in results if not result.ok]
    if as_json:
        items = [
            {"source": named, "example": each.name, "ok": each.ok, "differences": each.differences}
            for named, each in results
        ]
        print_json({"ok": not failed, "items": items, "notes": notes})
    else:
        for named, each in results:
            click.echo(f"{'ok  ' if each.ok else 'FAIL'} {named}: {each.name}")
            for difference in each.differences:
                click.echo(f"     {difference}")
        for note in notes:
            click.echo(f"note: {note}")
    sys.exit(1 if failed else 0)


@source.command("show", epilog="Example: bottombox source show typeform --event event.json")
@click.argument("name")
@click.option("--event", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def show(name: str, file: Path, as_json: bool) -> None:
    """Field by field what the mapping makes of an event."""
    chosen = find_source(load_catalogue(settings().sources_dir), name)
    try:
        event, _ = read_object(file.read_bytes())
    except InvalidRecord as error:
        raise Misconfigured(f"the event cannot be read ({error.reason}); {error.detail}") from None
    fields = list(chosen.map.fields(event))
    if as_json:
        print_json({"source": name, "fields": fields})
        return
    table(("field", "value", "problem"), ((each.path, each.value, each.problem) for each in fields))


@source.command("report", epilog="Example: bottombox source report typeform --since 2026-11-23T09:00:00Z")
@click.argument("name", required=False)
@click.option("--since", help="Answers received from then on; default the last 7 days.")
@as_json
def report(name: str | None, since: str | None, as_json: bool) -> None:
    """How many answers lacked a field, or had one that could not be used."""
    chosen, begin = settings(), None if since is None else moment(since)
    if name not in (None, CLOUDEVENTS):
        find_source(load_catalogue(chosen.sources_dir), name)

    async def read() -> list[MemberCount]:
        async with wiring.open_database(chosen) as engine:
            return await source_report(engine, source=name, since=begin)

    items = wait_for(read())
    if as_json:
        print_json({"items": items})
        return
    shown = [each for each in items if each.missing or each.dropped]
    table(("source", "field", "answers", "missing", "%", "dropped", "%"), map(_counted, shown))


def _counted(count: MemberCount) -> tuple[object, ...]:
    missing, dropped = (f"{part / count.answers:.1%}" for part in (count.missing, count.dropped))
    return count.source, count.field, count.answers, count.missing, missing, count.dropped, dropped


def find_source(catalogue: Catalogue, name: str) -> Source:
    found = catalogue.get(name)
    if found is None:
        known = ", ".join(each.name for each in catalogue)
        raise Misconfigured(f"there is no source of that name; there are: {known}")
    return found


commands: tuple[click.Command, ...] = (source,)
