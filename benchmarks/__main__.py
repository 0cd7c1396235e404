"""`python -m benchmarks [NAME ...] [--quick] [--json]`: runs benchmarks one after another and prints what they found."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from collections.abc import Awaitable, Callable

import msgspec
import uvloop

from benchmarks import audit, claim, insights, intake, latency, scrape
from benchmarks.machine import this_machine
from benchmarks.results import Findings, render
from tests.parts.kafka_jars import missing_kafka
from tests.parts.postgres import missing_postgres

ALL: dict[str, Callable[[bool], Awaitable[Findings]]] = {
    "intake": intake.run,
    "latency": latency.run,
    "claim": claim.run,
    "audit": audit.run,
    "scrape": scrape.run,
    "insights": insights.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(ALL)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small and short, to see that they work")
    parser.add_argument("--json", action="store_true", help="one object on standard output, progress on standard error")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(ALL)):
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(ALL)}")
    if missing := missing_postgres() or missing_kafka():
        parser.error(missing)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    gc.set_threshold(100_000, 20, 100)  # as the service does
    uvloop.run(_run(given.names or list(ALL), given.quick, given.json))


async def _run(names: list[str], quick: bool, as_json: bool) -> None:
    machine = this_machine()
    progress = sys.stderr if as_json else sys.stdout
    print(", ".join(f"{name} {value}" for name, value in msgspec.structs.asdict(machine).items()), file=progress)
    found = []
    for name in names:
        print(f"... {name}", file=sys.stderr, flush=True)
        found.append(await ALL[name](quick))
        print(render(found[-1]), "\n", file=progress, flush=True)
    if as_json:
        whole = {"machine": machine, "quick": quick, "benchmarks": found}
        print(msgspec.json.encode(whole).decode())


if __name__ == "__main__":
    main()
