# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "lleaves==1.3.0",     # LightGBM's trees by LLVM
#     "llvmlite==0.44.0",   # the newest that lleaves works with; numba has a newer one
#     "tl2cgen==1.0.0",     # trees as C, which gcc compiles
#     "treelite==4.8.1",    # reads LightGBM's text for tl2cgen
#     "lightgbm==4.7.0",    # beside which they are timed
#     "numpy==2.4.6",
# ]
# ///
"""Compiled trees, in an environment of their own: lleaves needs an older llvmlite than numba.

`grid.py` starts it with a folder and a number of repeats. The folder has `model.txt` and `matrix.npy`.
An `.npz` file comes beside them for each compiler: predictions, and CPU seconds to compile, to predict,
and of `Booster.predict` in turn.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import lleaves
import numpy as np
import tl2cgen
import treelite

Predict = Callable[[], np.ndarray]


def main(folder: Path, repeats: int) -> None:
    """Compile, and predict in each way."""
    matrix = np.load(folder / "matrix.npy", allow_pickle=False)
    booster = lgb.Booster(model_file=folder / "model.txt")
    for name, compiled in {"lleaves": by_llvm, "tl2cgen": by_gcc}.items():
        started = cpu()
        predict = compiled(folder, matrix)
        answer = {"to_compile": cpu() - started, "predicted": np.ravel(predict())}
        answer["usual"], answer["seconds"] = np.transpose(
            [
                (seconds(lambda: booster.predict(matrix, num_threads=1)), seconds(predict))
                for _ in range(repeats)
            ]
        )
        np.savez(folder / f"{name}.npz", **answer)


def by_llvm(folder: Path, matrix: np.ndarray) -> Predict:
    """lleaves: one function for each tree."""
    model = lleaves.Model(model_file=str(folder / "model.txt"))
    model.compile()
    return lambda: model.predict(matrix, n_jobs=1)


def by_gcc(folder: Path, matrix: np.ndarray) -> Predict:
    """tl2cgen: nested conditions in C, in eight units as its documentation advises for many trees."""
    model = treelite.frontend.load_lightgbm_model(str(folder / "model.txt"))
    library = str(folder / "trees.so")
    tl2cgen.export_lib(model, toolchain="gcc", libpath=library, params={"parallel_comp": 8})
    predictor = tl2cgen.Predictor(library, nthread=1)
    given = tl2cgen.DMatrix(matrix, dtype="float64")
    return lambda: predictor.predict(given)


def seconds(predict: Predict) -> float:
    """CPU seconds of a prediction."""
    started = time.process_time()
    predict()
    return time.process_time() - started


def cpu() -> float:
    """CPU seconds of this process and of the compilers that it started."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
