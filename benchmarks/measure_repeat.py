"""How often a second measurement lies in the interval that the first one stated.

    python benchmarks/measure_repeat.py --folder repeat [--models 6] [--cases 5] [--seed 0]

Needs the extra `measure`. Cases of some models, each in one framework, by chance from the quick suite,
are measured, and then all of them once more.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from pipelines.measure.cases import IDENTITY, Case
from pipelines.measure.runner import run_cases
from pipelines.measure.suite import cases_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--cases", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    cases = _chosen(asked.models, asked.cases, np.random.default_rng(asked.seed))
    first, second = (asked.folder / f"{name}.csv" for name in ("first", "second"))
    for output in (first, second):
        print(run_cases(dict.fromkeys(cases), output, facts=False))
    both = _measured(first).join(_measured(second), rsuffix="_again", how="inner")
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


def _chosen(models: int, cases: int, generator: np.random.Generator) -> list[Case]:
    blocks: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases_of("quick"):
        if case.framework != "torch.compile":
            blocks[case.model_name, case.framework].append(case)
    names = generator.choice(sorted({model for model, _ in blocks}), models, replace=False)
    chosen: list[Case] = []
    for name in names:
        of_model = [block for (model, _), block in blocks.items() if model == name]
        block = of_model[generator.integers(len(of_model))]
        picked = generator.choice(len(block), min(cases, len(block)), replace=False)
        chosen += [block[place] for place in picked]
    return chosen


def _measured(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path, dtype=dict.fromkeys(IDENTITY, str), keep_default_na=True)
    rows = rows[rows["status"] == "ok"]
    columns = ["latency_ms", "latency_low_ms", "latency_high_ms"]
    columns += ["reference_ms", "other_cores"]
    return rows.fillna(dict.fromkeys(IDENTITY, "")).set_index(list(IDENTITY))[columns]


if __name__ == "__main__":
    main()
