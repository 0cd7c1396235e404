"""Commands that run: the roles, the demo, and bringing the schema up to date."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import click
import uvloop

from alerts.ledger.migrate import upgrade_engine
from app import wiring
from app.cli.output import as_json, print_json, settings, wait_for
from app.roles import Addresses, Role
from app.roles import run as run_roles
from app.settings import Settings

STOP = (signal.SIGINT, signal.SIGTERM)


def _listening(as_json: bool) -> Callable[[Addresses], None]:
    def tell(at: Addresses) -> None:
        if as_json:
            print_json({"event": "listening", "http": at.http, "metrics": at.metrics})
            return
        click.echo(f"listening: metrics on {at.metrics}/metrics" + (f", API on {at.http}/docs" if at.http else ""))

    return tell


async def _run(with_settings: Settings, roles: frozenset[Role], as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in STOP:
        loop.add_signal_handler(each, stop.set)
    await run_roles(with_settings, roles, stop, _listening(as_json))


def _role(name: str, roles: frozenset[Role], help_: str) -> click.Command:
    @click.command(name, help=help_, epilog=f"Example: BOTTOMBOX_DATABASE_URL=postgresql://... bottombox {name}")
    @as_json
    def command(as_json: bool) -> None:
        uvloop.run(_run(settings(), roles, as_json))

    return command


run = _role("run", frozenset(Role), "All roles in one process, for small installations.")
api = _role("api", frozenset({Role.API}), "REST for advisors and platforms.")
consume = _role("consume", frozenset({Role.CONSUME}), "Kafka intake.")
work = _role("work", frozenset({Role.WORK}), "Timers: leases, promises, calling windows, targets.")


async def _migrate(with_settings: Settings) -> None:
    """However long it takes."""
    migrating = wiring.open_database(with_settings, "bottombox-migrate", pool_size=1, command_seconds=None)
    async with migrating as engine:
        await upgrade_engine(engine)


@click.command(epilog="Example: bottombox migrate")
@as_json
def migrate(as_json: bool) -> None:
    """Schema to the newest version; safe twice, and from several hosts at once."""

    wait_for(_migrate(settings()))
    if as_json:
        print_json({"migrated": True})
    else:
        click.echo("the schema is the newest")


@click.command(epilog="Example: bottombox demo --for 20")
@click.option("--rate", default=7.0, show_default=True, help="Answers a second.", type=click.FloatRange(0.1, 1000))
@click.option("--for", "seconds", type=click.FloatRange(min=5), help="Stop by itself after so many seconds.")
@click.option("--csv", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Real answers.")
@click.option("--source", help="The source file that reads the CSV.")
@as_json
def demo(rate: float, seconds: float | None, file: Path | None, source: str | None, as_json: bool) -> None:
    """The whole service on this machine, with an embedded PostgreSQL and broker, and answers streaming in."""
    from app.demo import run_demo  # its parts are an extra that an installation need not have

    if (file is None) != (source is None):
        raise click.UsageError("--csv and --source go together")
    uvloop.run(run_demo(rate=rate, seconds=seconds, file=file, source=source, as_json=as_json))


commands: tuple[click.Command, ...] = (run, api, consume, work, demo, migrate)
