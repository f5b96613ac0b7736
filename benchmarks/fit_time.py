"""How long it takes to fit all quantiles of one metric, by the number of rows.

    python benchmarks/fit_time.py [--rows 250 2000 6000 30000] [--seeds 900 901 902] [--data DIR]

Throughput of timm, on one core; each fit in a process of its own. Prints CPU seconds of fitting and the
memory that the process held at the most: median and range over seeds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
from apart import apart, peak_memory
from public_tables import DATA, Table, read_rows, rows_of
from threadpoolctl import threadpool_limits

from models_py.boosting import LEVELS
from models_py.metric_model import MetricModel

TIMM = Table("timm", "throughput", ())


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, nargs="+", default=[250, 2_000, 6_000, 30_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[900, 901, 902])
    options = parser.parse_args()
    frame = rows_of(read_rows(options.data), TIMM)
    print("| rows | CPU s | range | memory GB |\n|---|---|---|---|")
    for rows in options.rows:
        samples = [frame.sample(rows, random_state=seed) for seed in options.seeds]
        found = [apart(fit, *asked) for asked in zip(samples, options.seeds, strict=True)]
        seconds, memory = pd.DataFrame(found).T.to_numpy()
        middle = pd.Series(seconds).median()
        print(
            f"| {rows:,} | {middle:.1f} | {min(seconds):.1f} to {max(seconds):.1f} | {max(memory):.1f} |"
        )


def fit(frame: pd.DataFrame, seed: int) -> tuple[float, float]:
    """CPU seconds of one fit, and the most memory of this process in GB."""
    started = time.process_time()
    with threadpool_limits(1):
        MetricModel.fit(frame, TIMM.metric, LEVELS, seed)
    return time.process_time() - started, peak_memory() * 2**20 / 1e9


if __name__ == "__main__":
    main()
