"""Whether intervals keep their promise: by level, by hardware, on splits of public tables.

    python benchmarks/calibration.py [--data ../shared/data] [--seeds 900 901 902 903 904]

Prints the coverage of the 80 % and 90 % intervals, how many rows have quantiles that cross, and for
devices with at least 20 test rows how many miss 90 % by more than 60 / sqrt(n) points (n: the
device's training rows) without being flagged, how many are flagged, and the coverage of the worst.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from comparison import Outcome, as_markdown, compare, parse_arguments

from models_py.scores import covered

FEWEST_TEST_ROWS = 20
LARGEST_TEST = 12_000  # a device's coverage is to be known better than its allowance
ALLOWED_POINTS = 60.0
DECIMALS = {
    "80 % interval": 1,
    "90 % interval": 1,
    "rows that cross": 0,
    "devices": 1,
    "outside": 1,
    "flagged": 1,
    "worst device %": 1,
}


def main() -> None:
    """Run every table, share, seed and method; print one Markdown table."""
    options = parse_arguments(__doc__.splitlines()[0], LARGEST_TEST)
    print(as_markdown(compare(options), evaluate, DECIMALS))


def evaluate(outcome: Outcome) -> dict[str, float]:
    """Figures of one method on one split."""
    actual, quantiles = outcome.split.log_actual, outcome.answer.quantiles
    inside = {
        low: covered(actual, quantiles[:, low], quantiles[:, -1 - low]).astype(float)
        for low in (0, 1)
    }
    devices = by_device(outcome, inside[0])
    return {
        "80 % interval": 100 * inside[1].mean(),
        "90 % interval": 100 * inside[0].mean(),
        "rows that cross": float((np.diff(quantiles, axis=1) < -1e-9).any(axis=1).sum()),
        "devices": float(len(devices)),
        "outside": float(devices["outside"].sum()),
        "flagged": float(devices["flagged"].sum()),
        "worst device %": devices.loc[~devices["flagged"], "coverage"].min(),
    }


def by_device(outcome: Outcome, inside: np.ndarray) -> pd.DataFrame:
    """Coverage of devices with enough test rows; outside of the allowance, or flagged."""
    devices = pd.Series(inside).groupby(outcome.split.test["hardware"].to_numpy())
    found = devices.agg(coverage="mean", tested="size")
    found = found[found["tested"] >= FEWEST_TEST_ROWS].assign(
        coverage=lambda table: 100 * table["coverage"]
    )
    known = outcome.split.training.groupby("hardware").size().reindex(found.index, fill_value=0)
    test = outcome.split.test.assign(in_domain=outcome.answer.in_domain)
    found["flagged"] = ~test.groupby("hardware")["in_domain"].any().reindex(found.index)
    allowed = ALLOWED_POINTS / np.sqrt(known.clip(lower=1))
    found["outside"] = ((found["coverage"] - 90).abs() > allowed) & ~found["flagged"]
    return found


if __name__ == "__main__":
    main()
