"""A whole build with many candidates: CPU seconds, wall time, peak memory and disk.

    python benchmarks/candidates.py [--workloads 200 2000 20000] [--learn 1000] [--workers 2 [--compare]]

LLM-Inference-Bench is what was measured. Besides there are deployed workloads: its models with more
batch sizes and lengths than were measured, each a candidate on some 50 platforms. Models learn from
`--learn` measurements, chosen by the rule of `features.training_features`: what scoring an option takes
grows with them. Every number of workloads is built in an empty directory by a process of its own, with
`--workers` on a Dask cluster of so many others, of which CPU time and memory are not counted.
`--compare` builds without the cluster too, and fails where a table of theirs differs.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# nothing large is loaded here: a process counts the peak of the one that starts it as its own
from bundled import COMMAND
from scale import HEADER, built

DATA = Path(__file__).parents[2] / "shared" / "data"
SOURCE = "llm_inference_bench"
MODELS = (
    "meta-llama/Llama-2-7b-hf",
    "meta-llama/Meta-Llama-3-8B",
    "mistralai/Mistral-7B-v0.1",
    "Qwen/Qwen2-7B",
    "mistralai/Mixtral-8x7B-v0.1",
    "meta-llama/Meta-Llama-3-70B",
    "meta-llama/Llama-2-70b-hf",
    "Qwen/Qwen2-72B",
    "Deci/DeciLM-7B",
)
BATCHES = (*range(1, 17), 24, 32, 48, 64, 96, 128, 192, 256)
LENGTHS = tuple(round(64 * 2 ** (step / 8)) for step in range(65))
PLATFORM = {"hardware": "nvidia-h100-80gb", "device_count": 4, "framework": "vllm"}
SEED = 940
# what is said of candidates, not of models and builds
COMPARED = ("predictions", "hardware_recommendations", "pareto_front", "scored_candidates")
CONTENTS = """
import json, sys
from pathlib import Path
from pipelines.published import connect_published
contents = "select count(*), sum(hash(rows)::hugeint)::text from analytics.{} as rows"
with connect_published(Path(sys.argv[1])) as con:
    found = {name: con.sql(contents.format(name)).fetchall()[0] for name in sys.argv[2:]}
print(json.dumps(found))
"""


def main() -> None:
    """Print one Markdown table, a row for each build; with `--compare`, exit with 1 where two differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--workloads", type=int, nargs="+", default=[200, 2_000, 20_000])
    parser.add_argument("--learn", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    if options.compare and not options.workers:
        parser.error("--compare needs --workers")
    os.environ["BENCHMART_TRAINING_ROWS"] = str(options.learn)
    print(HEADER)
    different = set()
    for workloads in options.workloads:
        with TemporaryDirectory() as folder:
            raw = Path(folder) / "raw"
            write_deployments(raw / "benchmart", workloads)
            homes = []
            for workers in [0, options.workers] if options.compare else [options.workers]:
                homes.append(Path(folder) / f"{workers}-workers")
                homes[-1].mkdir()
                with cluster(homes[-1], workers) as engine:
                    inputs = ("--raw", options.data / SOURCE, "--raw", raw)
                    print(built(homes[-1], *inputs, *engine), flush=True)
            if options.compare:
                one, other = (contents(home / "warehouse") for home in homes)
                different |= {name for name in COMPARED if one[name] != other[name]}
    if different:
        print(f"tables that differ: {', '.join(sorted(different))}", file=sys.stderr)
    sys.exit(bool(different))


def contents(warehouse: Path) -> dict[str, list]:
    """Number of rows, and a sum of their hashes, by table."""
    ask = [sys.executable, "-c", CONTENTS, warehouse, *COMPARED]
    return json.loads(subprocess.run(ask, check=True, capture_output=True).stdout)


@contextmanager
def cluster(home: Path, workers: int) -> Iterator[tuple[str, ...]]:
    """Arguments for a build on a cluster of so many workers, none where there are none."""
    if not workers:
        yield ()
        return
    file = home / "scheduler.json"
    dask = [COMMAND.with_name("dask"), "--scheduler-file", file, "--no-dashboard"]
    kinds = [["scheduler", "--port", "0", "--host", "127.0.0.1"]]
    kinds += [["worker", "--nthreads", "1", "--no-nanny"]] * workers
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen([dask[0], *kind, *dask[1:]], **quiet) for kind in kinds]
    try:
        while not file.exists():
            time.sleep(0.1)
        yield "--engine", "dask", "--scheduler", json.loads(file.read_text())["address"]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def write_deployments(directory: Path, workloads: int) -> None:
    """`deployments.csv` of workloads chosen at random."""
    every = list(itertools.product(MODELS, BATCHES, LENGTHS, LENGTHS))
    chosen = random.Random(SEED).sample(every, workloads)
    names = ("model_name", "batch_size", "input_length", "output_length")
    directory.mkdir(parents=True)
    with (directory / "deployments.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, [*names, *PLATFORM, "precision", "requests_per_second"])
        writer.writeheader()
        for workload in chosen:
            asked = dict(zip(names, workload, strict=True))
            writer.writerow(asked | PLATFORM | {"precision": "unstated", "requests_per_second": 1})


if __name__ == "__main__":
    main()
