"""How fast rows load, and in how much memory: the warehouse beside plain pandas with the same checks.

    python benchmarks/ingest.py [--rows 1000000]

The rows are the bundled measurements over and over, each copy with a batch size of its own and a value
that differs by its number, with one exact duplicate and one impossible row in a hundred. Each loader
runs in a process of its own; memory is the most that this process held.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from apart import peak_memory
from bundled import BUNDLED, ONE_MACHINE

COPY = 1_000


def write_rows(directory: Path, rows: int) -> None:
    """`runs.parquet`, `runs.csv` and the facts beside them."""
    frame = pd.read_csv(ONE_MACHINE)
    frame = frame[frame["status"] == "ok"].reset_index(drop=True)
    copies = -(-rows // len(frame))
    table = pd.concat([frame] * copies, ignore_index=True).iloc[:rows]
    copy = table.index // len(frame)
    table["batch_size"] = table["batch_size"] + copy % COPY
    # a measured value is no round number
    table["throughput"] = table["throughput"] * (1 + 1e-4 * (copy // COPY)) + 1e-9 * table.index
    table = table[
        [
            name
            for name in table
            if name not in ("latency_ms", "latency_p99_ms", "ttft_ms", "itl_ms")
        ]
    ].copy()
    table["run_id"] = table.index.astype(str)
    impossible = table.index % 100 == 1
    table.loc[impossible, "throughput"] *= 1e7
    duplicate = table.index % 100 == 3
    table.loc[duplicate] = table.loc[table.index % 100 == 2].to_numpy()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), directory / "runs.parquet")
    for name in ("hardware.csv", "models.csv"):
        (directory / name).write_bytes((BUNDLED / name).read_bytes())


def load_warehouse(directory: Path) -> dict:
    """Land, validate and deduplicate as a build does."""
    from pipelines.dbt import Dbt
    from pipelines.ingest import find_files, land
    from pipelines.published import connect

    dbt = Dbt(directory, directory / "dbt")
    with connect(dbt.database) as con:
        land(con, find_files([directory / "raw"]))
    dbt.build(["+int_runs__judged"])
    with connect(dbt.database, read_only=True) as con:
        return dict(
            con.sql(
                "select verdict, count(*) from intermediate.int_runs__judged group by all"
            ).fetchall()
        )


def load_pandas(directory: Path) -> dict:
    """`read_csv` with the checks that apply: numbers, what is required, peak arithmetic, duplicates."""
    frame = pd.read_csv(directory / "runs.csv", low_memory=False)
    hardware = pd.read_csv(directory / "raw" / "hardware.csv")
    models = pd.read_csv(directory / "raw" / "models.csv").drop_duplicates("model_name")
    facts = frame[["model_name", "hardware"]].merge(
        models[["model_name", "parameters_million"]], how="left", on="model_name"
    )
    facts = facts.merge(hardware[["hardware", "fp32_tflops"]], how="left", on="hardware")
    numbers = frame[["batch_size", "throughput"]].apply(pd.to_numeric, errors="coerce")
    ok = (numbers > 0).all(axis=1) & frame["model_name"].notna() & frame["hardware"].notna()
    operations = 2e6 * facts["parameters_million"] * numbers["throughput"]
    ok &= ~(operations > 1.5 * 1e12 * facts["fp32_tflops"])
    duplicate = frame.duplicated() & ok
    return {
        "accepted": int((ok & ~duplicate).sum()),
        "rejected": int((~ok).sum()),
        "duplicate": int(duplicate.sum()),
    }


LOADERS = {"warehouse": load_warehouse, "pandas": load_pandas}


def measured(loader: str, directory: Path) -> dict:
    """Run a loader in a process of its own."""
    command = [sys.executable, __file__, "--loader", loader, "--directory", str(directory)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--loader", choices=LOADERS)
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    if options.loader:
        started = time.perf_counter()
        verdicts = LOADERS[options.loader](options.directory)
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "peak_mb": peak_memory(), "verdicts": verdicts}))
        return
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "raw").mkdir()
        write_rows(directory / "raw", options.rows)
        pd.read_parquet(directory / "raw" / "runs.parquet").to_csv(
            directory / "runs.csv", index=False
        )
        print(f"{options.rows:,} rows")
        for loader in LOADERS:
            found = measured(loader, directory)
            print(
                f"{loader:10} {found['seconds']:6.1f} s  {options.rows / found['seconds']:10,.0f} rows/s"
                f"  {found['peak_mb']:6.0f} MB  {found['verdicts']}"
            )


if __name__ == "__main__":
    main()
