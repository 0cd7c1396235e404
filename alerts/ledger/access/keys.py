"""API keys: made once and shown once; the ledger keeps only their digests."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import RowMapping, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import Invalid, NotFound
from alerts.ledger.connection.direct import Statement, rows
from alerts.ledger.database import single_statement, transaction
from alerts.ledger.tables.access import api_keys
from alerts.wording.language import read_language

PREFIX = "bbx_"
LIVE_AT_MOST = 2  # of one name, so that a key can be changed without a gap

SCOPES = (
    *("admin", "callbacks:lead", "callbacks:work", "callbacks:read"),
    *("callbacks:dial", "events:ingest", "webhooks", "privacy", "metrics:read"),
)


class Key(Struct, frozen=True, kw_only=True):
    """What a key may do, and for whom. No queues or languages: all of them."""

    id: str
    name: str
    scopes: tuple[str, ...]
    advisor: str | None
    queues: tuple[str, ...] | None
    languages: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


# Keys of one name are made one after the other, so that no two of them both see room for one more.
ONE_NAME_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('key:' || :name, 0))")
IS_LIVE = api_keys.c.revoked_at.is_(None) & or_(
    api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.ledger_now()
)


# Whose living key has this digest?
FIND = Statement(f"""
SELECT {", ".join(Key.__struct_fields__)} FROM api_keys
WHERE digest = :digest AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ledger_now())
""")


KEY_LIVES = """(CAST(:key AS text) IS NULL OR EXISTS (
    SELECT FROM api_keys WHERE id = :key AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ledger_now())))"""
"""SQL, for statements that also ask whether the key still lives with whose rights they are made; none is given, none asked."""


class KeyGone(Exception):
    """The key was revoked, or has expired, since it was looked up."""


async def create_key(
    engine: AsyncEngine,
    *,
    name: str,
    scopes: Iterable[str],
    advisor: str | None = None,
    queues: Iterable[str] | None = None,
    languages: Iterable[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[Key, str]:
    """The key and its secret (192 random bits), which nobody can show again. Raises Invalid, Unavailable."""
    scopes = tuple(dict.fromkeys(scopes))
    languages = tuple(languages or ())
    _check(name, scopes, languages)
    secret = PREFIX + secrets.token_urlsafe(24)
    row = {
        "id": secrets.token_hex(8),
        "name": name,
        "digest": digest_of(secret),
        "scopes": list(scopes),
        "advisor": advisor,
        "queues": list(queues) if queues else None,
        "languages": list(languages) or None,
        "expires_at": expires_at,
    }
    async with transaction(engine) as connection:
        await connection.execute(ONE_NAME_AT_A_TIME, {"name": name})
        live = select(func.count()).where(api_keys.c.name == name, IS_LIVE)
        if (await connection.execute(live)).scalar_one() >= LIVE_AT_MOST:
            raise Invalid("two keys of this name are live already; revoke one first", "/name")
        made = await connection.execute(insert(api_keys).values(**row).returning(api_keys))
        return _key(made.mappings().one()), secret


async def find_key(engine: AsyncEngine, digest: bytes) -> Key | None:
    """The live key whose secret has this `digest_of`; so the time taken tells nothing about the secret."""
    async with single_statement(engine) as connection:
        found = await rows(connection, FIND, digest=digest)
    return _key(found[0]) if found else None


def check_key(row: Mapping[str, Any]) -> None:
    """Raises KeyGone when the statement that gave this row found that the key (KEY_LIVES) lives no more."""
    if not row["key_lives"]:
        raise KeyGone


async def list_keys(engine: AsyncEngine) -> list[Key]:
    """Every key there ever was, the oldest first."""
    async with transaction(engine) as connection:
        found = await connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
        return [_key(row) for row in found.mappings()]


async def revoke_key(engine: AsyncEngine, key_id: str) -> None:
    """At once and for good; a revoked one stays revoked. Raises NotFound, Unavailable."""
    revoked = func.coalesce(api_keys.c.revoked_at, func.ledger_now())
    async with transaction(engine) as connection:
        done = await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=revoked))
    if done.rowcount == 0:
        raise NotFound("there is no such key")


def _check(name: str, scopes: tuple[str, ...], languages: Iterable[str]) -> None:
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise Invalid("a key's name has 1 to 100 printable characters", "/name")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid(f"a key needs at least one of these scopes, and no others: {', '.join(SCOPES)}", "/scopes")
    if any(read_language(language) is None for language in languages):
        raise Invalid("one of these is no language; write them like en or pt-BR", "/languages")


def digest_of(secret: str) -> bytes:
    """A fast hash is right for a secret of 192 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _key(row: Mapping[str, Any] | RowMapping) -> Key:
    return Key(
        id=row["id"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        advisor=row["advisor"],
        queues=None if row["queues"] is None else tuple(row["queues"]),
        languages=None if row["languages"] is None else tuple(row["languages"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
