"""Commands about Kafka's topics, and the check of everything a person has written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from alerts.document import BadDocument, Problem
from alerts.errors import Misconfigured
from alerts.ledger.connecting import complaints
from app.cli.telling import answer, as_json, settings, wait_for
from app.settings import read_settings
from app.wiring import load_policy, topic_plans
from consumers.sources.catalogue import load_catalogue
from consumers.topics import check_topics, create_topics


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
        answer({"created": made, "existing": [plan.name for plan in plans if plan.name not in made]})
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
        answer({"ok": not problems, "problems": problems})
    for each in [] if as_json else problems:
        click.echo(f"{each.topic}: {each.problem}; {each.remedy}")
    if not problems and not as_json:
        click.echo(f"{len(plans)} topics are as they should be")
    sys.exit(1 if problems else 0)


@click.command("check", epilog="Example: bottombox check --json")
@as_json
def check_all(as_json: bool) -> None:
    """Settings, policy, sources and, if it answers, the database: every mistake with its file, line and remedy."""
    problems = _problems()
    if as_json:
        answer({"ok": not problems, "problems": [each.model_dump() for each in problems]})
    for each in [] if as_json else problems:
        click.echo(str(each))
    if not problems and not as_json:
        click.echo("settings, policy and sources can be used")
    sys.exit(1 if problems else 0)


def _problems() -> list[Problem]:
    try:
        with_settings = read_settings(os.environ)
    except Misconfigured as error:
        return [_of_environment(sentence) for sentence in str(error).split("; BOTTOMBOX_")]
    problems: list[Problem] = []
    readers: tuple[Callable[[], Any], ...] = (
        lambda: load_policy(with_settings.policy_file),
        lambda: load_catalogue(with_settings.sources_dir),
    )
    for read in readers:
        try:
            read()
        except BadDocument as error:
            problems += error.problems
        except Misconfigured as error:
            problems.append(_of_environment(str(error)))
    found = wait_for(complaints(with_settings.database_url_now()))
    return [*problems, *(_of_environment(f"BOTTOMBOX_DATABASE_URL: {sentence}") for sentence in found)]


def _of_environment(sentence: str) -> Problem:
    problem, _, remedy = sentence.partition("; ")
    named = problem if problem.startswith("BOTTOMBOX_") else f"BOTTOMBOX_{problem}"
    return Problem(file="environment", line=0, problem=named, remedy=remedy or "correct the value")


commands: tuple[click.Command, ...] = (topics, check_all)
