# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "ngboost==0.6.0",           # natural gradient boosting of a normal distribution
#     "catboost==1.2.10",         # boosting with ordered target statistics of categories
#     "quantile-forest==1.4.2",   # quantile regression forests
#     "mapie==1.6.0",             # cross-conformalised quantile regression
#     "lightgbm==4.7.0",          # what mapie conformalises
# ]
# ///
"""Peers, in an environment of their own: they need older libraries than the project.

`accuracy.py` and `calibration.py` start it: matrices of splits in, quantiles out, as `.npz` files.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np
from catboost import CatBoostRegressor, Pool
from lightgbm import LGBMRegressor
from mapie.regression import CrossConformalizedQuantileRegressor
from ngboost import NGBRegressor
from quantile_forest import RandomForestQuantileRegressor
from scipy.stats import norm
from sklearn.model_selection import GroupKFold


def main(folder: Path) -> None:
    """Answer every `*.split.npz` with one `*.NUMBER.npz` per peer."""
    warnings.filterwarnings("ignore")
    for path in sorted(folder.glob("*.split.npz")):
        with np.load(path, allow_pickle=False) as given:
            split = {name: given[name] for name in given.files}
        for number, (name, peer) in enumerate(PEERS.items()):
            started = time.process_time()
            quantiles = np.sort(peer(split), axis=1) + split["asked_anchor"][:, None]
            seconds = time.process_time() - started
            answer = folder / f"{path.name.split('.')[0]}.{number}.npz"
            np.savez(answer, name=name, quantiles=quantiles, seconds=seconds)


def ngboost(split: dict[str, np.ndarray]) -> np.ndarray:
    """Normal distribution of the residual, library defaults."""
    features, asked = _filled(split)
    model = NGBRegressor(random_state=int(split["seed"]), verbose=False)
    found = model.fit(features, split["target"]).pred_dist(asked)
    return found.loc[:, None] + found.scale[:, None] * norm.ppf(split["levels"])


def catboost(split: dict[str, np.ndarray]) -> np.ndarray:
    """All quantiles at once, library defaults, categories as categories."""
    levels = ",".join(map(str, split["levels"]))
    model = CatBoostRegressor(
        loss_function=f"MultiQuantile:alpha={levels}",
        random_seed=int(split["seed"]),
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    model.fit(_pool(split, "features", split["target"]))
    return model.predict(_pool(split, "asked", None))


def forest(split: dict[str, np.ndarray]) -> np.ndarray:
    """A quantile regression forest of 300 trees (Meinshausen 2006)."""
    features, asked = _filled(split)
    model = RandomForestQuantileRegressor(300, random_state=int(split["seed"]), n_jobs=1)
    return model.fit(features, split["target"]).predict(asked, list(split["levels"]))


def mapie(split: dict[str, np.ndarray]) -> np.ndarray:
    """CV+ around LightGBM quantiles with parameters for small tables; folds of configurations."""
    levels = split["levels"]
    pairs = len(levels) // 2
    model = CrossConformalizedQuantileRegressor(
        LGBMRegressor(
            objective="quantile",
            alpha=0.5,
            n_estimators=300,
            learning_rate=0.05,
            num_leaves=8,
            min_child_samples=3,
            colsample_bytree=0.6,
            extra_trees=True,
            random_state=int(split["seed"]),
            n_jobs=1,
            verbose=-1,
        ),
        confidence_level=[float(levels[-1 - i] - levels[i]) for i in range(pairs)],
        cv=GroupKFold(5),
        random_state=int(split["seed"]),
    )
    model.fit_conformalize(split["features"], split["target"], groups=split["configurations"])
    middle, intervals = model.predict_interval(split["asked"])
    return np.column_stack([intervals[:, 0], middle, intervals[:, 1, ::-1]])


PEERS = {"NGBoost": ngboost, "CatBoost": catboost, "quantile forest": forest, "MAPIE": mapie}


def _filled(split: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Both matrices, -1 where a value is missing."""
    return np.nan_to_num(split["features"], nan=-1), np.nan_to_num(split["asked"], nan=-1)


def _pool(split: dict[str, np.ndarray], rows: str, target: np.ndarray | None) -> Pool:
    categorical = list(split["categorical"])
    columns = list(split[rows].T)
    for position in categorical:
        columns[position] = np.nan_to_num(columns[position], nan=-1).astype(int).astype(str)
    matrix = np.array([list(row) for row in zip(*columns, strict=True)], dtype=object)
    return Pool(matrix, target, cat_features=categorical)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
