"""The database's address is libpq's; what cannot be honoured is refused in one sentence that repeats nothing secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.errors import Misconfigured
from alerts.ledger.connection.address import read_address, require_files


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://ann:pw@db:5433/ledger", {"places": (("db", 5433),), "user": "ann", "name": "ledger"}),
        (" postgresql://db/l?sslmode=require\n", {"places": (("db", None),), "tls": {"sslmode": "require"}}),
        ("postgresql+psycopg2://db", {"places": (("db", None),), "user": None, "name": None}),
        ("postgresql://", {"places": ((None, None),)}),
        ("postgresql://h1:5432,h2:5433/l", {"places": (("h1", 5432), ("h2", 5433)), "needs_writable": True}),
        ("postgresql://h1,h2/l?port=6000", {"places": (("h1", 6000), ("h2", 6000))}),
        ("postgresql://h1,h2:1/l?port=6000,7000", {"places": (("h1", 6000), ("h2", 1))}),
        ("postgresql://h1,h2/l?target_session_attrs=any", {"needs_writable": False}),
        ("postgresql://h1/l?target_session_attrs=read-write", {"needs_writable": True}),
        ("postgresql://[::1]:5433/l", {"places": (("::1", 5433),)}),
        ("postgresql:///l?host=/run/postgresql", {"places": (("/run/postgresql", None),)}),
        ("postgresql://ann@%2Frun%2Fpostgresql/l", {"places": (("/run/postgresql", None),)}),
        # what a cloud's connector writes: the word behind the ? wins, as in libpq
        ("postgresql://ann@localhost/l?host=/cloudsql/p:r:i", {"places": (("/cloudsql/p:r:i", None),)}),
        ("postgresql://ann%40corp:p%40%2F%3A%25%23+@db/l", {"user": "ann@corp", "password": "p@/:%#+"}),
        ("postgresql://ann:a:b@db/l", {"user": "ann", "password": "a:b"}),
        ("postgresql://db/l?user=ann&password=p%26w", {"user": "ann", "password": "p&w"}),
        ("postgresql://db/l?sslmode=require&channel_binding=prefer&gssencmode=disable", {"tls": {"sslmode": "require"}}),
        ("postgresql://db/l?ssl=true", {"tls": {"sslmode": "require"}}),
        ("postgresql://db/l?sslrootcert=system", {"tls": {"sslrootcert": "system", "sslmode": "verify-full"}}),
        ("postgresql://db/l?sslmode=", {"tls": {}}),
        ("postgresql://db/l?connect_timeout=10", {"connect_seconds": 10.0}),
        ("postgresql://db/l?application_name=desk", {"settings": {"application_name": "desk"}}),
        ("postgresql://db/l?options=-ca%3D1%2C2%20-c%20b%3D4MB", {"settings": {"a": "1,2", "b": "4MB"}}),
        ("postgresql://db/l?options=--search-path%3Da%5C%20b", {"settings": {"search_path": "a b"}}),
    ],
)  # fmt: skip
def test_an_address_is_read_as_postgresqls_own_clients_read_it(url: str, expected: dict[str, Any]) -> None:
    address = read_address(url)
    assert {name: getattr(address, name) for name in expected} == expected


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://db/l", "the database URL cannot be read; write postgresql://"),
        ("host=db user=ann password=hunter2", "the database URL cannot be read"),
        ("postgresql://db/l?sslmode=hunter2", "sslmode has a value that is none of PostgreSQL's; write disable or"),
        ("postgresql://db/l?channel_binding=require", "channel_binding=require cannot be honoured; write disable or prefer"),
        ("postgresql://db/l?target_session_attrs=standby", "target_session_attrs=standby cannot be honoured; write any or"),
        ("postgresql://db/l?gssencmode=require", "gssencmode=require cannot be honoured"),
        ("postgresql://db/l?keepalives_idle=30", "keepalives_idle cannot be honoured; leave it out"),
        ("postgresql://db/l?service=hunter2", "service cannot be honoured"),
        ("postgresql://db/l?sslmod=require", "did you mean sslmode?"),
        ("postgresql://db/l?pgbouncer=true", "none of PostgreSQL's"),
        ("postgresql://db/l?host=a&host=b", "host stands twice"),
        ("postgresql://db/l?connect_timeout=0", "connect_timeout cannot be honoured; write 1 to 60 seconds"),
        ("postgresql://db/l?connect_timeout=hunter2", "connect_timeout cannot be honoured"),
        ("postgresql://db/l?options=-d%203", "options cannot be honoured; write -c name=value"),
        ("postgresql://db/l?options=-ctimezone%3DCET", "options cannot set the time zone"),
        ("postgresql://db/l?sslrootcert=system&sslmode=require", "sslrootcert=system cannot go with a weaker sslmode"),
        ("postgresql://db/l?sslnegotiation=direct", "sslnegotiation=direct needs TLS"),
        ("postgresql://h1,h2,h3/l?port=1,2", "port does not fit the hosts"),
        ("postgresql://db:hunter2/l", "a port of the database URL is none"),
        ("postgresql://db:70000/l", "a port of the database URL is none"),
        ("postgresql://::1/l", "an IPv6 host needs brackets"),
        ("postgresql://h1,,h2/l", "cannot be told apart"),
        ("postgresql://ann:hunter2@x@db/l", "cannot be told apart"),
        ("postgresql://ann:hunter2/x@db/l", "cannot be told apart"),
        ("postgresql://ann:hunter2#x@db/l", "cannot be told apart"),
        ("postgresql://ann:x?hunter2=@db/l", "remove it, or write ? and & of a password"),
        ("postgresql://ann:x@db/l?p&hunter2=3", "remove it, or write ? and & of a password as %3F and %26"),
        ("postgresql://ann:50%hunter2@db/l", "a percent sign in the database URL begins no character"),
        ("postgresql://ann:%FFhunter2@db/l", "bytes that are not UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_is_refused_in_one_sentence_that_keeps_the_secret(url: str, sentence: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_address(url)
    assert sentence in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_files_that_an_address_names_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root.crt").touch()
    require_files(read_address(f"postgresql://db/l?sslmode=verify-full&sslrootcert={tmp_path}/root.crt"))
    require_files(read_address("postgresql://db/l?sslrootcert=system"))
    for word in ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"):
        with pytest.raises(Misconfigured, match=f"^{word} names a file that cannot be read; correct the path$"):
            require_files(read_address(f"postgresql://db/l?sslmode=require&{word}={tmp_path}/not-there"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Misconfigured, match="sslmode has nothing to verify by"):
        require_files(read_address("postgresql://db/l?sslmode=verify-full"))


def test_an_address_that_is_logged_by_mistake_tells_nothing() -> None:
    assert SECRET not in repr(read_address(f"postgresql://ann:{SECRET}@db/l"))
