"""Draws the pictures of the README from a published build.

python benchmarks/figures.py [--warehouse warehouse] [--output docs]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from pipelines.published import connect_published

KNOWN, PREDICTED = "#1b6ca8", "#d98324"
MOST_OPTIONS = 12


def main() -> None:
    """Write `options.svg` and `coverage.svg`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse"))
    parser.add_argument("--output", type=Path, default=Path("docs"))
    given = parser.parse_args()
    given.output.mkdir(exist_ok=True)
    mpl.rcParams |= {"svg.hashsalt": "benchmart", "font.size": 9, "figure.dpi": 100}
    with connect_published(given.warehouse) as con:
        save(draw_options(con), given.output / "options.svg")
        save(draw_coverage(con), given.output / "coverage.svg")


def save(figure: plt.Figure, path: Path) -> None:
    """Write an SVG without a date, so that the same build gives the same file."""
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def draw_options(con) -> plt.Figure:
    """Platforms of the three workloads with most predicted options, best first."""
    options = con.sql(
        "with wanted as (select workload_id from analytics.hardware_recommendations"
        " where objective = 'throughput' group by all"
        " having count(*) filter (measured) > 0 and count(*) >= 4"
        " order by count(*) filter (not measured) desc, workload_id limit 3)"
        " select * from analytics.hardware_recommendations join wanted using (workload_id)"
        f" where objective = 'throughput' and rank <= {MOST_OPTIONS} order by workload, rank"
    ).df()
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    for axes, (workload, rows) in zip(panels, options.groupby("workload"), strict=True):
        places = range(len(rows), 0, -1)
        for (_, row), place in zip(rows.iterrows(), places, strict=True):
            colour = KNOWN if row["measured"] else PREDICTED
            axes.plot(
                [row["p05"], row["p95"]], [place, place], color=colour, linewidth=3, alpha=0.5
            )
            axes.plot(row["p50"], place, "o", color=colour, markersize=5)
        names = rows["hardware"].str.removeprefix("amd-epyc-") + " " + rows["framework"]
        axes.set_yticks(list(places), names)
        axes.set_title(workload, fontsize=8, loc="left")
        axes.set_xlim(left=0)
        axes.set_xlabel(rows["unit"].iloc[0])
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].plot([], [], "o", color=KNOWN, label="measured")
    panels[-1].plot([], [], "o", color=PREDICTED, label="predicted, 90 % interval")
    figure.legend(frameon=False, fontsize=8, ncols=2, loc="outside lower center")
    return figure


def draw_coverage(con) -> plt.Figure:
    """How often held-out measurements fell into their 90 % interval, by group."""
    coverage = con.sql(
        "select metric, group_kind, group_name, coverage, n from analytics.calibration"
        " where nominal = 0.9 and n >= 20 order by metric, group_kind, n"
    ).df()
    metrics = list(coverage["metric"].unique())
    figure, axes = plt.subplots(figsize=(6, 2.4), layout="constrained")
    axes.axhspan(87, 93, color="#dddddd", zorder=0)
    axes.axhline(90, color="#999999", linewidth=1)
    for position, metric in enumerate(metrics):
        rows: pd.DataFrame = coverage[coverage["metric"] == metric]
        for kind, marker in (("hardware", "s"), ("comparable_group", "o"), ("overall", "D")):
            here = rows[rows["group_kind"] == kind]
            axes.scatter(
                [position + 0.12 * (marker == "o") - 0.12 * (marker == "s")] * len(here),
                100 * here["coverage"],
                s=6 + here["n"] ** 0.5,
                marker=marker,
                color=KNOWN if kind == "overall" else PREDICTED,
                alpha=0.8,
                label=kind.replace("_", " ") if position == 0 else None,
            )
    axes.set_xticks(range(len(metrics)), metrics)
    axes.set_ylabel("held-out coverage, %")
    axes.set_ylim(75, 100)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main()
