"""Commands about records that were set aside: what there is, what is wrong with it, and sending it again."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress

from alerts.ledger.reading.dead_letters import (
    DeadLetter,
    DeadLetterCount,
    DeadLetterFilter,
    count_dead_letters,
    find_dead_letters,
    one_dead_letter,
)
from app import wiring
from app.cli.output import as_json, moment, print_json, settings, table, wait_for
from app.settings import Settings
from consumers.intake.dead_letters import LARGEST
from consumers.intake.redrive import redrive as send_again
from consumers.intake.rehearsal import Rehearsal, rehearse
from consumers.sources.catalogue import load_catalogue

ClickCommand = TypeVar("ClickCommand", bound=Callable[..., Any])


def filtered(command: ClickCommand) -> ClickCommand:
    """The options by which dead letters are chosen."""
    options = (
        click.option("--reason", help="Only these."),
        click.option("--source", help="Only those of this source file."),
        click.option("--field", help="Only those in which this member is wrong."),
        click.option("--since", help="Set aside at or after this time, like 2027-01-01T00:00:00Z."),
        click.option("--until", help="Set aside before this time."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def wanted(pending: bool, since: str | None, until: str | None, **equal: str | None) -> DeadLetterFilter:
    """Raises Misconfigured for what is no time."""
    return DeadLetterFilter(
        since=moment(since) if since else None, until=moment(until) if until else None, pending=pending, **equal
    )


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that could not be read, set aside with their address and a reason."""


@dead_letters.command("list", epilog="Example: bottombox dead-letters list --reason invalid_rating --pending")
@filtered
@click.option("--pending", is_flag=True, help="Only those that were not sent again yet and still can be.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def list_(pending: bool, limit: int, as_json: bool, **chosen: str | None) -> None:
    """How many there are of each kind, then each, the oldest first."""
    which = wanted(pending, **chosen)

    async def read(with_settings: Settings) -> tuple[list[DeadLetterCount], list[DeadLetter]]:
        async with wiring.open_database(with_settings) as engine:
            return await count_dead_letters(engine, which), await find_dead_letters(engine, which, limit=limit)

    counts, letters = wait_for(read(settings()))
    if as_json:
        print_json({"counts": counts, "items": letters})
        return
    _columns(counts, ("count", "pending", "reason", "source", "field", "first_failed_at", "last_failed_at"))
    click.echo()
    names = ("id", "reason", "source", "field", "topic", "partition", "offset", "failed_at", "redriven_at")
    _columns(letters, names)
    if (left := sum(each.count for each in counts) - len(letters)) > 0:
        click.echo(f"and {left} more; see --limit")


def _columns(items: Sequence[object], names: Sequence[str]) -> None:
    table([name.replace("_", " ") for name in names], ([getattr(each, name) for name in names] for each in items))


@dead_letters.command("show", epilog="Example: bottombox dead-letters show 17")
@click.argument("id", type=int)
@as_json
def show(id: int, as_json: bool) -> None:
    """Where one came from and what is wrong with it; never the value."""

    async def read(with_settings: Settings) -> DeadLetter:
        async with wiring.open_database(with_settings) as engine:
            return await one_dead_letter(engine, id)

    letter = wait_for(read(settings()))
    if as_json:
        print_json(letter)
        return
    table(("what", "value"), _story(letter))


def _story(letter: DeadLetter) -> Iterator[tuple[str, object]]:
    yield "came from", f"{letter.topic}-{letter.partition}@{letter.offset}"
    yield "written at", letter.recorded_at
    yield "source", letter.source
    yield "reason", letter.reason
    yield "wrong", letter.field
    yield "remedy", letter.detail
    yield "set aside at", letter.failed_at
    yield "lies at", f"{letter.dead_topic}-{letter.dead_partition}@{letter.dead_offset}" if letter.dead_topic else None
    yield "sent again at", letter.redriven_at
    yield "sent again by", letter.redriven_by
    yield "found gone at", letter.gone_at


@dead_letters.command("redrive", epilog="Example: bottombox dead-letters redrive --source acme --dry-run")
@click.argument("ids", type=int, nargs=-1)
@filtered
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--dry-run", is_flag=True, help="Says what would now be read and what would not; sends nothing.")
@as_json
def redrive(ids: Sequence[int], limit: int, dry_run: bool, as_json: bool, **chosen: str | None) -> None:
    """Sends them again through the normal way, once whatever was wrong has been mended.

    By id, or all of a kind that were not sent again yet.
    """
    if not ids and not any(chosen.values()):
        raise click.UsageError("name the dead letters by id, or choose by --reason, --source, --field or time")
    which = wanted(not ids, **chosen)
    if dry_run:
        _tell(wait_for(_rehearse(settings(), ids, which, limit)), as_json)
        return
    sent = wait_for(_redrive(settings(), ids, which, limit))
    if as_json:
        print_json({"redriven": sent})
    else:
        click.echo(f"{sent} dead letters sent again")


async def _redrive(with_settings: Settings, ids: Sequence[int], which: DeadLetterFilter, limit: int) -> int:
    async with (
        wiring.open_database(with_settings) as engine,
        wiring.open_producer(with_settings, largest=LARGEST) as producer,
    ):
        letters = await find_dead_letters(engine, which, ids=ids, limit=limit)
        with _bar("sending again", len(letters)) as step:
            return await send_again(with_settings.kafka, producer, engine, letters, getpass.getuser(), step)


async def _rehearse(with_settings: Settings, ids: Sequence[int], which: DeadLetterFilter, limit: int) -> Rehearsal:
    catalogue = load_catalogue(with_settings.sources_dir)
    async with wiring.open_database(with_settings) as engine:
        letters = await find_dead_letters(engine, which, ids=ids, limit=limit)
    with _bar("reading", len(letters)) as step:
        return await rehearse(with_settings.kafka, catalogue, letters, datetime.now(UTC), step)


def _tell(found: Rehearsal, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(f"{found.would_be_read} of {len(found.items)} would now be read")
    table(("id", "now", "field", "remedy"), ([each.id, each.now, each.field, each.detail] for each in found.items))


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error, where somebody can see it; call what it gives after each."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


commands: tuple[click.Command, ...] = (dead_letters,)
