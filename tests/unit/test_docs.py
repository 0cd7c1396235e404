"""The documentation is true: what the program has is described, what is described is there, and examples work."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from alerts import flags
from alerts.arrival import Answer, RecordOutcome
from alerts.conditions import When
from alerts.document import Section
from alerts.errors import Refused
from alerts.event import EventKind
from alerts.policy import Policy, Slot, read_policy, shipped_policy
from alerts.scale import Scale
from alerts.survey import EVENT_TYPE
from app.api.http.problems import PROBLEMS
from app.cli import program
from app.metrics import Metrics
from app.metrics.registry import HTTP, LATENCY, WORK
from app.settings import NOT_THERE_YET, PREFIX, Settings
from consumers.intake.reason import DeadLetterReason
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import Catalogue
from consumers.sources.examples import run_examples
from consumers.sources.rule import Rule
from consumers.sources.source import Source, read_source
from tests.parts.openapi import openapi

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SHARED = {When: "when", Slot: "slot", Rule: "rule"}
"""Sections that stand in several places of a file; each is described once, under this name."""

CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Written apart, so that this file names none itself.
HOSTS = (
    *("pypi org", "pythonhosted org", "npmjs org", "npmjs com", "crates io", "rubygems org", "proxy golang org"),
    *("maven org", "maven apache org/maven2", "mvnrepository com"),
)
REGISTRIES = re.compile("|".join(host.replace(" ", "[.]") for host in HOSTS) + r"|(extra-)?index-url[ =]+https?:")
MACHINE_PATHS = re.compile(r"(?<![\w.:/}-])/(work\b|root/|Users/[a-z]+/|home/[a-z]+/)")


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of every row below a heading cell of that name, in all tables of a page that have it first."""
    rows: list[list[str]] = []
    is_wanted = False
    for line in (DOCS / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            is_wanted = False
        elif set(line) <= set("|- "):
            continue
        elif cells[0] == heading:
            is_wanted = True
        elif is_wanted:
            rows.append(cells)
    return rows


def words(cell: str) -> list[str]:
    return CODE.findall(cell)


def named(page: str, heading: str, column: int = 0) -> list[str]:
    """The first word of code in a column of a table."""
    return [words(row[column])[0] for row in table(page, heading)]


def pages() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def written(default: Any) -> str | None:
    """How a page writes a default; None for one that it may put in words."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None:
        return "none"
    if default == "":
        return "empty"
    if isinstance(default, bool):
        return f"`{default}`".lower()
    return f"`{default}`" if isinstance(default, (int, float, str)) else None


def check_default(name: str, cell: str, field: FieldInfo) -> None:
    expected = "required" if field.is_required() else written(field.default)
    assert expected is None or cell == expected, f"{name} has the default {expected}, its page says {cell}"


# -- settings


def test_every_setting_is_described_with_its_default() -> None:
    described = {row[0].strip("`"): row[1] for row in table("settings.md", "setting")}
    fields = {PREFIX + name.upper(): field for name, field in Settings.model_fields.items() if name != "secrets"}
    assert set(described) == set(fields)
    for name, field in fields.items():
        check_default(name, described[name], field)
    page = (DOCS / "settings.md").read_text()
    assert "`BOTTOMBOX_SECRET_<NAME>`" in page
    yet_to_come = page.partition("## Not there yet")[2].partition("\n## ")[0]
    assert set(re.findall(r"`BOTTOMBOX_(\w+)`", yet_to_come)) == NOT_THERE_YET


# -- files that people write


def parts(section: type[Section], prefix: str = "", seen: set[type[Section]] | None = None) -> dict[str, FieldInfo]:
    """Every member of a section and of the sections within it, by its place in the file."""
    seen = set() if seen is None else seen
    found: dict[str, FieldInfo] = {}
    for name, field in section.model_fields.items():
        place = f"{prefix}{field.alias or name}"
        if prefix or section not in SHARED:
            found[place] = field
        for inner in sections_in(field.annotation):
            if inner not in SHARED:
                found |= parts(inner, f"{place}.", seen)
            elif inner not in seen:
                seen.add(inner)
                found |= parts(inner, f"{SHARED[inner]}.", seen)
    return found


def sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from sections_in(inner)


@pytest.mark.parametrize(("page", "model"), [("policy.md", Policy), ("sources.md", Source)])
def test_every_part_of_a_file_is_described_with_its_default(page: str, model: type[Section]) -> None:
    described = {row[0].strip("`"): row[1] for row in table(page, "part")}
    fields = parts(model)
    assert set(described) == set(fields)
    for place, field in fields.items():
        check_default(place, described[place], field)


def test_what_the_policy_page_calls_a_default_is_also_what_is_shipped() -> None:
    exceptions = ("scoring.reasons", "scoring.no_call", "causes.skill", "causes.operations", "checklist")
    text = (DOCS / "policy.md").read_text()
    shipped, default = flat(shipped_policy().model_dump()), flat(Policy().model_dump())
    differing = {place for place in shipped if place not in default or shipped[place] != default[place]}
    assert {re.sub(r"^(scoring\.no_call)\..*", r"\1", place) for place in differing} == set(exceptions)
    assert all(f"`{place}`" in text for place in exceptions)


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in value.items():
        found |= flat(each, f"{prefix}{name}.") if isinstance(each, dict) and each else {prefix + name: each}
    return found


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def test_the_examples_of_policies_are_policies() -> None:
    examples = blocks("policy.md", "yaml")
    assert examples
    for text in examples:
        read_policy(text, file="policy.md")


def test_the_example_of_a_source_passes_its_own_examples() -> None:
    (text,) = (text for text in blocks("sources.md", "yaml") if text.startswith("name: acme"))
    results = run_examples(read_source(text, file="acme.yaml"))
    assert [result.differences for result in results] == [(), ()]


# -- surveys in


def test_the_example_of_an_event_is_an_answer_without_a_flaw() -> None:
    (text,) = blocks("surveys.md", "json")
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    reading = read_record(Record("surveys", 0, 0, -1, None, text.encode()), Catalogue(), now)
    assert isinstance(reading, Answer)
    assert reading.response.rating == 2
    assert reading.response.customer.phone == "+442079460067"
    assert reading.response.flags == ()
    assert EVENT_TYPE in text


def test_every_outcome_and_every_reason_of_a_dead_letter_is_described() -> None:
    assert named("surveys.md", "outcome") == list(RecordOutcome)
    assert named("surveys.md", "reason") == list(DeadLetterReason)


def test_every_flag_of_an_answer_is_described() -> None:
    described = {word for row in table("surveys.md", "flag") for word in words(row[0])}
    fixed = {value for name, value in vars(flags).items() if name.isupper()}
    assert described == {*fixed, flags.dropped("<path>"), flags.cut("<path>")}


def test_the_table_of_scales_is_what_the_code_does() -> None:
    rows = table("surveys.md", "scale")
    assert rows
    for title, *cells in rows:
        worst, best = map(int, re.findall(r"\d+", title))
        for points, cell in enumerate(cells, start=1):
            ends = [int(end) for end in cell.split("-")]
            ratings = set(range(ends[0], ends[-1] + 1))
            scale = Scale(worst, best)
            every = range(min(worst, best), max(worst, best) + 1)
            assert ratings == {rating for rating in every if scale.points(rating) == points}, title


# -- metrics


def metrics() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name -> (type, labels) of everything in the registry."""
    held = Metrics()
    rooms = [
        held.registry,
        held.callbacks,
        held.intake,
        held.audit,
        held.http,
        held.learning,
        held.process,
        held.webhooks,
    ]
    collectors: list[Any] = [each for room in rooms for each in vars(room).values()]
    collectors += held.callbacks.durations.values()
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for each in collectors:
        if isinstance(each, MetricWrapperBase):
            (family,) = each.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name] = (family.type, tuple(each._labelnames))
    names = {family.name for family in held.registry.collectors.collect()} - {"bottombox_build"}
    assert names == {name.removesuffix("_total") for name in found}, "a metric is not an attribute of its room"
    return found | {"bottombox_build_info": ("gauge", ("version",))}


def test_every_metric_is_described_with_its_type_and_labels() -> None:
    described = {words(row[0])[0]: (row[1], tuple(words(row[2]))) for row in table("metrics.md", "metric")}
    assert described == metrics()


def test_the_buckets_are_those_of_the_code() -> None:
    described = [tuple(map(float, row[1].split())) for row in table("metrics.md", "for")]
    assert described == [LATENCY, WORK, HTTP]


def test_the_page_of_metrics_writes_bounds_as_the_metrics_do() -> None:
    held = Metrics()
    held.intake.alert_latency.labels("cloudevents").observe(1)
    page = held.registry.page(None)[0].decode()
    shown = set(re.findall(r'^bottombox_alert_latency_seconds_bucket.*?le="([^"]+)"', page, re.MULTILINE))
    queried = re.findall(r'bucket\{le="([^"]+)"\}', (DOCS / "metrics.md").read_text())
    assert queried
    assert set(queried) <= shown


# -- commands


def verbs(group: click.Group, prefix: str = "bottombox") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def test_every_command_is_described_with_all_its_options() -> None:
    described = {verb_of(text): text for text in named("commands.md", "command")}
    found = dict(verbs(program))
    assert set(described) == set(found)
    for verb, command in found.items():
        options = {text for option in command.params if isinstance(option, click.Option) for text in option.opts}
        assert set(re.findall(r"--[a-z-]+", described[verb])) == options, verb


def verb_of(usage: str) -> str:
    """The words before the first argument or option."""
    match = re.match(r"[a-z -]*[a-z](?= |$)", usage)
    assert match is not None
    return match.group()


def test_every_command_has_an_example_that_names_it() -> None:
    for verb, command in verbs(program):
        assert command.epilog is not None, verb
        assert verb in command.epilog, verb


# -- REST, and events out


def test_every_route_is_described_with_its_scope() -> None:
    described = {(row[0], words(row[1])[0], words(row[2])[0]) for row in table("rest.md", "method")}
    routes = {
        (method.upper(), path, operation["x-scope"])
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
    }
    assert described == routes


def test_every_problem_code_is_described_with_its_status() -> None:
    described = {words(row[1])[0]: int(row[0]) for row in table("rest.md", "status")}
    assert described == {code: status for code, (status, _) in PROBLEMS.items()}
    assert {error.code for error in family(Refused)} <= set(described)


def family(error: type[Refused]) -> set[type[Refused]]:
    return {error, *(each for heir in error.__subclasses__() for each in family(heir))}


def test_every_kind_of_event_is_described_as_leaving_the_house_or_staying() -> None:
    leaving = [f"bottombox.callback.{kind}" for kind in EventKind if kind.published]
    assert named("events.md", "type") == leaving
    assert named("events.md", "kind") == [kind for kind in EventKind if not kind.published]


# -- all pages, and all files


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages()
        for link in LINK.findall(page.read_text())
        if not link.startswith(("http://", "https://")) and not leads_somewhere(page, link)
    ]
    assert not broken


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not heading or heading in map(anchor, re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE))


def anchor(heading: str) -> str:
    """As Git hosts make them: small letters, spaces become hyphens, other signs go."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_decision_is_in_the_index_under_its_title() -> None:
    files = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    linked = LINK.findall((DOCS / "decisions" / "README.md").read_text())
    assert files
    assert sorted(set(linked)) == files
    for name in files:
        assert (DOCS / "decisions" / name).read_text().startswith(f"# {name[:4]}: ")


def test_every_direct_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    names = {re.split(r"[\[<>=~!; ]", each)[0].lower() for each in asked}
    assert set(named("decisions/0002-dependencies.md", "package")) == names


def sources() -> Iterable[Path]:
    """Every file that somebody wrote, but this one, which has to name what it looks for."""
    kept = {".md", ".py", ".toml", ".yaml", ".yml", ".mako", ".xml", ".lock", ".json", ".sh", ""}
    folders = (
        "alerts",
        "app",
        "benchmarks",
        "consumers",
        "deploy",
        "docs",
        "migrations",
        "requirements",
        "tests",
        ".ci",
    )
    found = [*ROOT.iterdir(), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    return (path for path in found if path.is_file() and path.suffix in kept and path != Path(__file__))


@pytest.mark.parametrize("forbidden", [REGISTRIES, MACHINE_PATHS], ids=["a package registry", "a machine's path"])
def test_no_file_names(forbidden: re.Pattern[str]) -> None:
    naming = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if forbidden.search(line)
    ]
    assert not naming
