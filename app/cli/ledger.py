"""The command that shows the conservation table."""

from __future__ import annotations

from typing import Any

import click

from alerts.ledger.intake.accounts import read_accounts
from app import wiring
from app.cli.output import as_json, print_json, settings, table, wait_for
from app.settings import Settings


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


commands: tuple[click.Command, ...] = (ledger,)
