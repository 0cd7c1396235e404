"""Commands that look at the ledger: the conservation table, and what was set aside."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Any

import click

from alerts.ledger.intake.accounts import read_accounts
from alerts.ledger.reading.dead_letters import DeadLetter, find_dead_letters, one_dead_letter
from app import wiring
from app.cli.output import as_json, print_json, settings, table, wait_for
from app.settings import Settings
from consumers.intake.dead_letters import LARGEST
from consumers.intake.redrive import redrive as send_again


@click.command(epilog="Example: bottombox ledger")
@as_json
def ledger(as_json: bool) -> None:
    """Where every consumed offset ended; `difference` is 0, or something is wrong."""

    async def read(with_settings: Settings) -> list[dict[str, Any]]:
        async with wiring.open_database(with_settings) as engine:
            return await read_accounts(engine)

    items = wait_for(read(settings()))
    if as_json:
        print_json({"items": items})
        return
    headings = ("topic", "partition", "epoch", "first", "next", "skipped", "seen again", "difference", "outcomes")
    names = ("topic", "partition", "epoch", "first_offset", "next_offset", "skipped", "seen_again", "difference")
    table(headings, ([*(item[name] for name in names), _outcomes(item["outcomes"])] for item in items))


def _outcomes(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in outcomes.items() if count) or "-"


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that could not be read, set aside with their address and a reason."""


@dead_letters.command("list", epilog="Example: bottombox dead-letters list --reason invalid_rating")
@click.option("--reason", help="Only these.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def list_(reason: str | None, limit: int, as_json: bool) -> None:
    """The oldest first."""

    async def read(with_settings: Settings) -> list[DeadLetter]:
        async with wiring.open_database(with_settings) as engine:
            return await find_dead_letters(engine, reason=reason, limit=limit)

    letters = wait_for(read(settings()))
    if as_json:
        print_json({"items": letters})
        return
    table(
        ("id", "reason", "field", "topic", "partition", "offset", "failed at", "redriven at"),
        (
            (
                each.id,
                each.reason,
                each.field,
                each.topic,
                each.partition,
                each.offset,
                each.failed_at,
                each.redriven_at,
            )
            for each in letters
        ),
    )


@dead_letters.command("show", epilog="Example: bottombox dead-letters show 17")
@click.argument("id", type=int)
@as_json
def show(id: int, as_json: bool) -> None:
    """One dead letter: origin, address, reason; never the value."""

    async def read(with_settings: Settings) -> DeadLetter:
        async with wiring.open_database(with_settings) as engine:
            return await one_dead_letter(engine, id)

    letter = wait_for(read(settings()))
    if as_json:
        print_json(letter)
        return
    table(("what", "value"), ((name, getattr(letter, name)) for name in letter.__struct_fields__))


@dead_letters.command("redrive", epilog="Example: bottombox dead-letters redrive --reason unknown_source --limit 50")
@click.argument("ids", type=int, nargs=-1)
@click.option("--reason", help="All of these that were not sent again yet.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def redrive(ids: Sequence[int], reason: str | None, limit: int, as_json: bool) -> None:
    """Sends them again through the normal way, once whatever was wrong has been mended."""
    if not ids and reason is None:
        raise click.UsageError("name the dead letters by id, or all of one --reason")

    async def send(with_settings: Settings) -> int:
        async with (
            wiring.open_database(with_settings) as engine,
            wiring.open_producer(with_settings, largest=LARGEST) as producer,
        ):
            letters = await find_dead_letters(engine, ids=ids, reason=reason, pending=not ids, limit=limit)
            return await send_again(with_settings.kafka, producer, engine, letters, getpass.getuser())

    sent = wait_for(send(settings()))
    if as_json:
        print_json({"redriven": sent})
    else:
        click.echo(f"{sent} dead letters sent again")


commands: tuple[click.Command, ...] = (ledger, dead_letters)
