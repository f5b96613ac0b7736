"""Each stage of a build beside what a user would do otherwise: CPU seconds and peak memory, in one run.

    python benchmarks/speed.py [--sizes 10000 100000 1000000 10000000] [--repeats 3] [--chart FILE]
    python benchmarks/speed.py --guard

Every figure is of a process of its own, its children included; loading libraries and what a stage is
given take no time (`speed_ways.py`), but memory. Ways alternate, and the least of the repeats counts.
The usual way is measured up to `MOST` rows, and extrapolated from there in proportion. `--guard`
measures one size, and fails where a ratio is below its floor: half of what was found when it was set.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import speed_ways as ways
from apart import Cost, apart, cost_of
from grid import CROSSING
from threadpoolctl import threadpool_limits

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
MOST = 200_000
HEADER = (
    "| stage | rows | benchmart, CPU s | peak MiB | usual way | CPU s | peak MiB | times less CPU |\n"
    "|---|---|---|---|---|---|---|---|"
)


class Stage(NamedTuple):
    """A stage and the two ways to do it.

    Attributes
    ----------
    largest
        In rows; 0 where it has no size.
    guarded, floor
        The size at which `--guard` measures, and the ratio of CPU time that it asks for.
    """

    name: str
    usual: str
    ours: Callable
    others: Callable
    largest: int
    guarded: int
    floor: float


STAGES = (
    Stage(
        "measurements from CSV into DuckDB",
        "pandas.read_csv, and inserted",
        ways.land_measurements,
        ways.read_by_pandas,
        10_000_000,
        100_000,
        0.03,
    ),
    Stage(
        "features as a matrix",
        "pandas with categories",
        ways.matrix_in_chunks,
        ways.matrix_by_pandas,
        10_000_000,
        100_000,
        0.6,
    ),
    Stage(
        "trees, columns of one axis",
        "Booster.predict",
        partial(ways.by_grid, ()),
        partial(ways.by_rows, ()),
        10_000_000,
        1_000_000,
        130.0,
    ),
    Stage(
        "trees, columns that cross axes too",
        "Booster.predict",
        partial(ways.by_grid, CROSSING),
        partial(ways.by_rows, CROSSING),
        10_000_000,
        1_000_000,
        40.0,
    ),
    Stage(
        "all quantiles of a metric, written",
        "pandas, Booster.predict, SciPy",
        ways.score_in_chunks,
        ways.score_by_pandas,
        10_000_000,
        100_000,
        1.0,
    ),
    Stage(
        f"{ways.TESTS} tests chosen",
        "k-center by numpy",
        ways.select_jointly,
        ways.k_center,
        1_000_000,
        100_000,
        0.2,
    ),
    Stage(
        "scores written",
        "pandas.to_csv",
        ways.write_by_arrow,
        ways.write_csv,
        1_000_000,
        100_000,
        6.0,
    ),
    Stage(
        f"{ways.COMMANDS} dbt commands",
        "a process for each",
        ways.dbt_here,
        ways.dbt_apart,
        0,
        0,
        0.8,
    ),
    Stage(
        "a build when nothing changed",
        "built anew",
        ways.build_again,
        ways.build_afresh,
        0,
        0,
        15.0,
    ),
)


class Compared(NamedTuple):
    """What a stage took at a size; `extrapolated` from fewer rows the usual way."""

    stage: Stage
    rows: int
    ours: Cost
    others: Cost
    extrapolated: bool

    @property
    def ratio(self) -> float:
        """How many times less CPU benchmart takes."""
        return self.others.cpu / self.ours.cpu

    def __str__(self) -> str:
        """A row of the table."""
        stage, sign = self.stage, "~" if self.extrapolated else ""
        rows = f"{self.rows:,}" if stage.largest else "-"
        return (
            f"| {stage.name} | {rows} | {self.ours.cpu:.2f} | {self.ours.peak:,.0f} |"
            f" {stage.usual} | {sign}{self.others.cpu:.2f} | {self.others.peak:,.0f} |"
            f" {sign}{self.ratio:.1f} |"
        )


def main() -> None:
    """Print one Markdown table; with `--guard`, exit with 1 where a ratio is below its floor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--chart", type=Path)
    parser.add_argument("--guard", action="store_true")
    parser.add_argument("--stages", nargs="+", default=[""], help="parts of their names")
    options = parser.parse_args()
    chosen = [stage for stage in STAGES if any(part in stage.name for part in options.stages)]
    print(HEADER)
    found = []
    with TemporaryDirectory() as place:
        for compared in measured(chosen, Path(place), options):
            print(compared, flush=True)
            found.append(compared)
    if options.chart:
        draw(found, options.chart)
    slower = [each for each in found if options.guard and each.ratio < each.stage.floor]
    for each in slower:
        floor = f"its floor is {each.stage.floor:g}"
        print(f"{each.stage.name}: {each.ratio:.2f} times less CPU, {floor}", file=sys.stderr)
    sys.exit(bool(slower))


def measured(stages: list[Stage], place: Path, options: argparse.Namespace) -> Iterator[Compared]:
    """Every stage at every size."""
    for stage in stages:
        asked = [stage.guarded] if options.guard else options.sizes
        for size in sorted({min(size, stage.largest) for size in asked}):
            found = {stage.ours: [], stage.others: []}
            for number in range(options.repeats + 1):
                for way, costs in found.items():
                    costs.append(apart(_counted, way, place, size, way is stage.others, number))
            (ours, rows), (others, fewer) = (_least(costs[1:]) for costs in found.values())
            others = Cost(others.cpu * rows / fewer, others.peak)
            yield Compared(stage, rows, ours, others, fewer < rows)


def _counted(
    way: Callable, place: Path, size: int, usual: bool, number: int
) -> tuple[Cost, int] | None:
    """What a way takes, and of how many rows; at first it is made ready alone."""
    run = way(place, min(size, MOST) if usual else size)
    with threadpool_limits(1):  # threads that wait for each other count as work
        return cost_of(run) if number else None


def _least(costs: list[tuple[Cost, int]]) -> tuple[Cost, int]:
    each = [cost for cost, _ in costs]
    return Cost(min(cost.cpu for cost in each), min(cost.peak for cost in each)), costs[0][1]


def draw(found: list[Compared], path: Path) -> None:
    """CPU seconds by rows, a panel for each stage that has a size."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from figures import KNOWN, PREDICTED, save

    mpl.rcParams |= {"svg.hashsalt": "benchmart", "font.size": 8}
    names = list(dict.fromkeys(each.stage.name for each in found if each.stage.largest))
    size = (2.1 * len(names), 2.2)
    figure, panels = plt.subplots(1, len(names), figsize=size, sharey=True, squeeze=False)
    for axes, name in zip(panels[0], names, strict=True):
        here = [each for each in found if each.stage.name == name]
        rows = [each.rows for each in here]
        axes.loglog(rows, [each.ours.cpu for each in here], "o-", color=KNOWN, markersize=3)
        axes.loglog(rows, [each.others.cpu for each in here], "--", color=PREDICTED)
        counted = [each for each in here if not each.extrapolated]
        cpu = [each.others.cpu for each in counted]
        axes.loglog([each.rows for each in counted], cpu, "s", color=PREDICTED, markersize=3)
        axes.set_title(f"{name}\n{here[0].stage.usual}", fontsize=6)
        axes.set_xlabel("rows")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_ylabel("CPU seconds")
    save(figure, path)


if __name__ == "__main__":
    main()
