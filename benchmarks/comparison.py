"""Every method and peer on every split of public tables, side by side in one run."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from methods import METHODS, Answer, Matrices, Split
from public_tables import DATA, LARGEST_TEST, SEEDS, TABLES, Table, read_rows, rows_of, split
from scipy import stats
from threadpoolctl import threadpool_limits

from models_py.boosting import LEVELS

FEWEST_ROWS = 30
UV = Path(sys.executable).with_name("uv")


class Outcome(NamedTuple):
    """What one method says of one split."""

    table: Table
    share: float
    split: Split
    method: str
    answer: Answer
    seconds: float


def parse_arguments(description: str, largest_test: int = LARGEST_TEST) -> argparse.Namespace:
    """Data, tables, seeds, test rows at most, and whether peers take part."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--tables", nargs="+", help="Sources to take [default: all].")
    parser.add_argument("--metrics", nargs="+", help="Metrics to take [default: all].")
    parser.add_argument("--shares", type=float, nargs="+", help="Shares [default: all].")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--largest-test", type=int, default=largest_test, help="Test rows at most.")
    return parser.parse_args()


def compare(options: argparse.Namespace) -> Iterator[Outcome]:
    """Outcomes of all methods, split by split, then those of the peers."""
    splits = [*_splits(options)]
    for table, share, one in splits:
        for name in options.methods:
            started = time.process_time()
            with threadpool_limits(1):  # CPU seconds of one core: idle threads would spin
                answer = METHODS[name](one)
            yield Outcome(table, share, one, name, answer, time.process_time() - started)
    if not options.without_peers:
        yield from _peers(splits)


def _splits(options: argparse.Namespace) -> Iterator[tuple[Table, float, Split]]:
    rows = read_rows(options.data)
    for table in TABLES:
        if table.source not in (options.tables or [table.source]):
            continue
        if table.metric not in (options.metrics or [table.metric]):
            continue
        frame = rows_of(rows, table)
        for share in table.shares:
            for seed in options.seeds if share in (options.shares or table.shares) else ():
                training, test = split(frame, share, seed, options.largest_test)
                if len(training) >= FEWEST_ROWS:
                    yield table, share, Split(training, test, table.metric, seed)


def _peers(splits: Sequence[tuple[Table, float, Split]]) -> Iterator[Outcome]:
    """Peers run in an environment of their own, which uv makes and keeps."""
    with tempfile.TemporaryDirectory() as place:
        for number, (_, _, one) in enumerate(splits):
            inputs = Matrices.of(one)
            np.savez(
                Path(place) / f"{number}.split.npz",
                features=inputs.features,
                asked=inputs.asked,
                target=one.log_target - inputs.anchor,
                asked_anchor=inputs.asked_anchor,
                categorical=inputs.encoder.categorical_positions,
                configurations=pd.factorize(one.training["config_id"])[0],
                levels=LEVELS,
                seed=one.seed,
            )
        script = Path(__file__).with_name("peers.py")
        subprocess.run(
            [UV, "run", "--quiet", "--no-project", "--script", script, place], check=True
        )
        for number, (table, share, one) in enumerate(splits):
            for path in sorted(Path(place).glob(f"{number}.[0-9]*.npz")):
                with np.load(path, allow_pickle=False) as said:
                    name, answer = str(said["name"]), Answer(said["quantiles"])
                    yield Outcome(table, share, one, name, answer, float(said["seconds"]))


def as_markdown(
    outcomes: Iterator[Outcome],
    evaluate: Callable[[Outcome], Mapping[str, float]],
    decimals: Mapping[str, int],
) -> str:
    """Means of figures over the seeds, with 95 % confidence intervals (Student's t)."""
    results = pd.DataFrame(
        {
            "table": one.table.title,
            "share": one.share,
            "method": one.method,
            "rows": len(one.split.training),
            "seconds": one.seconds,
            **evaluate(one),
        }
        for one in outcomes
    )
    titles = [table.title for table in TABLES]
    results["order"] = results["table"].map(titles.index)
    lines = [f"| table | trained on | method | {' | '.join(decimals)} | CPU s |"]
    lines.append("|" + "---|" * (len(decimals) + 4))
    keys = ["order", "table", "share", "method"]
    for (_, table, share, method), rows in results.sort_values(
        ["order", "share"], kind="stable"
    ).groupby(keys, sort=False):
        cells = [with_interval(rows[name].dropna(), digits) for name, digits in decimals.items()]
        lines.append(
            f"| {table} | {share:.0%}, {rows['rows'].mean():.0f} rows | {method}"
            f" | {' | '.join(cells)} | {rows['seconds'].mean():.1f} |"
        )
    return "\n".join(lines)


def with_interval(values: pd.Series, digits: int) -> str:
    """Mean and 95 % confidence interval (Student's t); `-` where there is no value."""
    if values.empty:
        return "-"
    if len(values) == 1:
        return f"{values.iloc[0]:.{digits}f}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values))
    return f"{values.mean():.{digits}f} ± {half:.{digits}f}"
