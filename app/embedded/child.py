"""Starts a program beside ours that ends when we end, whatever ends us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from app.embedded import tied

# The kernel ties a child to the thread that started it, not to the process, and the caller's may be a passing
# one of a pool. This thread stays until the end.
_starter = ThreadPoolExecutor(1, thread_name_prefix="starts-children")


class OsAccount(Struct, frozen=True):
    """The numbers of the user a program runs as."""

    user: int
    group: int


def ourselves() -> OsAccount:
    return OsAccount(user=os.geteuid(), group=os.getegid())


def start_child(
    command: Sequence[str | Path],
    *,
    log: Path,
    ending: signal.Signals,
    account: OsAccount | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Run `command` with its output appended to `log`; the kernel sends it `ending` when our process ends.

    The process id is the program's own. It gets a session of its own, so that Ctrl-C in a terminal reaches us
    alone and we can stop things in order. `account` needs root.
    """
    account = account or ourselves()
    tie = [sys.executable, "-I", "-S", tied.__file__, os.getpid(), ending.value, account.user, account.group]
    with log.open("ab") as output:
        return _starter.submit(
            subprocess.Popen[bytes],
            [str(word) for word in (*tie, *command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        ).result()


def stop_child(child: subprocess.Popen[bytes], *signals: signal.Signals, patience: float = 20.0) -> None:
    """Send the signals one after the other, each with `patience` seconds to work, and at last SIGKILL."""
    for each in signals:
        child.send_signal(each)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
    child.kill()
    child.wait()


def last_words(log: Path, lines: int = 5) -> str:
    """The end of a log, for the error that says why a program did not start."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:])
