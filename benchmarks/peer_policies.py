# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "torch==2.13.0",            # the network of bmdal_reg
#     "bmdal_reg==3.0.2",         # batch mode deep active learning for regression
#     "scikit-activeml==1.0.1",   # pool-based active learning
#     "scikit-learn==1.9.1",      # its regression tree
#     "numpy==2.4.6",             # arrays
# ]
# ///
"""Peers as policies, in an environment of their own: a worker that `peer_worker.py` starts.

It reads a line for every request, the path of an `.npz` file, and writes the positions that the
policy chooses beside it: `answer.npz`. It ends when its input does.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import torch

np.Inf = np.inf  # bmdal_reg was written for NumPy 1
from bmdal_reg.bmdal.algorithms import select_batch  # noqa: E402
from bmdal_reg.bmdal.feature_data import TensorFeatureData  # noqa: E402
from bmdal_reg.nn_interface import NNRegressor  # noqa: E402
from skactiveml.pool import GreedySamplingX, RegressionTreeBasedAL  # noqa: E402
from skactiveml.regressor import SklearnRegressor  # noqa: E402
from sklearn.tree import DecisionTreeRegressor  # noqa: E402

SMALLEST_LEAF = 5
SKETCH = 512

Request = dict[str, np.ndarray]


def main() -> None:
    """Answer requests, one line each, until there are no more."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        with np.load(path, allow_pickle=False) as given:
            request = {name: given[name] for name in given.files}
        # bmdal_reg prints its progress
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            chosen = PEERS[str(request["peer"])](request)
        np.savez(path.with_name("answer.npz"), chosen=np.asarray(chosen, dtype=int).ravel())
        print("answered", flush=True)


def greedy_sampling(request: Request) -> np.ndarray:
    """Greedy sampling in feature space, GSx (Yu & Kim 2010; Wu, Lin & Huang 2019)."""
    points, target = _pool(request)
    strategy = GreedySamplingX(random_state=int(request["seed"]))
    chosen = strategy.query(points, target, batch_size=int(request["count"]))
    return chosen - len(request["known"])


def regression_tree(request: Request, method: str) -> np.ndarray:
    """Tests by leaf of a regression tree, by its variance and share (Jose et al. 2023)."""
    points, target = _pool(request)
    seed = int(request["seed"])
    tree = DecisionTreeRegressor(min_samples_leaf=SMALLEST_LEAF, random_state=seed)
    strategy = RegressionTreeBasedAL(method=method, random_state=seed)
    chosen = strategy.query(
        points, target, SklearnRegressor(tree), batch_size=int(request["count"])
    )
    return chosen - len(request["known"])


def lcmd(request: Request) -> np.ndarray:
    """LCMD-TP with sketched gradients, what its paper recommends (Holzmüller et al. 2023).

    The network is the package's, with all its defaults; as in the paper, inputs are standardised on
    paid rows and candidates together, and softly clipped.
    """
    points = np.vstack([request["known"], request["asked"]])
    points = (points - points.mean(axis=0)) / (points.std(axis=0) + 1e-9)
    points = torch.as_tensor(5 * np.tanh(points / 5), dtype=torch.float)
    target = request["target"]
    target = (target - target.mean()) / target.std()
    network = NNRegressor(seed=int(request["seed"]), preprocess_data=False, device="cpu")
    paid = len(target)
    network.fit(points[:paid].numpy(), target)
    chosen, _ = select_batch(
        batch_size=int(request["count"]),
        models=[network.model_.get_single_model(0)],
        data={"train": TensorFeatureData(points[:paid]), "pool": TensorFeatureData(points[paid:])},
        y_train=None,
        base_kernel="grad",
        kernel_transforms=[("rp", [SKETCH])],
        selection_method="lcmd",
        sel_with_train=True,
    )
    return chosen.numpy()


PEERS = {
    "greedy sampling": greedy_sampling,
    "tree, diversity": lambda request: regression_tree(request, "diversity"),
    "tree, representativity": lambda request: regression_tree(request, "representativity"),
    "lcmd": lcmd,
}


def _pool(request: Request) -> tuple[np.ndarray, np.ndarray]:
    """All points, and their target: missing where it was not measured."""
    points = np.vstack([request["known"], request["asked"]])
    missing = np.full(len(request["asked"]), np.nan)
    return points, np.concatenate([request["target"], missing])


if __name__ == "__main__":
    main()
