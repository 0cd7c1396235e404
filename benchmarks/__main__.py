"""`python -m benchmarks [NAME ...] [--quick] [--json]`: runs benchmarks one after another and prints what they found.

`python -m benchmarks --page docs/performance.md < runs` writes the page of such runs, and measures nothing.
"""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop

from benchmarks import audit, claim, growth, insights, intake, latency, memory, mixed, profile, rest, scrape, slope
from benchmarks.machine import this_machine
from benchmarks.page import Run, make_page, read_runs, write_page
from benchmarks.peers import side_by_side
from benchmarks.results import Findings, render
from tests.parts.kafka_jars import missing_kafka
from tests.parts.postgres import missing_postgres

ALL: dict[str, Callable[[bool], Awaitable[Findings]]] = {
    "intake": intake.run,
    "peers": side_by_side.run,
    "latency": latency.run,
    "claim": claim.run,
    "rest": rest.run,
    "growth": growth.run,
    "mixed": mixed.run,
    "memory": memory.run,
    "slope": slope.run,
    "profile": profile.run,
    "audit": audit.run,
    "scrape": scrape.run,
    "insights": insights.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(ALL)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small and short, to see that they work")
    parser.add_argument(
        "--json", action="store_true", help="a line for each on standard output, tables on standard error"
    )
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page of the runs on standard input")
    given = parser.parse_args()
    if given.page:
        write_page(make_page(read_runs(sys.stdin), given.page.stem), given.page)
        return
    if unknown := sorted(set(given.names) - set(ALL)):
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(ALL)}")
    if missing := missing_postgres() or missing_kafka():
        parser.error(missing)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    gc.set_threshold(100_000, 20, 100)  # as the service does
    uvloop.run(_run(given.names or list(ALL), given.quick, given.json))


async def _run(names: list[str], quick: bool, as_json: bool) -> None:
    progress = sys.stderr if as_json else sys.stdout
    for name in names:
        print(f"... {name}", file=sys.stderr, flush=True)
        machine, at = this_machine(), f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
        print(", ".join(f"{what} {value}" for what, value in msgspec.structs.asdict(machine).items()), file=progress)
        found = await ALL[name](quick)
        print(render(found), "\n", file=progress, flush=True)
        if as_json:
            print(msgspec.json.encode(Run(at=at, quick=quick, machine=machine, findings=found)).decode(), flush=True)


if __name__ == "__main__":
    main()
