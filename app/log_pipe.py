"""Hands log lines to a thread that writes them: whoever reads slowly loses lines, and nobody's request waits for it."""

from __future__ import annotations

import logging
import os
import queue
import select
import threading
from collections.abc import Callable
from contextlib import suppress

MOST_LINES = 10_000
"""So many wait to be written; what comes beyond them is dropped, and counted."""

FLUSH_SECONDS = 2.0
"""So long the end of a process waits for what is still to be written."""


class LogPipe(logging.Handler):
    """`dropped` lines were not written; once writing goes on, a line says how many. The descriptor stays the caller's."""

    def __init__(self, descriptor: int, *, most: int = MOST_LINES) -> None:
        super().__init__()
        self.dropped = 0
        self.on_dropped: Callable[[], None] = lambda: None
        self._told = 0
        self._descriptor = descriptor
        self._lines: queue.Queue[bytes | None] = queue.Queue(most)
        threading.Thread(target=self._write_all, name="log-pipe", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self._line(record))
        except queue.Full:
            self._drop()
        except Exception:  # noqa: BLE001 - a line that cannot be made must not harm what it tells of
            self._drop()

    def flush(self) -> None:
        """Returns once all is written, or after a while: a reader that is stuck must not hold up the end."""
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, FLUSH_SECONDS)

    def close(self) -> None:
        with suppress(queue.Full):  # then the thread is stuck, and ends with the process
            self._lines.put_nowait(None)
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        return self.format(record).encode("utf-8", "backslashreplace") + b"\n"

    def _drop(self) -> None:
        self.dropped += 1
        self.on_dropped()

    def _write_all(self) -> None:
        """Straight to the descriptor: a stream's lock, held while it blocks, would hold up the interpreter's end."""
        while (line := self._lines.get()) is not None:
            try:
                _write(self._descriptor, self._news() + line)
            except OSError:  # nobody reads any more
                self._drop()
            finally:
                self._lines.task_done()
        self._lines.task_done()

    def _news(self) -> bytes:
        """That lines were dropped since it was last told; nothing when none were."""
        count, self._told = self.dropped - self._told, self.dropped
        if not count:
            return b""
        told = f"{count} log lines were dropped, for nobody read them in time"
        return self._line(logging.LogRecord(__name__, logging.WARNING, __file__, 0, told, None, None))


def _write(descriptor: int, line: bytes) -> None:
    while line:
        try:
            line = line[os.write(descriptor, line) :]
        except BlockingIOError:  # somebody made it so
            select.select([], [descriptor], [])
