"""The doors at which platforms may knock: sources with a webhook whose secret is set. Without one there is no door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from alerts.errors import Misconfigured
from consumers.sources.signatures import key_of
from consumers.sources.source import Source
from consumers.sources.webhook import Webhook


class Door(Struct, frozen=True):
    """`secrets`: those of the webhook's that are set."""

    name: str
    webhook: Webhook
    secrets: tuple[str, ...]


def open_doors(sources: Iterable[Source], secrets: Mapping[str, str]) -> dict[str, Door]:
    """The doors by their source's name. Raises Misconfigured for a secret that no signature could be made with."""
    doors = {}
    for source in sources:
        known = _known(source, secrets)
        if source.webhook is not None and known:
            for name in known:
                _check(source.webhook, name, secrets[name])
            doors[source.name] = Door(source.name, source.webhook, tuple(secrets[name] for name in known))
    return doors


def closed_doors(sources: Iterable[Source], secrets: Mapping[str, str]) -> list[str]:
    """A sentence for each source whose webhook nobody can reach, as no secret of it is set."""
    return [
        f"source {source.name}: POST /v1/sources/{source.name}/events is not there, as no secret is set; "
        f"set BOTTOMBOX_SECRET_{source.webhook.secrets[0]} if its platform shall send"
        for source in sources
        if source.webhook is not None and not _known(source, secrets)
    ]


def _known(source: Source, secrets: Mapping[str, str]) -> list[str]:
    """A blank secret is none: anybody could sign with it."""
    names = source.webhook.secrets if source.webhook is not None else ()
    return [name for name in names if secrets.get(name, "").strip()]


def _check(webhook: Webhook, name: str, secret: str) -> None:
    try:
        key_of(webhook, secret)
    except ValueError as error:
        raise Misconfigured(f"BOTTOMBOX_SECRET_{name} cannot be used: {error}; copy it anew") from None
