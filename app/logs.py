"""Log lines for people or for machines. Nothing here adds data of a record: no line carries a customer's.

What went wrong is told by its kind and its place, for its message may quote the data it choked on.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TypeAlias

from alerts.errors import safe_traceback
from alerts.log_fields import FIELDS, bound_fields
from app.log_pipe import LogPipe

ErrorInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)  # as logging has it

QUIET = ("uvicorn.access", "uvicorn.error", "httpx", "alembic")
"""They say more than anybody needs; paths and addresses of requests are nobody's business."""

_UNPRINTABLE = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if code != ord("\n")}


class _Lines(logging.Formatter):
    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802 - logging's own name
        return "" if ei[1] is None else safe_traceback(ei[1])


class JsonLines(_Lines):
    """One JSON object per line: time, level, logger, message, what it is about, and the error if there was one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextLines(_Lines):
    """Time, level, logger, message, and what it is about as `name=value`. What has further lines has them indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        error = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        line = f"{_time(record)} {record.levelname:7} {record.name}: {record.getMessage()}{fields}{error}"
        return line.rstrip("\n").replace("\n", "\n    ").translate(_UNPRINTABLE)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Those that are known (docs/operations.md); what else somebody may have put there stays out."""
    given: Mapping[str, Any] = getattr(record, "about", {})
    found = {**bound_fields(), **given}
    return {name: found[name] for name in FIELDS if name in found}


def set_up_logs(level: str, form: Literal["text", "json"], handler: logging.Handler | None = None) -> None:
    """All to standard error, or to `handler`; standard output is for what a command answers."""
    handler = handler or _to_standard_error()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    # aiokafka writes a line every tenth of a second while a broker is away; we say it once ourselves
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    keep_quiet()


def keep_quiet() -> None:
    """Lets those of `QUIET` say warnings, and nothing less."""
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def count_dropped_lines(count: Callable[[], None]) -> None:
    """`count` is called for each line that is dropped from now on, in whichever thread wrote it."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogPipe):
            handler.on_dropped = count


def _to_standard_error() -> logging.Handler:
    try:
        return LogPipe(sys.stderr.fileno())
    except OSError:  # no file, as when a command runs within another program
        return logging.StreamHandler(sys.stderr)
