"""Commands about API keys. The secret is shown once, when the key is made."""

from __future__ import annotations

from collections.abc import Sequence

import click

from alerts.ledger.access.keys import Key, create_key, list_keys, revoke_key
from app import wiring
from app.cli.output import as_json, moment, print_json, settings, table, wait_for
from app.settings import Settings


@click.group()
def keys() -> None:
    """API keys for people and programs."""


@keys.command(
    "create", epilog="Example: bottombox keys create ann --scope callbacks:work --advisor ann --queues billing"
)
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="Repeat for several.")
@click.option("--advisor", help="The person this key is; without it claims must name one.")
@click.option("--queues", multiple=True, help="The queues this advisor works on; all without it. Repeat for several.")
@click.option(
    "--languages", multiple=True, help="The languages this advisor speaks; all without it. Repeat for several."
)
@click.option("--expires", help="When it ends, like 2027-01-01T00:00:00Z.")
@as_json
def create(
    name: str,
    scopes: Sequence[str],
    advisor: str | None,
    queues: Sequence[str],
    languages: Sequence[str],
    expires: str | None,
    as_json: bool,
) -> None:
    """Makes a key and shows its secret, this once. At most two live ones per NAME."""
    expires_at = moment(expires) if expires else None

    async def make(with_settings: Settings) -> tuple[Key, str]:
        async with wiring.open_database(with_settings) as engine:
            return await create_key(
                engine,
                name=name,
                scopes=scopes,
                advisor=advisor,
                queues=queues or None,
                languages=languages or None,
                expires_at=expires_at,
            )

    made, secret = wait_for(make(settings()))
    if as_json:
        named = {"id": made.id, "name": made.name, "scopes": made.scopes, "advisor": made.advisor}
        print_json({**named, "key": secret, "expires_at": made.expires_at})
        return
    click.echo(f"key {made.id} for {made.name}; keep it, it is not shown again:\n{secret}")


@keys.command("list", epilog="Example: bottombox keys list")
@as_json
def list_(as_json: bool) -> None:
    """Every key, living or not; never a secret."""

    async def read(with_settings: Settings) -> list[Key]:
        async with wiring.open_database(with_settings) as engine:
            return await list_keys(engine)

    found = wait_for(read(settings()))
    if as_json:
        print_json({"items": found})
        return
    table(
        ("id", "name", "scopes", "advisor", "created", "expires", "revoked"),
        ((k.id, k.name, " ".join(k.scopes), k.advisor, k.created_at, k.expires_at, k.revoked_at) for k in found),
    )


@keys.command("revoke", epilog="Example: bottombox keys revoke 3f9c0d1e")
@click.argument("id")
@as_json
def revoke(id: str, as_json: bool) -> None:
    """Ends a key at once."""

    async def end(with_settings: Settings) -> None:
        async with wiring.open_database(with_settings) as engine:
            await revoke_key(engine, id)

    wait_for(end(settings()))
    if as_json:
        print_json({"id": id, "revoked": True})
    else:
        click.echo(f"key {id} is revoked")


commands: tuple[click.Command, ...] = (keys,)
