"""The command that sends a file of answers to the survey topic."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from alerts import scoring
from alerts.errors import Misconfigured
from alerts.policy import Policy
from alerts.scale import Box
from app import wiring
from app.cli.output import as_json, print_json, settings, wait_for
from app.cli.sources import find_source
from app.settings import Settings
from consumers.kafka.producer import OutRecord, Producer
from consumers.sources.catalogue import load_catalogue
from consumers.sources.rows import FileRow, InvalidRow, Sendable, UnratedRow, last_answer, read_rows

CHUNK = 500
TOLD = 20  # rows that cannot be read, for people


@click.command(epilog="Example: bottombox publish answers.csv --source shopzilla --dry-run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", "name", required=True, help="The source file that reads it.")
@click.option("--rate", type=click.FloatRange(min=0.01), help="Answers a second; as fast as it goes without.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N rows.")
@click.option("--shift-to-now", is_flag=True, help="Moves the times so that the last answer was given now.")
@click.option("--dry-run", is_flag=True, help="Reads and counts, sends nothing.")
@as_json
def publish(
    file: Path, name: str, rate: float | None, limit: int | None, shift_to_now: bool, dry_run: bool, as_json: bool
) -> None:
    """Sends a file of answers (CSV, JSON or XLSX) to the survey topic.

    A second run changes nothing: event ids are stable.
    """
    with_settings = settings()
    catalogue = load_catalogue(with_settings.sources_dir)
    source = find_source(catalogue, name)
    shift = timedelta()
    if shift_to_now and (last := last_answer(source, file, limit=limit)) is not None:
        shift = datetime.now(UTC) - last
    key = with_settings.secret_key
    secret = key.get_secret_value().encode() if key else secrets.token_bytes(32)
    rows = read_rows(source, file, secret=secret, shared_sources=catalogue.shared_sources, limit=limit, shift=shift)
    count = _Count(name, wiring.load_policy(with_settings.policy_file))
    wait_for(_publish(with_settings, rows, count, rate, dry_run))
    if as_json:
        print_json(count.summary())
    else:
        count.tell(dry_run)
    count.check(file)


class _Count:
    """What was read and sent so far, in the boxes that the policy puts it in."""

    def __init__(self, source: str, policy: Policy) -> None:
        self.source, self.policy = source, policy
        self.rows = self.sent = self.unrated = 0
        self.ratings: Counter[int] = Counter()
        self.boxes: Counter[Box] = Counter(dict.fromkeys(Box, 0))
        self.unreadable: list[dict[str, Any]] = []
        self.first_detail = ""

    def read(self, row: FileRow) -> None:
        self.rows += 1
        if isinstance(row, UnratedRow):
            self.unrated += 1
            return
        if isinstance(row, InvalidRow):
            self.first_detail = self.first_detail or row.detail
            self.unreadable.append({"line": row.line, "reason": row.reason, "field": row.field})
            return
        response = row.response
        self.ratings[response.rating] += 1
        self.boxes[scoring.rate(response, self.policy).box] += 1

    def summary(self) -> dict[str, Any]:
        by_rating = {str(rating): count for rating, count in sorted(self.ratings.items())}
        boxes = {str(box): count for box, count in self.boxes.items()}
        named = {"source": self.source, "rows": self.rows, "sent": self.sent, "unrated": self.unrated}
        return {**named, "by_box": boxes, "by_rating": by_rating, "unreadable": self.unreadable}

    def tell(self, dry_run: bool) -> None:
        boxes = ", ".join(f"{box} {count}" for box, count in self.boxes.items())
        done = "read" if dry_run else "sent"
        count = self.ratings.total() if dry_run else self.sent
        click.echo(f"{self.rows} rows of {self.source}: {count} {done} ({boxes})")
        if self.unrated:
            click.echo(f"{self.unrated} without a rating were passed over")
        for each in self.unreadable[:TOLD]:
            click.echo(f"line {each['line']}: {_reason_in(each)}", err=True)
        if len(self.unreadable) > TOLD:
            click.echo(f"and {len(self.unreadable) - TOLD} more; --json lists them all", err=True)

    def check(self, file: Path) -> None:
        """Raises Misconfigured when nothing was read: a wrong file or source should not look like a quiet day."""
        if self.rows == 0:
            raise Misconfigured(f"{file.name} has no rows; looked for answers that source {self.source} can read")
        if self.unrated and not self.ratings and not self.unreadable:
            raise Misconfigured(f"no row of {file.name} has a rating where source {self.source} looks for it")
        if len(self.unreadable) == self.rows:
            first = self.unreadable[0]
            raise Misconfigured(
                f"no row of {file.name} can be read by source {self.source}; the first, on line {first['line']}, is "
                f"{_reason_in(first)}: {self.first_detail}"
            )


def _reason_in(bad: dict[str, Any]) -> str:
    return f"{bad['reason']} ({bad['field']})" if bad["field"] else str(bad["reason"])


async def _publish(
    with_settings: Settings, rows: Iterator[FileRow], count: _Count, rate: float | None, dry_run: bool
) -> None:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("reading" if dry_run else "sending", total=None)

        def show() -> None:
            progress.update(bar, completed=count.rows)

        if dry_run:
            for row in rows:
                count.read(row)
                if count.rows % CHUNK == 0:
                    show()
            return
        async with wiring.open_producer(with_settings) as producer:
            await _send_all(producer, with_settings.topics[0], rows, count, rate, show)


async def _send_all(
    producer: Producer,
    topic: str,
    rows: Iterator[FileRow],
    count: _Count,
    rate: float | None,
    show: Callable[[], None],
) -> None:
    """What was read before a file breaks off is sent."""
    started = time.monotonic()
    chunk: list[OutRecord] = []
    try:
        for row in rows:
            count.read(row)
            if isinstance(row, Sendable):
                chunk.append(OutRecord(topic=topic, key=row.key, value=row.value, headers=row.headers))
            if len(chunk) >= (1 if rate else CHUNK):
                await _send(producer, chunk, count)
                show()
                if rate:
                    await asyncio.sleep(max(0.0, started + count.sent / rate - time.monotonic()))
    except Misconfigured:
        await _send(producer, chunk, count)
        raise
    await _send(producer, chunk, count)


async def _send(producer: Producer, chunk: list[OutRecord], count: _Count) -> None:
    if chunk:
        await producer.send(chunk)
        count.sent += len(chunk)
        chunk.clear()


commands: tuple[click.Command, ...] = (publish,)
