"""How often a second measurement lies in the interval that the first one stated.

benchmart measure --suite quick --output first/quick.csv --time-limit 1200
benchmart measure --suite quick --output second/quick.csv --time-limit 1200
python benchmarks/measure_repeat.py first/quick.csv second/quick.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from pipelines.measure.cases import IDENTITY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    asked = parser.parse_args()
    both = _measured(asked.first).join(_measured(asked.second), rsuffix="_again", how="inner")
    again = both["latency_ms_again"]
    inside = again.between(both["latency_low_ms"], both["latency_high_ms"])
    low, high = binomtest(int(inside.sum()), len(both)).proportion_ci(0.9)
    half = np.sqrt(both["latency_high_ms"] / both["latency_low_ms"])
    moved = np.exp(np.abs(np.log(again / both["latency_ms"])))
    print(f"{len(both)} cases measured twice: {100 * inside.mean():.1f} % of the second medians")
    print(f"lie in the interval of the first (90 % interval {100 * low:.1f} to {100 * high:.1f} %)")
    for name, factors in (("half an interval", half), ("from first to second", moved)):
        told = ", ".join(f"{factors.quantile(share):.3f}" for share in (0.5, 0.9))
        print(f"{name}, as a factor, median and 90 % of cases: {told}")
    reference = both[["reference_ms", "reference_ms_again"]]
    slower = reference.max(axis=1) / reference.min(axis=None)
    busy = both[["other_cores", "other_cores_again"]].max(axis=1)
    print(f"the machine: reference work up to {slower.median():.2f}x slower than at its best,")
    print(f"other processes on up to {busy.median():.2f} cores (medians)")


def _measured(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path, dtype=dict.fromkeys(IDENTITY, str), keep_default_na=True)
    rows = rows[rows["status"] == "ok"]
    columns = ["latency_ms", "latency_low_ms", "latency_high_ms"]
    columns += ["reference_ms", "other_cores"]
    return rows.fillna(dict.fromkeys(IDENTITY, "")).set_index(list(IDENTITY))[columns]


if __name__ == "__main__":
    main()
