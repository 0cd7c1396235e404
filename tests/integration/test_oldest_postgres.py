"""The oldest PostgreSQL that is promised: the schema, an answer taken in, and a claim, on a server of that version."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from alerts.errors import Unavailable
from alerts.ledger.bulk import encode
from alerts.ledger.connection.opening import complaints
from alerts.ledger.database import direct_transaction, open_engine, require_writable
from alerts.ledger.intake.customers import LOCK_CUSTOMERS, LOCK_OR_MAKE_CUSTOMERS, meet_customers
from alerts.ledger.migrate import differences, is_current, upgrade_engine
from tests.integration.api.front import NOON, Front, good
from tests.parts.answers import answer
from tests.parts.clock import MOVABLE_CLOCK, Clock
from tests.parts.postgres import OLDEST, PostgresServer, missing_oldest, oldest_binaries
from tests.parts.requirements import require


@pytest.fixture(scope="module")
def oldest() -> Iterator[PostgresServer]:
    require("postgres-15", missing_oldest())
    with PostgresServer.start(binaries=oldest_binaries()) as server:
        yield server


async def test_a_bad_answer_is_taken_in_and_claimed_on_the_oldest_server(oldest: PostgresServer) -> None:
    url = oldest.create_database("oldest")
    engine = open_engine(url)
    await upgrade_engine(engine)
    assert await is_current(engine)
    assert await differences(engine) == []
    connection = await asyncpg.connect(url)
    assert connection.get_server_version().major == OLDEST
    await connection.execute(MOVABLE_CLOCK)
    clock = Clock(connection)
    await clock.set(NOON)
    front = Front(engine, clock)
    moved = await front.bad_answer()
    assert (await front.bad_answer(rating=2)).callback.id != moved.callback.id
    claimed = good(await (await front.advisor()).post("/v1/callbacks/claim", json={}))
    assert claimed["state"] == "leased"
    await front.close()
    await connection.close()


@pytest.fixture(scope="module")
def certificate(oldest: PostgresServer) -> Path:
    """The oldest server speaks TLS now, with a certificate for `localhost` that only its own file trusts."""
    openssl = shutil.which("openssl")
    require("postgres-15", None if openssl else "there is no `openssl` here to make a certificate with")
    crt, key = oldest.data / "server.crt", oldest.data / "server.key"
    words = (
        f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -out {crt}"
    )
    subprocess.run([str(openssl), *words.split(), "-keyout", key], check=True, capture_output=True)
    shutil.chown(key, *_owner(oldest.data))
    shutil.chown(crt, *_owner(oldest.data))
    key.chmod(0o600)
    oldest.run_sql("ALTER SYSTEM SET ssl = on")
    oldest.run_sql("SELECT pg_reload_conf()")
    return crt


def _owner(folder: Path) -> tuple[int, int]:
    return folder.stat().st_uid, folder.stat().st_gid


async def test_tls_is_asked_for_as_libpq_asks(
    oldest: PostgresServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, numbered = oldest.url().replace("127.0.0.1", "localhost"), oldest.url()
    full = f"sslmode=verify-full&sslrootcert={certificate}"
    for good_one in (f"{numbered}?sslmode=require", f"{named}?{full}", f"{numbered}?{full}".replace("full", "ca")):
        assert await complaints(good_one) == []
    untrusted = ["the database is away: its certificate is not trusted"]
    assert await complaints(f"{numbered}?{full}") == untrusted  # the certificate is of another name
    assert await complaints(f"{named}?sslrootcert=system") == untrusted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # now this machine trusts it
    assert await complaints(f"{named}?sslrootcert=system") == []
    assert await complaints(f"{named}?sslrootcert=system&sslcert=/not/there") == [
        "sslcert names a file that cannot be read; correct the path"
    ]


async def test_a_server_without_tls_is_told_so(postgres: PostgresServer) -> None:
    """The wheel's server has none."""
    engine = open_engine(f"{postgres.url()}?sslmode=require")
    with pytest.raises(Unavailable, match="it does not agree on TLS"):
        await require_writable(engine)
    await engine.dispose()


async def test_customers_are_locked_in_one_order_whatever_the_database_sorts_by(oldest: PostgresServer) -> None:
    """Many new ones are copied in Python's order: another one beside it, and two batches would wait for each other."""
    oldest.run_sql("CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
    engine = open_engine(oldest.url("sorted"))
    await upgrade_engine(engine)
    said = [answer(name, 5, NOON, offset=place).response for place, name in enumerate(("a", "B"))]
    async with direct_transaction(engine) as connection:
        driver = connection.driver
        assert [
            row["key"] for row in await driver.fetch("SELECT key FROM unnest(ARRAY['B', 'a']) AS key ORDER BY 1")
        ] == ["a", "B"]
        met = await meet_customers(driver, said, shared_sources=frozenset())
        keys = [customer.key for customer in met.customers]
        assert [row["key"] for row in await driver.fetch(LOCK_CUSTOMERS, encode(keys))] == sorted(keys)
        held = await driver.fetchval(LOCK_OR_MAKE_CUSTOMERS, encode([{"key": key} for key in keys]))
        assert [row["key"] for row in json.loads(held)] == sorted(keys)
        assert sorted(met.customers, key=lambda each: each.id) == sorted(met.customers, key=lambda each: each.key)
    await engine.dispose()
