"""The command that writes the weekly page."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from alerts.errors import Misconfigured
from alerts.learning.week import IsoWeek, WeekFigures, named_week
from alerts.ledger.learning.weeks import figures_of
from app import wiring
from app.cli.output import as_json, print_json, settings, wait_for
from app.report.page import html_page, text_page
from app.settings import Settings

WRITERS = {"html": html_page, "text": text_page}


@click.command(epilog="Example: bottombox report --week 2026-W47 --output week.html")
@click.option("--week", help="An ISO week like 2026-W47; default the last whole one.")
@click.option("--format", "form", type=click.Choice([*WRITERS]), default="html", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; default standard output.")
@as_json
def report(week: str | None, form: str, output: Path | None, as_json: bool) -> None:
    """The week on one page: what happened, what we learned, what we do, did it help. Fit to be sent by mail."""
    chosen, wanted = settings(), None if week is None else named_week(week)
    figures = wait_for(_figures(chosen, wanted))
    if as_json:
        print_json({**msgspec.to_builtins(figures), "week": figures.week.name})
        return
    page = WRITERS[form](figures)
    if output is None:
        sys.stdout.write(page)
        return
    try:
        output.write_text(page, encoding="utf-8")
    except OSError:
        raise Misconfigured("the page cannot be written there; name a file in a folder that is there") from None


async def _figures(chosen: Settings, week: IsoWeek | None) -> WeekFigures:
    async with wiring.open_database(chosen, pool_size=1, command_seconds=None) as engine:
        return await figures_of(engine, week)


commands: tuple[click.Command, ...] = (report,)
