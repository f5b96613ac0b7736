"""Can analysts read while builds are published? Errors, mixed builds, latency, beside writing in place.

    python benchmarks/readers.py [--readers 50] [--builds 3] [--thinking 1]

Readers are processes that open the warehouse read-only, ask for the recommended hardware of a workload
and close it, again and again with some seconds between on average. Meanwhile real builds of the bundled
measurements are published, each of some more rows. The peer has the same readers and tables, and a
writer that makes the tables anew in the file that they read, one after the other, as dbt does.

A read is mixed if what the build says of its tables is not what is in them.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from bundled import COMMAND, environment, write_rows

from pipelines.sql import identifier

QUESTION = """\
select
    workload, hardware, prob_best,
    (select max(build_id) from analytics.builds) as build_id,
    (select row_counts['analytics.measurements'] from analytics.builds order by build_id desc limit 1),
    (select count(*) from analytics.measurements)
from analytics.hardware_recommendations
where objective = 'throughput' and rank = 1
order by random()
limit 1
"""


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--builds", type=int, default=3)
    parser.add_argument("--thinking", type=float, default=1.0, help="Seconds between questions.")
    parser.add_argument("--read", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read_until(*options.read, options.thinking)))
        return
    print(
        "| published by | readers | builds seen | reads | errors | mixed | median ms | p99 ms |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    with TemporaryDirectory() as folder:
        home = Path(folder)
        build(home, 0)
        database = home / "warehouse" / "current" / "benchmart.duckdb"
        made = []
        in_place = home / "in_place.duckdb"
        shutil.copyfile(database, in_place)
        in_place.chmod(0o644)
        with Readers(database, options.readers, options.thinking, home / "stop") as readers:
            for number in range(1, options.builds + 1):
                build(home, number)
                made.append(shutil.copytree(database.parent / "parquet", home / f"made_{number}"))
        print(readers.row("benchmart: staging, link"), flush=True)
        seconds = readers.seconds
        stop = home / "stop_in_place"
        with Readers(in_place, options.readers, options.thinking, stop) as readers:
            for parquet in made:
                time.sleep(seconds / options.builds)
                write_in_place(in_place, parquet)
        print(readers.row("a writer in place"), flush=True)


def build(home: Path, number: int) -> None:
    """Build from most of the bundled measurements, in each build of some more of them."""
    write_rows(home, held_back=100 - 30 * number)
    subprocess.run([COMMAND, "build"], env=environment(home), check=True, capture_output=True)


def write_in_place(database: Path, parquet: Path) -> None:
    """Make every table of `analytics` anew; wait for readers as long as it takes."""
    for path in sorted(parquet.glob("*.parquet")):
        while True:
            try:
                with duckdb.connect(str(database)) as con:
                    rows = con.read_parquet(str(path))
                    con.register("fresh", rows)
                    table = f"analytics.{identifier(path.stem)}"
                    con.execute(f"create or replace table {table} as select * from fresh")
                break
            except duckdb.IOException:  # a reader has it
                time.sleep(0.002)


class Readers:
    """Processes that read until they are told to stop."""

    def __init__(self, database: Path, count: int, thinking: float, stop: Path) -> None:
        self.count, self.stop = count, stop
        self.command = [sys.executable, __file__, "--read", database, stop]
        self.command += ["--thinking", str(thinking)]
        self.found: list[dict] = []

    def __enter__(self) -> Readers:
        self.running = [
            subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
            for _ in range(self.count)
        ]
        self.started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.started
        self.stop.touch()
        self.found = [json.loads(each.communicate(timeout=300)[0]) for each in self.running]

    def row(self, name: str) -> str:
        """What came of it, as a row of the table."""
        latencies = np.concatenate([found["latencies"] for found in self.found]) * 1000
        reads = sum(found["reads"] for found in self.found)
        errors = sum(found["errors"] for found in self.found)
        builds = {build for found in self.found for build in found["builds"]}
        median, p99 = np.quantile(latencies, [0.5, 0.99])
        return (
            f"| {name} | {self.count} | {len(builds)} | {reads} | {errors}"
            f" ({100 * errors / reads:.2g} %) | {sum(found['mixed'] for found in self.found)}"
            f" | {median:.0f} | {p99:.0f} |"
        )


def read_until(database: Path, stop: Path, thinking: float) -> dict:
    """Ask until a file is there."""
    reads, errors, mixed, builds, latencies = 0, 0, 0, set(), []
    while not stop.exists():
        time.sleep(thinking * random.expovariate(1.0))
        reads += 1
        started = time.perf_counter()
        try:
            with duckdb.connect(str(database), read_only=True) as con:
                ((*_, build_id, stated, counted),) = con.sql(QUESTION).fetchall()
        except (duckdb.Error, OSError):
            errors += 1
            continue
        latencies.append(time.perf_counter() - started)
        builds.add(build_id)
        mixed += stated != counted
    return {
        "reads": reads,
        "errors": errors,
        "mixed": mixed,
        "builds": sorted(builds),
        "latencies": latencies,
    }


if __name__ == "__main__":
    main()
