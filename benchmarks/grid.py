"""Trees on ten million candidates: `models_py.grid` beside `Booster.predict`, CPU seconds in one run.

    python benchmarks/grid.py [--data ../shared/data] [--repeats 5]

The booster is of 200 trees with 31 leaves and learns the logarithm of the throughput of
LLM-Inference-Bench. The grid has its models, platforms (device, number of them, framework) and
precisions, and more batch sizes and lengths than were measured. Beside columns of one axis there are two
that cross axes: weights and cache as a share of the memory. LightGBM and `predict_rows` predict 200,000
cells, and what all of them would take is extrapolated; the matrix is made before the clock starts. The
others include everything else, from taking the booster apart to the finished tensor; columns that cross
axes are there. Compiled code is loaded from its cache.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from public_tables import DATA, LLM_THROUGHPUT, read_rows, rows_of

from models_py.grid import Column, Grid, predict_grid, predict_rows

AXES = {
    "model": (
        "parameters_million",
        "active_parameters_million",
        "layers",
        "hidden_size",
        "heads",
        "kv_heads",
        "vocabulary_size",
    ),
    "platform": (
        "device_count",
        "memory_gb",
        "memory_bandwidth_gbs",
        "peak_tflops",
        "tdp_w",
        "interconnect_gbs",
        "hardware",
        "framework",
    ),
    "precision": ("precision",),
    "batch_size": ("batch_size",),
    "input_length": ("input_length",),
    "output_length": ("output_length",),
}
CATEGORIES = ("hardware", "framework", "precision")
BATCHES = np.unique(np.geomspace(1, 256, 24).round())
LENGTHS = np.geomspace(64, 8_192, 24).round()
BYTES = {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5}
SAMPLE = 200_000
SEED = 930

Levels = Mapping[str, pd.DataFrame]


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    table = read_rows(options.data / LLM_THROUGHPUT.source)
    rows = coded(rows_of(table, LLM_THROUGHPUT))
    levels = levels_of(rows)
    print(
        "| columns | cells | way | CPU s | times faster than Booster.predict | largest difference |\n"
        "|---|---|---|---|---|---|"
    )
    for name, crossing in (("of one axis", False), ("that cross axes too", True)):
        grid, names = grid_of(levels, crossing)
        booster = fitted(rows, names, crossing)
        compare(name, grid, booster, options.repeats)


def compare(name: str, grid: Grid, booster: lgb.Booster, repeats: int) -> None:
    """Print what each way takes, alternating, and how far it is from LightGBM."""
    cells = np.random.default_rng(SEED).integers(0, grid.size, SAMPLE)
    matrix = grid.matrix(cells)
    scale = grid.size / SAMPLE
    ways: dict[str, tuple[Callable[[], np.ndarray], float, object]] = {
        "Booster.predict": (lambda: booster.predict(matrix, num_threads=1), scale, slice(None)),
        "predict_rows": (lambda: predict_rows(booster, matrix), scale, slice(None)),
        "predict_grid, bitwise": (
            lambda: predict_grid(booster, grid, bitwise=True).ravel(),
            1,
            cells,
        ),
        "predict_grid": (lambda: predict_grid(booster, grid).ravel(), 1, cells),
    }
    found = {way: predict()[chosen] for way, (predict, _, chosen) in ways.items()}
    seconds = {way: [] for way in ways}
    for _ in range(repeats):
        for way, (predict, factor, _) in ways.items():
            started = time.process_time()
            predict()
            seconds[way].append(factor * (time.process_time() - started))
    usual = np.array(seconds["Booster.predict"])
    for way, taken in seconds.items():
        ratios = usual / np.array(taken)
        difference = np.abs(found[way] - found["Booster.predict"]).max()
        print(
            f"| {name} | {grid.size:,} | {way} | {np.median(taken):.2f} | {np.median(ratios):.1f}"
            f" ({ratios.min():.1f} to {ratios.max():.1f}) | {difference:.0e} |",
            flush=True,
        )


def coded(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with categories as codes, and the size of an element."""
    codes = {name: pd.factorize(rows[name], sort=True)[0].astype(float) for name in CATEGORIES}
    return rows.assign(element=rows["precision"].map(BYTES).astype(float), **codes)


def levels_of(rows: pd.DataFrame) -> Levels:
    """The levels of each axis, one row each."""
    facts = {
        name: ["model_name", *AXES[name]] if name == "model" else list(AXES[name]) for name in AXES
    }
    levels = {name: rows[columns].drop_duplicates() for name, columns in facts.items()}
    levels["precision"] = rows[["precision", "element"]].drop_duplicates()
    levels["platform"] = levels["platform"].drop_duplicates(
        ["hardware", "device_count", "framework"]
    )
    levels["batch_size"] = pd.DataFrame({"batch_size": BATCHES})
    for name in ("input_length", "output_length"):
        levels[name] = pd.DataFrame({name: LENGTHS})
    return levels


def grid_of(levels: Levels, crossing: bool) -> tuple[Grid, list[str]]:
    """The grid, and the names of its columns."""
    shape = tuple(map(len, levels.values()))
    columns = {
        column: Column((axis,), levels[name][column].to_numpy(float))
        for axis, name in enumerate(AXES)
        for column in AXES[name]
    }
    if crossing:

        def along(axes: tuple[int, ...], axis: int, column: str) -> np.ndarray:
            values = levels[list(AXES)[axis]][column].to_numpy(float)
            return values.reshape([-1 if each == axis else 1 for each in axes])

        for name, axes, of in (
            ("weights_share", (0, 1, 2), weights_share),
            ("cache_share", (0, 1, 3, 4, 5), cache_share),
        ):
            asked = {
                column: along(axes, axis, column)
                for axis in axes
                for column in levels[list(AXES)[axis]].select_dtypes("number")
            }
            columns[name] = Column(axes, np.ascontiguousarray(of(asked)))
    return Grid(shape, list(columns.values())), list(columns)


def weights_share(of: Mapping[str, np.ndarray]) -> np.ndarray:
    """Weights as a share of the memory of all devices."""
    return of["parameters_million"] * of["element"] / (1000 * of["memory_gb"] * of["device_count"])


def cache_share(of: Mapping[str, np.ndarray]) -> np.ndarray:
    """Keys and values of 16 bits as a share of the memory of all devices."""
    width = of["hidden_size"] / of["heads"] * of["kv_heads"]
    tokens = of["batch_size"] * (of["input_length"] + of["output_length"])
    return 4 * of["layers"] * width * tokens / (1e9 * of["memory_gb"] * of["device_count"])


def fitted(rows: pd.DataFrame, names: list[str], crossing: bool) -> lgb.Booster:
    """200 trees with 31 leaves, as a build has them: extra-randomised."""
    if crossing:
        rows = rows.assign(weights_share=weights_share(rows), cache_share=cache_share(rows))
    categorical = [names.index(name) for name in CATEGORIES]
    matrix, target = rows[names].to_numpy(float), np.log(rows["throughput"].to_numpy(float))
    data = lgb.Dataset(matrix, target, categorical_feature=categorical)
    settings = {"num_leaves": 31, "learning_rate": 0.05, "extra_trees": True, "cat_smooth": 2}
    settings |= {"min_data_per_group": 3, "seed": SEED, "num_threads": 1, "verbose": -1}
    return lgb.train(settings, data, 200)


if __name__ == "__main__":
    main()
