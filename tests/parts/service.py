"""The program itself, as its users start it: one process per role, told about by its first line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.parts.reconcile import books_of
from tests.parts.scan import heard

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 30


def environment(
    *, database: str, kafka: str, topics: str, dead_letters: str, group: str, **more: str
) -> dict[str, str]:
    """The settings of one story; ports are free ones."""
    settings = {
        "DATABASE_URL": database,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "SURVEY_TOPICS": topics,
        "DEAD_LETTER_TOPIC": dead_letters,
        "CONSUMER_GROUP": group,
        "SECRET_KEY": "a key for stories only",
        "HTTP_PORT": "0",
        "METRICS_PORT": "0",
        "RATE_LIMIT": "0",
        "DRAIN_SECONDS": "0",
        **more,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOTTOMBOX_")}
    return {**kept, **{f"BOTTOMBOX_{name}": value for name, value in settings.items()}}


def bottombox(*arguments: str, env: Mapping[str, str]) -> Any:
    """What a command answers with `--json`; fails with what it said when it does not end well."""
    done = said(*arguments, "--json", env=env)
    assert done.returncode == 0, f"bottombox {' '.join(arguments)}: {done.stderr}"
    return json.loads(done.stdout)


def said(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What a command wrote, whatever came of it."""
    command = [sys.executable, "-m", "app", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=300, check=False)
    heard(done.stderr, f"bottombox {arguments[0]}")
    return done


def _database(env: Mapping[str, str]) -> str:
    file = env.get("BOTTOMBOX_DATABASE_URL_FILE")
    return env["BOTTOMBOX_DATABASE_URL"] if file is None else Path(file).read_text().strip()


class Service:
    """A running role. `log` holds what it said on standard error, to its end."""

    def __init__(
        self,
        role: str,
        process: subprocess.Popen[str],
        log: Path,
        http: str | None,
        metrics: str,
        env: Mapping[str, str],
    ) -> None:
        self._role = role
        self._process = process
        self._log = log
        self._said: str | None = None
        self.http = http or ""
        self.metrics = metrics
        self._books = books_of(_database(env))
        self._books.begin(self)

    @classmethod
    def start(cls, role: str, env: Mapping[str, str], *, errors: int | None = None) -> Self:
        """`errors`: a descriptor that takes what it says on standard error, in the place of `log`."""
        descriptor, name = tempfile.mkstemp(prefix=f"bottombox-{role}-", suffix=".log")
        with os.fdopen(descriptor, "w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", role, "--json"],
                cwd=ROOT,
                env=dict(env),
                stdout=subprocess.PIPE,
                stderr=file if errors is None else errors,
                text=True,
            )
        log = Path(name)
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            process.wait()
            raise AssertionError(f"bottombox {role} did not start: {log.read_text()}")
        first_line = json.loads(first)
        assert first_line["event"] == "listening"
        return cls(role, process, log, first_line["http"], first_line["metrics"], env)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._said if self._said is not None else self._log.read_text()

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self._books.lose(self)
        self._process.kill()
        self._ended()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def wait(self) -> int:
        """Until it ends by itself; the exit code, or minus the signal that ended it."""
        self._books.lose(self)
        return self._ended()

    def stop(self, *, within: float = STOP_SECONDS) -> int:
        """SIGTERM, and the exit code. Fails when it takes longer than `within` seconds."""
        page = self._books.ask(self)
        if page is not None:
            heard(page, f"the metrics page of {self._role}")
        self._process.terminate()
        code = self._ended(within)
        self._books.close(self)
        return code

    def _ended(self, within: float = STOP_SECONDS) -> int:
        assert self._process.stdout is not None
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"it did not end in {within} s: {self.log}") from None
        finally:
            self._said = self._log.read_text()
            self._log.unlink()
            with self._process.stdout as more:
                heard(more.read() + self._said, f"bottombox {self._role}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()
