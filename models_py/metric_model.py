"""The model of one metric: a stacked base, the quantile shape around it, and its calibration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.base import Base, Belief, Rows, fit_base
from models_py.boosting import Profile, profile_for
from models_py.calibration import MINIMUM_GROUP, Offsets, fit_offsets
from models_py.features import Encoder
from models_py.shape import Shape, fit_shape, shape_inputs

MINIMUM_ROWS = 30
MINIMUM_CONFIGURATIONS = 16
LEAF_TREES = 128
GROUP = "hardware"
COMPARABLE = "comparable_group"
# A floor for the spread, as a share of the deviation of held-out residuals.
SPREAD_FLOOR = 0.05
UPPER_BOUNDED = frozenset({"throughput", "power_w"})


class TooFewRows(ValueError):
    """Not enough measurements to learn a metric honestly."""


@dataclass
class MetricModel:
    """Quantiles of one metric for any configuration.

    Attributes
    ----------
    floor
        Added to every spread, log units: families can agree and all be wrong.
    centre
        Mean log value of the training rows: stands in where physics gives no bound.
    residual_centre
        Mean log residual of the rows with a bound.
    measured
        Measured rows of each comparable group.
    noise
        Standard deviation of the logarithm between repeats; NaN where there are none.
    held_out
        Measured rows with the logarithm of their value and of the quantiles that were predicted
        without them, for reports.
    """

    metric: str
    levels: tuple[float, ...]
    encoder: Encoder
    base: Base
    shape: Shape
    floor: float
    offsets: Offsets
    centre: float
    residual_centre: float
    noise: float
    rows: int
    measured: dict[str, int]
    held_out: pd.DataFrame | None = None

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, metric: str, levels: tuple[float, ...], seed: int
    ) -> MetricModel:
        """Fit on the rows of `frame` where the metric was measured.

        Raises
        ------
        TooFewRows
            For fewer than `MINIMUM_ROWS` such rows, or too few configurations to hold some out.
        """
        measured = frame[frame[metric].notna()] if metric in frame else frame.iloc[:0]
        if len(measured) < MINIMUM_ROWS:
            raise TooFewRows(
                f"{metric} has {len(measured)} measured rows, {MINIMUM_ROWS} are needed"
            )
        configurations = pd.factorize(measured["config_id"])[0]
        if configurations.max() + 1 < MINIMUM_CONFIGURATIONS:
            raise TooFewRows(
                f"{metric} has {configurations.max() + 1} measured configurations,"
                f" {MINIMUM_CONFIGURATIONS} are needed"
            )
        log_value = np.log(measured[metric].to_numpy(float))
        log_bound = log_bounds(measured, metric)
        residual = log_value - log_bound
        centre = float(log_value.mean())
        residual_centre = 0.0 if np.isnan(residual).all() else float(np.nanmean(residual))
        encoder = Encoder.fit(measured.assign(log_bound=log_bound))
        features = encoder.transform(measured.assign(log_bound=log_bound))
        profile = profile_for(len(measured))
        # folds hold whole configurations: a repeat would tell the value of its twin
        shuffled = np.random.default_rng(seed).permutation(configurations.max() + 1)
        rows = Rows(
            features,
            log_value,
            _anchor(log_bound, centre, residual_centre),
            configurations,
            (shuffled % profile.folds)[configurations],
            encoder,
        )
        base, held = fit_base(rows, profile, seed)
        rows, known = rows.take(held.chosen), measured[held.chosen]
        groups = known[GROUP].to_numpy(object)
        fitted = _fit_calibrated_shape(
            rows, base, held.belief, groups, tuple(levels), profile, seed
        )
        model = cls(
            metric=metric,
            levels=tuple(levels),
            encoder=encoder,
            base=base,
            shape=fitted.shape,
            floor=fitted.floor,
            offsets=fitted.offsets,
            centre=centre,
            residual_centre=residual_centre,
            noise=_repeat_noise(measured, log_value),
            rows=len(measured),
            measured={str(k): int(n) for k, n in measured[COMPARABLE].value_counts().items()},
        )
        model.held_out = pd.DataFrame(
            model._bounded(fitted.held_out, log_bound[held.chosen]),
            columns=quantile_names(model.levels),
        ).assign(
            measurement_id=known["measurement_id"].to_numpy(object),
            log_value=rows.log_value,
            hardware=groups,
            comparable_group=known[COMPARABLE].to_numpy(object),
        )
        return model

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """See `PerformancePredictor.predict`."""
        return self.predict_with_members(frame)[0]

    def predict_with_members(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """What `predict` gives, and log predictions of the bag's members, shape (members, rows)."""
        features, anchor, log_bound = self._prepare(frame)
        belief, members = self.base.predict(features, anchor, self.encoder)
        spread = _spread(belief, self.base, self.floor)
        quantiles = self.shape.predict(shape_inputs(features, belief.mean - anchor, spread))
        groups = frame[GROUP].to_numpy(object)
        calibrated = self.offsets.apply(quantiles, groups)
        log_quantiles = belief.mean[:, None] + spread[:, None] * calibrated
        result = pd.DataFrame(
            np.exp(self._bounded(log_quantiles, log_bound)),
            columns=quantile_names(self.levels),
            index=frame.index,
        )
        result["epistemic"] = belief.epistemic
        result["aleatoric"] = self.noise
        reasons = [
            self._outside(*kinds)
            for kinds in zip(groups, frame[COMPARABLE].to_numpy(object), strict=True)
        ]
        result["in_domain"] = [reason is None for reason in reasons]
        result["domain_reason"] = pd.Series(reasons, index=frame.index, dtype=object)
        return result, self._bounded(members.T, log_bound).T

    def _outside(self, hardware: str, comparable_group: str) -> str | None:
        """Why coverage cannot be promised, or `None` where it can."""
        for name, rows in (
            (hardware, self.offsets.rows.get(hardware, 0)),
            (comparable_group, self.measured.get(comparable_group, 0)),
        ):
            if rows < MINIMUM_GROUP:
                return f"{self.metric}: {rows} measured rows of {name}, coverage is not promised"
        return None

    def leaf_indices(self, frame: pd.DataFrame) -> np.ndarray:
        """Leaves that each row reaches in the first trees of a member, shape (rows, trees)."""
        features, _, _ = self._prepare(frame)
        return self.base.bag.members[0].predict(
            features, pred_leaf=True, num_iteration=LEAF_TREES, num_threads=1
        )

    def _prepare(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        log_bound = log_bounds(frame, self.metric)
        features = self.encoder.transform(frame.assign(log_bound=log_bound))
        return features, _anchor(log_bound, self.centre, self.residual_centre), log_bound

    def _bounded(self, log_quantiles: np.ndarray, log_bound: np.ndarray) -> np.ndarray:
        limit = log_bound[:, None]
        clip = np.fmin if self.metric in UPPER_BOUNDED else np.fmax
        return clip(log_quantiles, limit)

    def knows_groups_of(self, other: MetricModel) -> bool:
        """Whether it has seen every device and comparable group that the other has."""
        return set(other.measured) <= set(self.measured) and other.devices <= self.devices

    @property
    def parameters(self) -> dict[str, object]:
        """How it was fitted, for experiment tracking."""
        return vars(profile_for(self.rows))

    @property
    def devices(self) -> set[str]:
        """Devices that it has seen."""
        return set(self.offsets.rows)

    @property
    def inputs(self) -> list[str]:
        """Columns of a feature frame that `predict` reads, where they are there."""
        learned = [name for name in self.encoder.names if name != "log_bound"]
        return list(dict.fromkeys([*learned, f"bound_{self.metric}", GROUP, COMPARABLE]))

    def save(self, directory: Path) -> None:
        """Boosters as LightGBM text, held-out predictions as Parquet, the rest as JSON."""
        directory.mkdir(parents=True, exist_ok=True)
        self.base.save(directory)
        self.shape.save(directory)
        description = {
            "metric": self.metric,
            "levels": self.levels,
            "encoder": self.encoder.to_dict(),
            "floor": self.floor,
            "offsets": {
                "everywhere": self.offsets.everywhere.tolist(),
                "by_group": {key: value.tolist() for key, value in self.offsets.by_group.items()},
                "rows": self.offsets.rows,
            },
            "centre": self.centre,
            "residual_centre": self.residual_centre,
            "noise": None if np.isnan(self.noise) else self.noise,
            "rows": self.rows,
            "measured": self.measured,
        }
        self.held_out.to_parquet(directory / "held_out.parquet")
        (directory / "model.json").write_text(json.dumps(description), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> MetricModel:
        """What `save` wrote."""
        saved = json.loads((directory / "model.json").read_text(encoding="utf-8"))
        offsets = saved["offsets"]
        return cls(
            metric=saved["metric"],
            levels=tuple(saved["levels"]),
            encoder=Encoder(**saved["encoder"]),
            base=Base.load(directory),
            shape=Shape.load(directory),
            floor=saved["floor"],
            offsets=Offsets(
                np.array(offsets["everywhere"]),
                {key: np.array(value) for key, value in offsets["by_group"].items()},
                offsets["rows"],
            ),
            centre=saved["centre"],
            residual_centre=saved["residual_centre"],
            noise=np.nan if saved["noise"] is None else saved["noise"],
            rows=saved["rows"],
            measured=saved["measured"],
            held_out=pd.read_parquet(directory / "held_out.parquet"),
        )


class _Calibrated(NamedTuple):
    """`held_out` holds the quantiles of each row as the other folds give them, log units."""

    shape: Shape
    floor: float
    offsets: Offsets
    held_out: np.ndarray


def _fit_calibrated_shape(
    rows: Rows,
    base: Base,
    held: Belief,
    groups: np.ndarray,
    levels: tuple[float, ...],
    profile: Profile,
    seed: int,
) -> _Calibrated:
    """K-fold cross-conformal: what widens the shape of a fold was fitted without that fold."""
    floor = SPREAD_FLOOR * float(np.std(rows.log_value - held.mean)) + 1e-6
    spread = _spread(held, base, floor)
    standardised = (rows.log_value - held.mean) / spread
    inputs = shape_inputs(rows.features, held.mean - rows.anchor, spread)
    quantiles = np.empty((len(rows), len(levels)))
    for fold in np.unique(rows.folds):
        here = rows.folds == fold
        shape = fit_shape(
            inputs[~here],
            standardised[~here],
            rows.encoder,
            levels,
            profile,
            seed + 1000 * (int(fold) + 1),
        )
        quantiles[here] = shape.predict(inputs[here])
    return _Calibrated(
        fit_shape(inputs, standardised, rows.encoder, levels, profile, seed),
        floor,
        fit_offsets(standardised, quantiles, levels, groups),
        held.mean[:, None]
        + spread[:, None]
        * _leave_fold_out_offsets(standardised, quantiles, levels, groups, rows.folds),
    )


def _spread(belief: Belief, base: Base, floor: float) -> np.ndarray:
    """The unit of the standardised residual, log units, shape (rows,)."""
    return np.sqrt(belief.epistemic**2 + base.noise) + floor


def _anchor(log_bound: np.ndarray, centre: float, residual_centre: float) -> np.ndarray:
    """What the residual is taken to: physics where it is known, else the mean."""
    return np.where(np.isnan(log_bound), centre, log_bound + residual_centre)


def quantile_names(levels: tuple[float, ...]) -> list[str]:
    """Column names of quantile levels.

    Examples
    --------
    >>> quantile_names((0.05, 0.5, 0.95))
    ['p05', 'p50', 'p95']
    """
    return [f"p{round(100 * level):02d}" for level in levels]


def log_bounds(frame: pd.DataFrame, metric: str) -> np.ndarray:
    """Logarithm of the physical bound, NaN where there is none, shape (rows,)."""
    column = f"bound_{metric}"
    if column not in frame:
        return np.full(len(frame), np.nan)
    bound = frame[column].to_numpy(float, na_value=np.nan)
    return np.log(np.where(bound > 0, bound, np.nan))


def _repeat_noise(measured: pd.DataFrame, log_value: np.ndarray) -> float:
    """Pooled standard deviation between repeats of one configuration and framework version."""
    keys = [name for name in ("config_id", "framework_version") if name in measured]
    if not keys:
        return float("nan")
    groups = pd.Series(log_value).groupby([measured[key].to_numpy() for key in keys], dropna=False)
    freedom = groups.size().sub(1).clip(lower=0).sum()
    squares = groups.var(ddof=0).mul(groups.size()).sum()
    return float(np.sqrt(squares / freedom)) if freedom else float("nan")


def _leave_fold_out_offsets(
    standardised: np.ndarray,
    quantiles: np.ndarray,
    levels: tuple[float, ...],
    groups: np.ndarray,
    folds: np.ndarray,
) -> np.ndarray:
    """Quantiles of each fold, widened by offsets of the other folds: for honest coverage reports."""
    result = np.empty_like(quantiles)
    for fold in np.unique(folds):
        held = folds == fold
        offsets = fit_offsets(standardised[~held], quantiles[~held], levels, groups[~held])
        result[held] = offsets.apply(quantiles[held], groups[held])
    return result
