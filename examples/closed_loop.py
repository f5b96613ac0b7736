"""The loop closed on this machine: plan, measure, record, round after round, beside random selection.

    python examples/closed_loop.py --folder loop [--models bert-mini ...] [--seeds 3] [--rounds 5]

Needs the extra `measure`. The grid of the quick suite is measured first, of the models that are asked
for, each configuration once: that is the truth. Then both selections begin with the same tests of it, at
random, and ask for more, round after round. Tests that are held out of both say how far predictions of
throughput are off; and over all workloads of the grid it is said what one would lose by running each on
the option that is best by what was measured and, where it was not, predicted. What was stopped goes on
where it was when it is run again. torch.compile is left out: each of its tests would take minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from models_py.active_learning import ActiveLearningSystem
from models_py.plan import COUNTS
from pipelines.measure.cases import IDENTITY, Case
from pipelines.measure.output import described
from pipelines.measure.planned import Here
from pipelines.measure.runner import run_cases
from pipelines.measure.suite import cases_of

COMMAND = Path(sys.executable).with_name("benchmart")
WORKLOAD = ["model_name", "precision", "batch_size", "input_length", "output_length", "image_size"]


def main() -> None:
    asked = _arguments()
    grid = [
        case
        for case in cases_of("quick")
        if case.model_name in asked.models and case.framework != "torch.compile"
    ]
    store = Store(asked.folder / "measured.csv")
    store.rows(grid)
    found: list[dict] = []
    for seed in range(asked.seeds):
        found += _replicate(grid, store, asked, seed)
        curves = pd.DataFrame(found)
        curves.to_csv(asked.folder / "curves.csv", index=False)
        _draw(curves).savefig(asked.folder / "closed_loop.svg")
    print(curves.groupby(["selection", "tests"]).mean(numeric_only=True).to_string())


def _replicate(
    grid: Sequence[Case], store: Store, asked: argparse.Namespace, seed: int
) -> Iterator[dict]:
    """Figures of both selections after each round, from one start by chance."""
    generator = np.random.default_rng(seed)
    mixed = [grid[position] for position in generator.permutation(len(grid))]
    start, held_out = mixed[: asked.start], mixed[asked.start : asked.start + asked.held_out]
    for selection in ("plan", "random"):
        loop = Loop(asked.folder / f"{selection}-{seed}", store, start)
        for _ in range(asked.rounds):
            yield {"selection": selection, "seed": seed} | _figures(loop, grid, held_out)
            by_chance = None if selection == "plan" else generator
            loop.record(loop.choose(asked.tests, held_out, by_chance))
        yield {"selection": selection, "seed": seed} | _figures(loop, grid, held_out)


class Store:
    """What was measured here, by whomever it was asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self, cases: Sequence[Case]) -> pd.DataFrame:
        """Rows of the cases, measured now where they were not before."""
        run_cases(dict.fromkeys(cases), self.path)
        known = pd.read_csv(self.path, dtype=str, keep_default_na=False).set_index(list(IDENTITY))
        wanted = [{name: described(case).get(name) for name in IDENTITY} for case in cases]
        names = ["" if value is None else str(value) for row in wanted for value in row.values()]
        keys = np.array(names, dtype=object).reshape(len(wanted), len(IDENTITY))
        return known.loc[list(map(tuple, keys))].reset_index()


class Loop:
    """A warehouse of its own, that learns from what was chosen for it."""

    def __init__(self, home: Path, store: Store, start: Sequence[Case]) -> None:
        shutil.rmtree(home, ignore_errors=True)  # of a run before; what it measured is in the store
        self.home, self.store, self.known = home, store, set(start)
        raw = home / "raw" / "loop"
        raw.mkdir(parents=True)
        store.rows(start).to_csv(raw / "runs.csv", index=False)
        for name in ("hardware.csv", "models.csv"):
            shutil.copy(store.path.parent / name, raw / name)
        self.run("build", "--raw", home / "raw")

    def run(self, *arguments: object) -> None:
        """Run a command in this loop's warehouse."""
        settings = {"WAREHOUSE": self.home / "warehouse", "MLRUNS": self.home / "mlruns"}
        settings |= {"METRICS": "throughput", "REPORT": "false"}
        named = {f"BENCHMART_{name}": str(value) for name, value in settings.items()}
        subprocess.run([COMMAND, *map(str, arguments)], env=os.environ | named, check=True)

    def choose(
        self, count: int, held_out: Sequence[Case], by_chance: np.random.Generator | None
    ) -> list[Case]:
        """Tests that are planned, or chosen by chance, among those that are not held out."""
        learner = ActiveLearningSystem(warehouse=self.home / "warehouse")
        found = learner.candidates.sort_values("config_id")
        here = Here()
        cases = {row["config_id"]: _case(row, here) for row in found.to_dict("records")}
        free = [name for name, case in cases.items() if case not in {*held_out, None}]
        if by_chance is not None:
            return [cases[name] for name in by_chance.choice(free, count, replace=False)]
        tests = learner.suggest_test_batch(
            found[found["config_id"].isin(free)], batch_size=count, optimize_for="throughput"
        )
        return [cases[name] for name in tests["config_id"]]

    def record(self, cases: Sequence[Case]) -> None:
        """Measure tests and learn from them."""
        self.known |= set(cases)
        results = self.home / f"results-{len(self.known)}.csv"
        self.store.rows(cases).to_csv(results, index=False)
        self.run("record", results)

    def predicted(self, rows: pd.DataFrame) -> pd.Series:
        """Medians that this loop's models say."""
        asked, answer = self.home / "asked.csv", self.home / "answer.csv"
        rows[[name for name in IDENTITY if name != "options"]].to_csv(asked, index=False)
        self.run("predict", "--input", asked, "--output", answer, "--metric", "throughput")
        return pd.read_csv(answer)["p50"]


def _case(test: dict, here: Here) -> Case | None:
    """The case that a candidate is, if this machine can run it."""
    known = {name: value for name, value in test.items() if not pd.isna(value)}
    counts = {name: int(known[name]) for name in COUNTS if name in known}
    return None if here.why_not(known) else here.case_of(known | counts)


def _figures(loop: Loop, grid: Sequence[Case], held_out: Sequence[Case]) -> dict:
    """Error of predictions on what is held out, and what recommendations lose on the whole grid."""
    truth, apart = loop.store.rows(grid), set(held_out)
    found = truth[WORKLOAD].assign(
        known=[case in loop.known for case in grid],
        held_out=[case in apart for case in grid],
        actual=pd.to_numeric(truth["throughput"]),
        predicted=loop.predicted(truth).to_numpy(),
    )[truth["status"] == "ok"]
    found["said"] = found["actual"].where(found["known"], found["predicted"])
    lost = [
        1 - options.loc[options["said"].idxmax(), "actual"] / options["actual"].max()
        for _, options in found.groupby(WORKLOAD)
        if len(options) > 1
    ]
    found_apart = found[found["held_out"]]
    logs = np.log(found_apart["predicted"] / found_apart["actual"])
    return {
        "tests": len(loop.known),
        "median_error_percent": 100 * float(np.median(np.abs(np.expm1(logs)))),
        "rmse_log": float(np.sqrt(np.mean(logs**2))),
        "regret_percent": 100 * float(np.mean(lost)),
        "held_out": len(found_apart),
        "workloads": len(lost),
    }


def _draw(curves: pd.DataFrame) -> Figure:
    """Means over seeds, and each of them."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    shown = {
        "rmse_log": "error of what is held out (RMSE of the log)",
        "regret_percent": "regret, %",
    }
    for axes, (name, label) in zip(figure.subplots(1, 2), shown.items(), strict=True):
        for selection, own in curves.groupby("selection", sort=False):
            each = own.pivot_table(index="tests", columns="seed", values=name)
            (line,) = axes.plot(each.index, each.mean(axis=1), marker="o", label=selection)
            axes.plot(each.index, each, color=line.get_color(), alpha=0.3, linewidth=0.8)
        axes.set(xlabel="tests measured", ylabel=label, ylim=(0, None))
        axes.legend(frameon=False)
    return figure


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("loop"))
    parser.add_argument("--models", nargs="+", default=["bert-mini", "resnet-18", "pythia-14m"])
    parser.add_argument("--start", type=int, default=60, help="tests that both begin with")
    parser.add_argument("--held-out", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tests", type=int, default=10, help="tests of a round")
    parser.add_argument("--seeds", type=int, default=3, help="replicates, each from its own start")
    return parser.parse_args()


if __name__ == "__main__":
    main()
