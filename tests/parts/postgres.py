"""A real PostgreSQL on this machine, for stories and benchmarks to use, to copy databases in, and to hurt."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import asyncpg

from alerts.errors import Misconfigured, Unavailable
from app.embedded.child import stop_child
from app.embedded.postgres import EmbeddedPostgres, wheel_binaries

# A test's database need not outlive the machine it runs on.
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_RESTART_PATIENCE = 30.0  # seconds


OLDEST = 15
"""The oldest PostgreSQL we work with."""


def missing_postgres() -> str | None:
    """One sentence why no PostgreSQL can be started here, or None."""
    chosen = _chosen_binaries()
    if chosen is not None:
        return None if (chosen / "postgres").exists() else "BOTTOMBOX_TEST_POSTGRES holds no `postgres`"
    try:
        wheel_binaries()
    except Misconfigured as error:
        return str(error)
    return None


def _chosen_binaries() -> Path | None:
    """The folder of initdb and postgres that the suite's server is to come from; None for the wheel's."""
    named = os.environ.get("BOTTOMBOX_TEST_POSTGRES")
    return Path(named) if named else None


def chosen_version() -> int | None:
    """Of the suite's server; None when there is none."""
    return None if missing_postgres() else version_of(_chosen_binaries() or wheel_binaries())


def oldest_binaries() -> Path | None:
    """PostgreSQL 15 as the system's package installs it, or as BOTTOMBOX_TEST_POSTGRES names it."""
    for folder in (_chosen_binaries(), Path(f"/usr/lib/postgresql/{OLDEST}/bin")):
        if folder is not None and (folder / "postgres").exists() and version_of(folder) == OLDEST:
            return folder
    return None


def missing_oldest() -> str | None:
    return (
        None if oldest_binaries() else f"PostgreSQL {OLDEST} is not installed here (/usr/lib/postgresql/{OLDEST}/bin)"
    )


def version_of(binaries: Path) -> int:
    """`postgres (PostgreSQL) 15.18 (Debian ...)` is 15."""
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])


class PostgresServer(EmbeddedPostgres):
    """The embedded server, with what only tests do to one."""

    @classmethod
    def start(
        cls,
        folder: Path | None = None,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = False,
    ) -> Self:
        """A server that is ready; `durable` keeps commits safe from power cuts, as in production."""
        chosen = {**({} if durable else _CARELESS), **(settings or {})}
        return super().start(folder, binaries=binaries or _chosen_binaries(), settings=chosen)

    def _locale(self) -> tuple[str, ...]:
        """Before 17 the order of texts is the system's."""
        return super()._locale() if version_of(self._binaries) >= 17 else ("--locale=C.UTF-8",)

    @property
    def binaries(self) -> Path:
        """Where initdb, postgres and pgbench are."""
        return self._binaries

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._running().pid

    def stop(self) -> None:
        if self._process is not None:
            self.resume()
        super().stop()

    def kill(self) -> None:
        """The crash: SIGKILL to the postmaster; its sessions notice and end a moment later."""
        if self._process is not None:
            stop_child(self._process)
            self._process = None

    def restart(self) -> None:
        """Start again on the same folder and port. After `kill` the first tries may fail, while the last
        sessions of the killed server still hold its memory."""
        if self._process is not None:
            self.resume()
            stop_child(self._process, signal.SIGINT, signal.SIGQUIT)
            self._process = None
        deadline = time.monotonic() + _RESTART_PATIENCE
        while True:
            try:
                return self._launch()
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def pause(self) -> None:
        """Every process of the server stops answering (SIGSTOP); connections stay open."""
        postmaster = self._running()
        postmaster.send_signal(signal.SIGSTOP)  # first, so that it starts no more sessions
        for session in _children(postmaster.pid):
            _signal(session, signal.SIGSTOP)

    def resume(self) -> None:
        postmaster = self._running()
        for session in _children(postmaster.pid):
            _signal(session, signal.SIGCONT)
        postmaster.send_signal(signal.SIGCONT)

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, a copy of `template` if given (nobody may be connected to it); its address."""
        copy = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""  # half the time of WAL_LOG here
        self.run_sql(f'CREATE DATABASE "{name}"{copy}')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end every session in it."""
        self.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start_standby(self) -> Self:
        """A server that follows this one, and has each commit before it is told. This one is stopped meanwhile: a copy
        at rest needs no more than copying."""
        folder = Path(tempfile.mkdtemp(prefix="bottombox-standby-"))
        process = self._running()
        stop_child(process, signal.SIGINT, signal.SIGQUIT)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        (folder / "data" / "standby.signal").touch()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self._account.user, self._account.group)
        self._launch()
        login = urlsplit(self.url())
        source = f"host=127.0.0.1 port={self.port} user={login.username} password={login.password}"
        return type(self).start(
            folder, binaries=self._binaries, settings={**self._settings, "primary_conninfo": source}, durable=True
        )

    def run_sql(self, statement: str, database: str = "postgres") -> None:
        """Run statements that take and give nothing, with or without an event loop around."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url(database), timeout=30)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as elsewhere:  # the caller's thread may already run an event loop
            elsewhere.submit(asyncio.run, run()).result()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("PostgreSQL is not running")
        return self._process


def _children(parent: int) -> list[int]:
    """The processes whose parent this is, by /proc (proc(5): the field after the state is the parent)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = stat.read_text().rpartition(") ")
        except OSError:
            continue  # ended while we were looking
        if int(fields.split()[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return  # a session that ended meanwhile needs no signal
