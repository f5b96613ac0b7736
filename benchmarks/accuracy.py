"""Accuracy and honesty of predictions from few measurements, beside baselines and peers.

    python benchmarks/accuracy.py [--data ../shared/data] [--seeds 900 901 902 903 904]

Trains on a share of the configurations of public tables and predicts the others. Prints median
absolute percentage error, coverage of the 90 % interval, the interval score (log units, lower is
better) and the rank correlation of width and error: mean over seeds with a 95 % confidence interval.
"""

from __future__ import annotations

import numpy as np
from comparison import Outcome, as_markdown, compare, parse_arguments
from scipy import stats

from models_py.scores import covered, interval_score, median_ape

DECIMALS = {"median APE %": 1, "coverage %": 1, "interval score": 2, "width and error": 2}


def main() -> None:
    """Run every table, share, seed and method; print one Markdown table."""
    options = parse_arguments(__doc__.splitlines()[0])
    print(as_markdown(compare(options), evaluate, DECIMALS))


def evaluate(outcome: Outcome) -> dict[str, float]:
    """Figures of one method on one split."""
    actual = outcome.split.log_actual
    quantiles = outcome.answer.quantiles
    low, middle, high = quantiles[:, [0, quantiles.shape[1] // 2, -1]].T
    varies = np.ptp(high - low) > 1e-9
    error = np.abs(middle - actual)
    return {
        "median APE %": median_ape(actual, middle),
        "coverage %": 100 * covered(actual, low, high).mean(),
        "interval score": interval_score(actual, low, high),
        "width and error": stats.spearmanr(high - low, error).statistic if varies else np.nan,
    }


if __name__ == "__main__":
    main()
