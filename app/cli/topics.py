"""Commands about Kafka's topics, and the check of everything a person has written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from alerts.calling_hours.geography import zone_data_version
from alerts.document import BadDocument, Problem
from alerts.errors import Misconfigured
from alerts.ledger.connection.opening import complaints
from app.cli.output import as_json, print_json, settings, wait_for
from app.settings import ENVIRONMENT, PREFIX, read_settings
from app.wiring import check_hydrate_hosts, load_policy, topic_plans
from consumers.kafka.topics import check_topics, create_topics
from consumers.sources.catalogue import load_catalogue
from consumers.sources.doors import closed_doors, open_doors

T = TypeVar("T")


@click.group()
def topics() -> None:
    """The topics that the settings name."""


@topics.command("create", epilog="Example: bottombox topics create")
@as_json
def create(as_json: bool) -> None:
    """Makes the topics that are missing, leaving existing ones alone."""
    with_settings = settings()
    plans = topic_plans(with_settings, load_catalogue(with_settings.sources_dir))
    made = wait_for(create_topics(with_settings.kafka, plans))
    if as_json:
        print_json({"created": made, "existing": [plan.name for plan in plans if plan.name not in made]})
        return
    for plan in plans:
        click.echo(f"{plan.name}: {'made' if plan.name in made else 'was there'}")


@topics.command("check", epilog="Example: bottombox topics check")
@as_json
def check(as_json: bool) -> None:
    """Partitions, retention, and the size of record that the dead-letter topic takes."""
    with_settings = settings()
    plans = topic_plans(with_settings, load_catalogue(with_settings.sources_dir))
    problems = wait_for(check_topics(with_settings.kafka, plans))
    if as_json:
        print_json({"ok": not problems, "problems": problems})
    for each in [] if as_json else problems:
        click.echo(f"{each.topic}: {each.problem}; {each.remedy}")
    if not problems and not as_json:
        click.echo(f"{len(plans)} topics are as they should be")
    sys.exit(1 if problems else 0)


@click.command("check", epilog="Example: bottombox check --json")
@as_json
def check_all(as_json: bool) -> None:
    """Settings, policy, sources and, if it answers, the database: every mistake with its file, line and remedy."""
    problems, notes = _problems()
    if as_json:
        told = [each.model_dump() for each in problems]
        print_json({"ok": not problems, "problems": told, "notes": notes, "zone_data": zone_data_version()})
    for each in [] if as_json else problems:
        click.echo(str(each))
    for note in [] if as_json else notes:
        click.echo(f"note: {note}")
    if not problems and not as_json:
        click.echo(f"settings, policy and sources can be used; time zones as of {zone_data_version()}")
    sys.exit(1 if problems else 0)


def _problems() -> tuple[list[Problem], list[str]]:
    """What must be mended, and what is only worth knowing."""
    notes: list[str] = []
    with_settings, problems = _try(lambda: read_settings(os.environ))
    if with_settings is not None:
        problems += _try(lambda: load_policy(with_settings.policy_file))[1]
        catalogue, mistakes = _try(lambda: load_catalogue(with_settings.sources_dir))
        problems += mistakes
        if catalogue is not None:
            problems += _try(lambda: open_doors(catalogue, with_settings.plain_secrets))[1]
            problems += _try(lambda: check_hydrate_hosts(with_settings, catalogue))[1]
            notes = closed_doors(catalogue, with_settings.plain_secrets)
        found = wait_for(complaints(with_settings.database_url_now()))
        problems += [_of_settings(f"{PREFIX}DATABASE_URL: {sentence}") for sentence in found]
    return problems, notes


def _try(read: Callable[[], T]) -> tuple[T | None, list[Problem]]:
    """What was read, or every mistake in it."""
    try:
        return read(), []
    except BadDocument as error:
        return None, error.problems
    except Misconfigured as error:  # one sentence: what is wrong; what to do
        return None, [_of_settings(str(error))]


def _of_settings(sentence: str) -> Problem:
    problem, _, remedy = sentence.partition("; ")
    return Problem(file=ENVIRONMENT, line=0, problem=problem, remedy=remedy or "correct the value")


commands: tuple[click.Command, ...] = (topics, check_all)
