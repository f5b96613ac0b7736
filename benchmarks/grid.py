"""Trees on ten million candidates: `models_py.grid` beside `Booster.predict`, CPU seconds in one run.

    python benchmarks/grid.py [--data ../shared/data] [--repeats 5]

The booster is of 200 trees with 31 leaves and learns the logarithm of the throughput of
LLM-Inference-Bench. The grid has its models and platforms (device, number of them, framework), and more
batch sizes and lengths than were measured. Beside columns of one axis there are two that cross axes:
weights and cache as shares of the memory, of two bytes an element and with attention to all tokens.
LightGBM and `predict_rows` predict 200,000 cells, and what all of them would take is extrapolated; the
matrix is made before the clock starts. `predict_grid` is timed as a whole, from taking the booster apart
to the finished tensor; the columns of the grid are there. Compiled code is loaded from its cache.
Beside them compilers of trees predict the same 200,000 cells (`tree_compilers.py`; uv makes their
environment, gcc is needed), without what compiling takes, which is told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import lightgbm as lgb
import numpy as np
import pandas as pd
from comparison import UV
from peer_worker import ONE_THREAD
from public_tables import DATA, LLM_THROUGHPUT, read_rows, rows_of

from models_py.boosting import dataset, train
from models_py.features import Encoder
from models_py.grid import Column, Grid, predict_grid, predict_rows

MODEL = ("parameters_million", "layers", "hidden_size", "heads", "kv_heads", "vocabulary_size")
PLATFORM = (
    "device_count",
    "memory_gb",
    "memory_bandwidth_gbs",
    "peak_tflops",
    "tdp_w",
    "interconnect_gbs",
)
WORKLOAD = ("batch_size", "input_length", "output_length")
CROSSING = ("weights_share", "cache_share")
CATEGORIES = ("model_name", "hardware", "framework")
STEPS = 24  # of batch sizes and of lengths: ten million cells
SAMPLE = 200_000
SEED = 930


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rows = rows_of(read_rows(options.data / LLM_THROUGHPUT.source), LLM_THROUGHPUT)
    rows = rows.assign(**shares(rows))
    print(
        "| columns | cells | way | CPU s | times faster than Booster.predict | largest difference |\n"
        "|---|---|---|---|---|---|"
    )
    for name, crossing in (("of one axis", ()), ("that cross axes too", CROSSING)):
        encoder = Encoder.fit(rows, (*MODEL, *PLATFORM, *WORKLOAD, *crossing), CATEGORIES)
        compare(name, grid_of(rows, encoder), fitted(rows, encoder), options.repeats)


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
    usual = dict.fromkeys(ways, seconds["Booster.predict"])
    for compiler, said in compiled_trees(booster, matrix, repeats).items():
        way = f"{compiler}, compiled in {said['to_compile']:.0f} s"
        found[way] = said["predicted"]
        seconds[way], usual[way] = scale * said["seconds"], scale * said["usual"]
    for way, taken in seconds.items():
        ratios = np.array(usual[way]) / np.array(taken)
        difference = np.abs(found[way] - found["Booster.predict"]).max()
        print(
            f"| {name} | {grid.size:,} | {way} | {np.median(taken):.2f} | {np.median(ratios):.1f}"
            f" ({ratios.min():.1f} to {ratios.max():.1f}) | {difference:.0e} |",
            flush=True,
        )


def compiled_trees(
    booster: lgb.Booster, matrix: np.ndarray, repeats: int
) -> dict[str, dict[str, np.ndarray]]:
    """What compilers of trees predict, and what they take; see `tree_compilers.py`."""
    script = Path(__file__).with_name("tree_compilers.py")
    with TemporaryDirectory() as place:
        booster.save_model(f"{place}/model.txt")
        np.save(f"{place}/matrix.npy", matrix)
        command = [UV, "run", "--quiet", "--no-project", "--script", script, place, str(repeats)]
        subprocess.run(command, check=True, stdout=sys.stderr, env=os.environ | ONE_THREAD)
        answers = {}
        for path in sorted(Path(place).glob("*.npz")):
            with np.load(path, allow_pickle=False) as said:
                answers[path.stem] = dict(said)
    return answers


def grid_of(rows: pd.DataFrame, encoder: Encoder, steps: int = STEPS) -> Grid:
    """All models on all platforms with so many batch sizes and lengths."""
    lengths = np.geomspace(64, 8_192, steps).round()
    platform = ["hardware", "framework", "device_count"]
    axes = [
        rows[["model_name", *MODEL]].drop_duplicates("model_name"),
        rows[["hardware", "framework", *PLATFORM]].drop_duplicates(platform),
        pd.DataFrame({"batch_size": np.unique(np.geomspace(1, 256, steps).round())}),
        pd.DataFrame({"input_length": lengths}),
        pd.DataFrame({"output_length": lengths}),
    ]
    columns, along = {}, {}
    for axis, levels in enumerate(axes):
        matrix = encoder.transform(levels)
        for name in levels:
            columns[name] = Column((axis,), matrix[:, encoder.names.index(name)])
            along[name] = np.expand_dims(
                columns[name].values, [other for other in range(len(axes)) if other != axis]
            )
    for name, values in shares(along).items():
        varied = tuple(axis for axis, size in enumerate(values.shape) if size > 1)
        columns[name] = Column(varied, np.squeeze(values))
    return Grid(tuple(map(len, axes)), [columns[name] for name in encoder.names])


def shares(of: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights, and keys and values, as shares of the memory of all devices; they may be broadcast."""
    memory = 1e9 * of["memory_gb"] * of["device_count"]
    width = of["hidden_size"] / of["heads"] * of["kv_heads"]
    tokens = of["batch_size"] * (of["input_length"] + of["output_length"])
    return {
        "weights_share": 2e6 * of["parameters_million"] / memory,
        "cache_share": 4 * of["layers"] * width * tokens / memory,
    }


def fitted(rows: pd.DataFrame, encoder: Encoder) -> lgb.Booster:
    """200 trees with 31 leaves, with the parameters of a build."""
    target = np.log(rows["throughput"].to_numpy(float))
    data = dataset(encoder.transform(rows), target, encoder.names, encoder.categorical_positions)
    return train(data, 200, 31, 0.05, SEED, objective="regression")


if __name__ == "__main__":
    main()
