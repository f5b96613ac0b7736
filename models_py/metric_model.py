"""The model of one metric: bag, quantile shape and calibration on the log residual to physics."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from models_py.bag import Bag
from models_py.boosting import profile_for
from models_py.calibration import MINIMUM_GROUP, Offsets, fit_offsets
from models_py.features import Encoder
from models_py.stage import Stage, fit_stage

MINIMUM_ROWS = 30
MINIMUM_CONFIGURATIONS = 16
LEAF_TREES = 128
GROUP = "hardware"
COMPARABLE = "comparable_group"
UPPER_BOUNDED = frozenset({"throughput", "power_w"})


class TooFewRows(ValueError):
    """Not enough measurements to learn a metric honestly."""


@dataclass
class MetricModel:
    """Quantiles of one metric for any configuration.

    Attributes
    ----------
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
    stage: Stage
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
        model = cls(
            metric=metric,
            levels=tuple(levels),
            encoder=Encoder(),
            stage=Stage(Bag([]), [], 0.0),
            offsets=Offsets(np.zeros(len(levels) // 2), {}, {}),
            centre=float(log_value.mean()),
            residual_centre=float(np.nan_to_num(np.nanmean(residual)))
            if not np.isnan(residual).all()
            else 0.0,
            noise=_repeat_noise(measured, log_value),
            rows=len(measured),
            measured={str(k): int(n) for k, n in measured[COMPARABLE].value_counts().items()},
        )
        model.encoder = Encoder.fit(measured.assign(log_bound=log_bound))
        features = model.encoder.transform(measured.assign(log_bound=log_bound))
        target = log_value - model._anchor(log_bound)
        groups = measured[GROUP].to_numpy(object)
        model._fit_calibrated(features, target, groups, configurations, seed)
        quantiles = model.held_out.to_numpy() + model._anchor(log_bound)[:, None]
        model.held_out = pd.DataFrame(
            model._bounded(quantiles, log_bound), columns=quantile_names(model.levels)
        ).assign(
            measurement_id=measured["measurement_id"].to_numpy(object),
            log_value=log_value,
            hardware=groups,
            comparable_group=measured[COMPARABLE].to_numpy(object),
        )
        return model

    def _fit_calibrated(
        self,
        features: np.ndarray,
        target: np.ndarray,
        groups: np.ndarray,
        configurations: np.ndarray,
        seed: int,
    ) -> None:
        """K-fold cross-conformal: every fold refits everything that the final model fits.

        Folds hold whole configurations: a repeat would tell the value of its twin.
        """
        profile = profile_for(len(target))
        shuffled = np.random.default_rng(seed).permutation(configurations.max() + 1)
        folds = (shuffled % profile.folds)[configurations]
        centre, spread = np.zeros(len(target)), np.ones(len(target))
        quantiles = np.zeros((len(target), len(self.levels)))
        for fold in range(profile.folds):
            held = folds == fold
            stage = fit_stage(
                features[~held],
                target[~held],
                configurations[~held],
                self.encoder,
                self.levels,
                profile,
                seed + 1000 * (fold + 1),
            )
            members, spread[held], quantiles[held] = stage.predict(features[held])
            centre[held] = members.mean(axis=0)
        standardised = (target - centre) / spread
        self.offsets = fit_offsets(standardised, quantiles, self.levels, groups)
        self.stage = fit_stage(
            features, target, configurations, self.encoder, self.levels, profile, seed
        )
        calibrated = _leave_fold_out_offsets(standardised, quantiles, self.levels, groups, folds)
        self.held_out = pd.DataFrame(
            centre[:, None] + spread[:, None] * calibrated,
            columns=quantile_names(self.levels),
        )

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """See `PerformancePredictor.predict`."""
        return self.predict_with_members(frame)[0]

    def predict_with_members(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """What `predict` gives, and log predictions of the bag's members, shape (members, rows)."""
        features, anchor, log_bound = self._prepare(frame)
        members, spread, quantiles = self.stage.predict(features)
        groups = frame[GROUP].to_numpy(object)
        calibrated = self.offsets.apply(quantiles, groups)
        log_quantiles = (anchor + members.mean(axis=0))[:, None] + spread[:, None] * calibrated
        result = pd.DataFrame(
            np.exp(self._bounded(log_quantiles, log_bound)),
            columns=quantile_names(self.levels),
            index=frame.index,
        )
        result["epistemic"] = members.std(axis=0, ddof=1)
        result["aleatoric"] = self.noise
        reasons = [
            self._outside(*kinds)
            for kinds in zip(groups, frame[COMPARABLE].to_numpy(object), strict=True)
        ]
        result["in_domain"] = [reason is None for reason in reasons]
        result["domain_reason"] = pd.Series(reasons, index=frame.index, dtype=object)
        return result, self._bounded((anchor + members).T, log_bound).T

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
        return self.stage.bag.members[0].predict(
            features, pred_leaf=True, num_iteration=LEAF_TREES, num_threads=1
        )

    def _prepare(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        log_bound = log_bounds(frame, self.metric)
        features = self.encoder.transform(frame.assign(log_bound=log_bound))
        return features, self._anchor(log_bound), log_bound

    def _anchor(self, log_bound: np.ndarray) -> np.ndarray:
        """What the residual is taken to: physics where it is known, else the mean."""
        return np.where(np.isnan(log_bound), self.centre, log_bound + self.residual_centre)

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
        for kind, boosters in (("member", self.stage.bag.members), ("shape", self.stage.shape)):
            for position, booster in enumerate(boosters):
                booster.save_model(directory / f"{kind}_{position}.txt")
        description = {
            "metric": self.metric,
            "levels": self.levels,
            "encoder": self.encoder.to_dict(),
            "members": len(self.stage.bag.members),
            "floor": self.stage.floor,
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
        levels = tuple(saved["levels"])

        def boosters(kind: str, count: int) -> list[lgb.Booster]:
            return [lgb.Booster(model_file=directory / f"{kind}_{i}.txt") for i in range(count)]

        offsets = saved["offsets"]
        return cls(
            metric=saved["metric"],
            levels=levels,
            encoder=Encoder(**saved["encoder"]),
            stage=Stage(
                Bag(boosters("member", saved["members"])),
                boosters("shape", len(levels)),
                saved["floor"],
            ),
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
