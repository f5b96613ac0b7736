"""A whole build of millions of native measurements: CPU seconds, wall time, peak memory and disk.

    python benchmarks/scale.py [--rows 100000 1000000 10000000] [--configurations 50000]

The rows are what a nightly suite would have measured: the bundled measurements, each with further batch
sizes, and every configuration again with every version of its framework, as far apart as repeats are
(1 %). Every number of rows is built in an empty directory by a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

# nothing large is loaded here: a process counts the peak of the one that starts it as its own
from build_time import timed
from bundled import BUNDLED, COMMAND, ONE_MACHINE

NOISE = 0.01
COUNTED = ("measurements", "configurations", "candidates", "learned")
TOOK = ("CPU s", "wall s", "peak MiB", "database MiB", "seconds by stage")
HEADER = f"| {' | '.join((*COUNTED, *TOOK))} |\n{'|---' * 9}|"
REPORT = """
import json, sys
from pathlib import Path
from pipelines.published import connect_published
with connect_published(Path(sys.argv[1])) as con:
    stages = con.sql("select seconds from analytics.builds").fetchall()[0][0]
    sample = "select sum(measurements), sum(configurations), sum(measurements_learned)"
    measured, configurations, learned = con.sql(f"{sample} from analytics.training_sample").fetchall()[0]
    candidates = con.sql("select count(*) from features.candidate_features").fetchall()[0][0]
counts = [measured, configurations, candidates, learned]
print(json.dumps({"counts": [int(each) for each in counts], "stages": stages}))
"""


def main() -> None:
    """Print one Markdown table, a row for each number of measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--configurations", type=int, default=50_000)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_rows(options.write, options.rows[0], options.configurations)
        return
    print(HEADER)
    for rows in options.rows:
        with TemporaryDirectory() as folder:
            raw = Path(folder) / "raw" / "benchmart"
            raw.mkdir(parents=True)
            write = [sys.executable, __file__, "--write", raw, "--rows", str(rows)]
            write += ["--configurations", str(options.configurations)]
            subprocess.run(write, check=True)
            print(built(Path(folder)), flush=True)


def built(home: Path, *arguments: object) -> str:
    """Build in a home, and say what it took in a row of the table."""
    cost = timed([COMMAND, "build", *arguments], home)
    report = [sys.executable, "-c", REPORT, home / "warehouse"]
    said = json.loads(subprocess.run(report, check=True, capture_output=True).stdout)
    size = (home / "warehouse" / "current" / "benchmart.duckdb").stat().st_size / 2**20
    counts = " | ".join(f"{each:,}" for each in said["counts"])
    stages = ", ".join(f"{name} {seconds:.0f}" for name, seconds in said["stages"].items())
    took = " | ".join(f"{each:,.0f}" for each in (*cost, size))
    return f"| {counts} | {took} | {stages} |"


def write_rows(directory: Path, rows: int, configurations: int) -> None:
    """`nightly.parquet`, and the facts of devices and models beside it."""
    import numpy as np
    import pandas as pd

    for name in ("hardware.csv", "models.csv"):
        (directory / name).write_bytes((BUNDLED / name).read_bytes())
    bundled = pd.read_csv(ONE_MACHINE)
    bundled = bundled[bundled["status"] == "ok"].reset_index(drop=True)
    number = np.arange(rows)
    night, configuration = number // configurations, number % configurations
    table = bundled.iloc[configuration % len(bundled)].reset_index(drop=True)
    larger = table["batch_size"] + table["batch_size"].max() * (configuration // len(bundled))
    table["latency_ms"] *= larger / table["batch_size"]
    table["batch_size"] = larger
    table["framework_version"] = [f"2.{each}" for each in night]
    table["run_id"] = number.astype(str)
    apart = np.exp(NOISE * np.random.default_rng(0).standard_normal(rows))
    table["throughput"], table["latency_ms"] = (
        table["throughput"] * apart,
        table["latency_ms"] / apart,
    )
    kept = ["run_id", "model_name", "model_type", "hardware", "framework", "framework_version"]
    kept += ["precision", "batch_size", "input_length", "output_length", "image_size", "status"]
    kept += ["throughput", "throughput_unit", "latency_ms", "memory_mb", "measured_at"]
    table[kept].to_parquet(directory / "nightly.parquet", index=False)


if __name__ == "__main__":
    main()
