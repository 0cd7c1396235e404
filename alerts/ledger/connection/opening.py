"""Opens connections: to the first place of the address that will do, bounded in time, also behind a pooler.

A pooler that works by transaction (PgBouncer and its kin) gives each transaction any session of the server. So a name
that was prepared, or a setting that was made, may be gone or another client's in the next one. It gives itself away: the
process number it tells at the door is not the one that the server answers with. Behind one nothing is prepared by name,
and the session's settings are made anew with each BEGIN, in the same message.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from alerts.errors import Misconfigured, Unavailable
from alerts.ledger.connection.address import DatabaseAddress, HostAndPort, read_address, require_files
from alerts.ledger.connection.away import NeedsMending, why_shut

OLDEST_VERSION = 15
CHECK_SECONDS = 10.0

SERVER_SETTINGS = {
    "application_name": "bottombox",
    "timezone": "UTC",
    "jit": "off",  # short statements; compiling them costs more than it saves
    "statement_timeout": "15s",
    "lock_timeout": "8s",
    "idle_in_transaction_session_timeout": "30s",
}

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # which takes no parameters while the program runs

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What the driver, the server and the network end a conversation with."""


class BehindPooler(Connection):
    """A connection of which each transaction may have another session of the server."""

    opening = ""
    """What makes the session's settings; a part of the message that begins a transaction, so that it costs no time."""

    async def execute(self, query: str, *args: Any, **more: Any) -> str:
        if query.startswith("BEGIN"):  # the driver's own word for it
            query += self.opening
        return await super().execute(query, *args, **more)


class Connector:
    """Opens one connection per call. `url` is asked each time, so that a new password is used as soon as it is there."""

    def __init__(self, url: Callable[[], str], *, application: str, command_seconds: float | None) -> None:
        self._url = url
        self._settings = {**SERVER_SETTINGS, "application_name": application}
        self._command_seconds = command_seconds
        self._direct: set[HostAndPort] = set()
        self._turns: dict[HostAndPort, int] = {}
        """Where it went well goes first; where it failed, or somebody lost patience, goes last."""
        self._counter = itertools.count(1)
        self.generation = 0
        """Of the connections that are opened now; those of an earlier one are not to be used again."""
        require_files(read_address(url()))

    async def __call__(self) -> Connection:
        """Raises Unavailable."""
        address = self._address()
        failures: list[BaseException] = []
        for place in sorted(address.places, key=lambda each: self._turns.get(each, 0)):
            try:
                connection = await self._open(address, place)
            except (*DRIVER_ERRORS, asyncio.CancelledError) as error:
                self._turns[place] = next(self._counter)
                if isinstance(error, asyncio.CancelledError):
                    raise
                failures.append(error)
                continue
            self._turns = {place: -1}
            return connection
        answered = [error for error in failures if isinstance(error, asyncpg.PostgresError)]
        worst = (answered or failures)[-1]
        raise why_shut(worst) from worst

    def forget(self) -> None:
        """Look anew whether a pooler stands in front: something that was prepared is not there."""
        self._direct.clear()

    def condemn(self) -> None:
        """None of the connections that are open now is to be used again."""
        self.forget()
        self.generation += 1

    def _address(self) -> DatabaseAddress:
        """While the program runs, an address that has become wrong is waited out like a database that says no."""
        try:
            return read_address(self._url())
        except Misconfigured as error:
            raise NeedsMending(f"the database is away: {error}") from error

    async def _open(self, address: DatabaseAddress, place: HostAndPort) -> Connection:
        settings = {**self._settings, **address.settings}
        if place in self._direct:
            try:
                return await self._connect(address, place, Connection, settings)
            except asyncpg.PostgresError as error:
                if error.sqlstate != "08P01":
                    raise
                self._direct.discard(place)  # a pooler has come between, which takes no settings at the door
        named = {"application_name": settings["application_name"]}
        probe = await self._connect(address, place, BehindPooler, named, statement_cache_size=0)
        if await self._stays(probe, settings):
            return probe
        self._direct.add(place)
        return await self._connect(address, place, Connection, settings)

    async def _connect(
        self,
        address: DatabaseAddress,
        place: HostAndPort,
        kind: type[Connection],
        settings: Mapping[str, str],
        **more: Any,
    ) -> Connection:
        host, port = place
        if address.tls.get("sslrootcert") == "system":
            more["ssl"] = _trusting_the_system(address.tls)
        attributes = SessionAttribute.read_write if address.needs_writable else SessionAttribute.any
        connection: Connection = await asyncpg.connect(
            f"postgresql://?{urlencode(address.tls)}" if address.tls else None,
            host=host,
            port=port,
            user=address.user,
            password=address.password,
            passfile=address.passfile,
            database=address.name,
            timeout=address.connect_seconds,
            command_timeout=self._command_seconds,
            server_settings=dict(settings),
            target_session_attrs=attributes,
            connection_class=kind,
            **more,
        )
        if connection.get_server_version().major < OLDEST_VERSION:
            connection.terminate()
            raise NeedsMending(f"PostgreSQL {OLDEST_VERSION} or newer is needed; the server is older")
        return connection

    async def _stays(self, probe: Connection, settings: Mapping[str, str]) -> bool:
        """Whether a pooler is there, so that `probe` is used as it is; closed if not."""
        assert isinstance(probe, BehindPooler)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                if await probe.fetchval("SELECT pg_backend_pid()") == probe.get_server_pid():
                    await probe.close()
                    return False
                probe.opening = " SELECT " + ", ".join(
                    f"pg_catalog.set_config({_quoted(name)}, {_quoted(text)}, true)" for name, text in settings.items()
                )
                async with probe.transaction():
                    pass  # a setting that is refused is heard of here, not in the middle of some work
                return True
        except BaseException:
            probe.terminate()
            raise


async def complaints(url: str) -> list[str]:
    """What a person must mend before the database can be used, in sentences. One that only does not answer is none."""
    try:
        connection = await Connector(lambda: url, application="bottombox-check", command_seconds=CHECK_SECONDS)()
    except (Misconfigured, NeedsMending) as error:
        return [str(error)]
    except Unavailable:
        return []
    await connection.close(timeout=CHECK_SECONDS)
    return []


def is_pooled(connection: Connection) -> bool:
    return type(connection) is BehindPooler  # the driver's classes say yes to every `isinstance`


def _quoted(text: str) -> str:
    """A literal that means the same whatever the server thinks of backslashes."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _trusting_the_system(tls: Mapping[str, str]) -> ssl.SSLContext:
    """libpq's `sslrootcert=system`, which the driver does not know."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])
    if "sslcert" in tls:
        context.load_cert_chain(tls["sslcert"], tls.get("sslkey"), tls.get("sslpassword"))
    for word, bound in (
        ("ssl_min_protocol_version", "minimum_version"),
        ("ssl_max_protocol_version", "maximum_version"),
    ):
        if word in tls:
            setattr(context, bound, ssl.TLSVersion[tls[word].replace(".", "_")])
    return context
