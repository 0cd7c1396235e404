"""The commands. Each answers on standard output, as one JSON object with `--json`; progress goes to standard error."""

from __future__ import annotations

import click

from app import __version__
from app.cli import backtesting, dead_letters, keys, ledger, publishing, reporting, running, sources, topics


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bottombox")
def program() -> None:
    """Turns every 1-2 survey answer into a callback while it still matters."""


for command in (
    *running.commands,
    *topics.commands,
    *publishing.commands,
    *sources.commands,
    *ledger.commands,
    *dead_letters.commands,
    *keys.commands,
    *backtesting.commands,
    *reporting.commands,
):
    program.add_command(command)
