"""Methods under comparison: training rows in, quantiles of the logarithm of other rows out.

Every method but the label-encoded ones reads the same columns, facts and roofline included, and all
but these learn the residual to the roofline: what is compared is the method, not what it was told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from unittest import mock

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from models_py import base
from models_py.bag import fit_bag
from models_py.boosting import LEVELS, profile_for
from models_py.features import Encoder
from models_py.gaussian_process import GaussianProcess
from models_py.metric_model import log_bounds, quantile_names
from models_py.predict import PerformancePredictor

LABELS = ["model_name", "hardware", "framework", "precision", "options", "task", "throughput_unit"]
NUMBERS = ["batch_size", "device_count", "input_length", "output_length", "image_size"]
NORMAL = stats.norm.ppf(LEVELS)


class Split(NamedTuple):
    """Training rows, rows to predict, and a seed."""

    training: pd.DataFrame
    test: pd.DataFrame
    metric: str
    seed: int

    @property
    def log_target(self) -> np.ndarray:
        """Logarithm of the measured values of the training rows."""
        return np.log(self.training[self.metric].to_numpy(float))

    @property
    def log_actual(self) -> np.ndarray:
        """Logarithm of the measured values of the test rows."""
        return np.log(self.test[self.metric].to_numpy(float))


class Answer(NamedTuple):
    """Quantiles of the logarithm, shape (rows, levels), and whether their coverage is promised."""

    quantiles: np.ndarray
    in_domain: np.ndarray | bool = True


class Matrices(NamedTuple):
    """A split as benchmart's encoder makes it.

    Attributes
    ----------
    features, asked
        Matrices of training and test rows.
    anchor, asked_anchor
        Logarithm of the roofline of these rows; 0 where there is none.
    """

    features: np.ndarray
    asked: np.ndarray
    anchor: np.ndarray
    asked_anchor: np.ndarray
    encoder: Encoder

    @classmethod
    def of(cls, split: Split) -> Matrices:
        """From frames."""
        bounds = [log_bounds(frame, split.metric) for frame in (split.training, split.test)]
        frames = [
            frame.assign(log_bound=bound)
            for frame, bound in zip((split.training, split.test), bounds, strict=True)
        ]
        encoder = Encoder.fit(frames[0])
        features = [encoder.transform(frame) for frame in frames]
        return cls(*features, *(np.nan_to_num(bound) for bound in bounds), encoder)


def benchmart(split: Split) -> Answer:
    """This project's predictor."""
    predictor = PerformancePredictor((split.metric,), seed=split.seed).fit(split.training)
    predicted = predictor.predict(split.test, split.metric)
    quantiles = np.log(predicted[quantile_names(LEVELS)].to_numpy())
    return Answer(quantiles, predicted["in_domain"].to_numpy(bool))


def benchmart_with_any_bag(split: Split) -> Answer:
    """The same with a bag also where it hardly helps."""
    with mock.patch.object(base, "LEAST_GAIN", 0.0):
        return benchmart(split)


def process_of_logarithm(split: Split) -> Answer:
    """Its Gaussian process of the logarithm alone."""
    return _process(split, np.zeros(len(split.training)), np.zeros(len(split.test)))


def process_of_residual(split: Split) -> Answer:
    """Its Gaussian process of the residual to the roofline alone."""
    inputs = Matrices.of(split)
    return _process(split, inputs.anchor, inputs.asked_anchor)


def _process(split: Split, anchor: np.ndarray, asked_anchor: np.ndarray) -> Answer:
    inputs = Matrices.of(split)
    target = split.log_target - anchor
    process = GaussianProcess.fit(inputs.features, target, inputs.encoder, split.seed)
    mean, deviation = process.predict(inputs.asked, inputs.encoder)
    return _normal(mean + asked_anchor, np.sqrt(deviation**2 + process.noise))


def bag(split: Split) -> Answer:
    """Its bag of boosters of the residual alone, with the deviation of held-out residuals."""
    inputs, configurations = Matrices.of(split), _configurations(split)
    residual = split.log_target - inputs.anchor
    profile = profile_for(len(residual))
    members, unseen = fit_bag(
        inputs.features, residual, configurations, inputs.encoder, profile, split.seed
    )
    deviation = np.std(residual - np.nanmean(unseen, axis=0))
    mean = members.predict(inputs.asked).mean(axis=0) + inputs.asked_anchor
    return _normal(mean, np.full(len(mean), deviation))


def label_encoded(split: Split) -> Answer:
    """Gradient boosting on label-encoded columns and the raw target, quantile loss for intervals."""
    inputs, asked = _labels(split)
    predicted = [
        HistGradientBoostingRegressor(
            loss="squared_error" if level == 0.5 else "quantile",
            quantile=None if level == 0.5 else level,
            random_state=split.seed,
        )
        .fit(inputs, split.training[split.metric])
        .predict(asked)
        for level in LEVELS
    ]
    return Answer(np.log(np.maximum(np.column_stack(predicted), 1e-3)))


def library_defaults(split: Split) -> Answer:
    """LightGBM with library defaults on label-encoded columns and the log target."""
    return _boosted(split)


def small_data(split: Split) -> Answer:
    """The same with parameters for small tables."""
    return _boosted(
        split,
        n_estimators=400,
        learning_rate=0.05,
        num_leaves=8,
        min_child_samples=3,
        colsample_bytree=0.6,
        reg_lambda=1.0,
        cat_smooth=2,
        cat_l2=2,
        min_data_per_group=3,
    )


def _boosted(split: Split, **parameters: object) -> Answer:
    inputs, asked = _labels(split)
    named = [name for name in LABELS if name in inputs]
    predicted = []
    for level in LEVELS:
        loss = {} if level == 0.5 else {"objective": "quantile", "alpha": level}
        model = lgb.LGBMRegressor(
            random_state=split.seed, n_jobs=1, verbose=-1, **loss, **parameters
        )
        model.fit(inputs, split.log_target, categorical_feature=named)
        predicted.append(model.predict(asked))
    return Answer(np.column_stack(predicted))


def ridge(split: Split) -> Answer:
    """Ridge on one-hot columns and hardware-framework pairs, log target; normal intervals."""
    training = split.training
    names = [name for name in LABELS if training[name].nunique() > 1] + ["hardware_framework"]
    numbers = [name for name in NUMBERS if training[name].nunique() > 1]
    inputs, asked = (
        frame[names].astype(str).join(np.log(frame[numbers].astype(float).fillna(1)))
        for frame in (training, split.test)
    )
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), names),
            (StandardScaler(), numbers),
        ),
        RidgeCV(alphas=np.logspace(-2, 1, 7), store_cv_results=True),
    )
    model.fit(inputs, split.log_target)
    last = model[-1]
    errors = last.cv_results_[:, list(last.alphas).index(last.alpha_)]
    middle = model.predict(asked)
    return _normal(middle, np.full(len(middle), np.sqrt(errors.mean())))


METHODS: dict[str, Callable[[Split], Answer]] = {
    "gradient boosting, label-encoded, raw target": label_encoded,
    "LightGBM, label-encoded, defaults": library_defaults,
    "LightGBM, label-encoded, small-data parameters": small_data,
    "one-hot ridge with pairs": ridge,
    "benchmart's process of the logarithm alone": process_of_logarithm,
    "benchmart's process of the residual alone": process_of_residual,
    "benchmart's bag alone": bag,
    "benchmart": benchmart,
    "benchmart with any bag": benchmart_with_any_bag,
}


def _normal(mean: np.ndarray, deviation: np.ndarray) -> Answer:
    return Answer(mean[:, None] + deviation[:, None] * NORMAL)


def _configurations(split: Split) -> np.ndarray:
    return pd.factorize(split.training["config_id"])[0]


def _labels(split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Columns as published that vary, names as integer codes."""
    both = pd.concat([split.training, split.test])
    coded = {name: pd.factorize(both[name], use_na_sentinel=False)[0] for name in LABELS}
    matrix = both[NUMBERS].astype(float).assign(**coded)
    rows = len(split.training)
    matrix = matrix.loc[:, matrix.iloc[:rows].nunique() > 1]
    return matrix.iloc[:rows], matrix.iloc[rows:]
