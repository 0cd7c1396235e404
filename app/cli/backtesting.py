"""Commands that try a policy on stored answers: another one before it is in force, and each of its rules."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from alerts.document import written_line
from alerts.errors import Misconfigured
from alerts.learning.backtest import Backtest, Comparison, PolicyTally
from alerts.learning.lint import LEAST, Linter
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.learning.backtesting import replay_answers
from alerts.policy import Policy, read_policy
from app import wiring
from app.cli.output import as_json, moment, print_json, settings, table, wait_for
from app.settings import Settings

DAYS = timedelta(days=28)


@click.command(epilog="Example: bottombox backtest stricter.yaml --since 2026-11-01T00:00:00Z")
@click.argument("policy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--since", help="Answers received from then on; default 28 days before the end.")
@click.option("--until", help="Answers received before then; default now.")
@as_json
def backtest(policy: Path, since: str | None, until: str | None, as_json: bool) -> None:
    """What another policy would have opened, joined, routed and ranked, beside the one in force. Writes nothing."""
    chosen = settings()
    other = read_given_policy(policy)
    begin, end = (None if text is None else moment(text) for text in (since, until))
    result = wait_for(_compare(chosen, other, begin, end))
    if as_json:
        print_json(result)
        return
    click.echo(f"{result.answers} answers")
    table(("", "now", "then"), _rows(result.now, result.then))
    click.echo(
        f"added {result.added}, removed {result.removed}, to another queue or priority {result.moved}, "
        f"to another place in the order {result.reranked}"
    )


def read_given_policy(path: Path) -> Policy:
    """A policy file that a command names. Raises Misconfigured, BadDocument."""
    try:
        return read_policy(path.read_text(encoding="utf-8"), file=path.name)
    except (OSError, UnicodeDecodeError):
        raise Misconfigured("the policy file cannot be read; name a text file") from None


async def _compare(chosen: Settings, other: Policy, since: datetime | None, until: datetime | None) -> Backtest:
    compared = Comparison(wiring.load_policy(chosen.policy_file), other)
    async with wiring.open_database(chosen, pool_size=1, command_seconds=None) as engine:
        async with transaction(engine) as connection:
            end = until or await ledger_now(connection)
        held = await replay_answers(engine, since or end - DAYS, end, compared.take)
    return compared.result(held)


def _rows(now: PolicyTally, then: PolicyTally) -> list[tuple[object, ...]]:
    queues = dict.fromkeys([*now.by_queue, *then.by_queue])
    priorities = sorted({*now.by_priority, *then.by_priority})
    return [
        ("callbacks", now.callbacks, then.callbacks),
        ("joined", now.joined, then.joined),
        *((f"queue {name}", now.by_queue.get(name, 0), then.by_queue.get(name, 0)) for name in queues),
        *((f"priority {name}", now.by_priority.get(name, 0), then.by_priority.get(name, 0)) for name in priorities),
        ("advisor hours", now.agent_hours, then.agent_hours),
    ]


@click.command(epilog="Example: bottombox lint stricter.yaml --days 14")
@click.argument("policy", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 365), help="How far back to look.")
@as_json
def lint(policy: Path | None, days: int, as_json: bool) -> None:
    """Which rules of a policy (default: the one in force) matched nothing, match everything, or can never be reached."""
    chosen = settings()
    file = policy or chosen.policy_file
    linter = Linter(wiring.load_policy(chosen.policy_file) if policy is None else read_given_policy(policy))
    wait_for(_look_through(chosen, linter, timedelta(days=days)))
    text = "" if file is None else file.read_text(encoding="utf-8")
    found = [(written_line(text, each.place), each) for each in linter.idle()]
    if as_json:
        items = [{**msgspec.to_builtins(each), "line": line} for line, each in found]
        print_json({"ok": not found, "answers": linter.answers, "items": items})
    else:
        few = f", fewer than {LEAST}: nothing is said that rests on them" if linter.answers < LEAST else ""
        click.echo(f"{linter.answers} bad answers in {days} days{few}")
        for line, each in found:
            place = "" if line is None or file is None else f"{file.name}:{line}: "
            click.echo(f"{place}{each.path}: {each.problem} ({each.matched} of {each.of}); {each.remedy}")
    sys.exit(1 if found else 0)


async def _look_through(chosen: Settings, linter: Linter, back: timedelta) -> None:
    async with wiring.open_database(chosen, pool_size=1, command_seconds=None) as engine:
        async with transaction(engine) as connection:
            now = await ledger_now(connection)
        await replay_answers(engine, now - back, now, linter.take)


commands: tuple[click.Command, ...] = (backtest, lint)
