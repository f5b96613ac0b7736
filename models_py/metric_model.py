"""The model of one metric: a stacked base, the quantile shape around it, and its calibration."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from models_py.belief import Belief, Rows
from models_py.boosting import profile_for
from models_py.calibration import MINIMUM_GROUP, Offsets, fit_offsets, undercovered
from models_py.features import CATEGORICAL, NUMERIC, Encoder
from models_py.measured import measured_rows, not_too_often, repeat_noise
from models_py.posterior import Posterior
from models_py.scores import covered
from models_py.stage import Stage, fit_light, fit_nested

GROUP = "hardware"
COMPARABLE = "comparable_group"
IDENTITY = ("measurement_id", "config_id", "framework_version")
NOMINAL = 0.9
UPPER_BOUNDED = frozenset({"throughput", "power_w"})


@dataclass
class MetricModel:
    """Quantiles of one metric for any configuration.

    Attributes
    ----------
    centre
        Mean log value of the training rows: stands in where physics gives no bound.
    residual_centre
        Mean log residual of the rows with a bound.
    rows
        Measured rows.
    groups, devices
        Comparable groups and devices that it has seen, and how many configurations of each its
        intervals were calibrated on.
    models
        Names of the models that it has seen.
    undercovered
        Held-out coverage of devices whose intervals cover less than chance explains.
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
    groups: dict[str, int]
    devices: dict[str, int]
    models: list[str]
    undercovered: dict[str, float]
    held_out: pd.DataFrame | None = None

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        metric: str,
        levels: tuple[float, ...],
        seed: int,
        light: bool = False,
    ) -> MetricModel:
        """Fit on the rows of `frame` where the metric was measured.

        Parameters
        ----------
        light
            For replays that refit hundreds of times: the same base, normal quantiles, no nested folds.
            No coverage is promised.

        Raises
        ------
        TooFewRows
            For fewer than `MINIMUM_ROWS` such rows, or too few configurations to hold some out.
        """
        # rows are copied several times: without what is not learned from
        measured = measured_rows(frame[_learned_columns(frame, metric)], metric)
        count, noise = len(measured), repeat_noise(measured, metric)
        measured = measured[not_too_often(measured["config_id"], seed)]
        log_value = np.log(measured[metric].to_numpy(float))
        log_bound = log_bounds(measured, metric)
        residual = log_value - log_bound
        centre = float(log_value.mean())
        residual_centre = 0.0 if np.isnan(residual).all() else float(np.nanmean(residual))
        encoder = Encoder.fit(measured.assign(log_bound=log_bound))
        features = encoder.transform(measured.assign(log_bound=log_bound))
        anchor = _anchor(log_bound, centre, residual_centre)
        configurations = pd.factorize(measured["config_id"])[0]
        rows = Rows(features, anchor, encoder, log_value, configurations)
        fit = fit_light if light else fit_nested
        nested = fit(rows, tuple(levels), profile_for(len(rows)), seed)
        known, held = measured[nested.chosen], nested.held_out
        groups = known[GROUP].to_numpy(object)
        standardised = (log_value[nested.chosen] - held.centre) / held.spread
        kinds = groups, configurations[nested.chosen]
        offsets = fit_offsets(standardised, held.quantiles, tuple(levels), *kinds)
        calibrating = known.iloc[:0] if light else known
        model = cls(
            metric=metric,
            levels=tuple(levels),
            encoder=encoder,
            stage=nested.stage,
            offsets=offsets,
            centre=centre,
            residual_centre=residual_centre,
            noise=noise,
            rows=count,
            groups=_calibrating(measured, calibrating, COMPARABLE),
            devices=_calibrating(measured, calibrating, GROUP),
            models=sorted(measured["model_name"].unique()),
            undercovered={},
        )
        calibrated = _leave_fold_out_offsets(
            standardised, held.quantiles, model.levels, *kinds, nested.folds
        )
        log_quantiles = model._bounded(held.log_quantiles(calibrated), log_bound[nested.chosen])
        model._keep_held_out(known, log_value[nested.chosen], log_quantiles)
        return model

    def _keep_held_out(
        self, known: pd.DataFrame, log_value: np.ndarray, log_quantiles: np.ndarray
    ) -> None:
        """What was said of rows without them, and the devices of which it was not right enough."""
        self.held_out = pd.DataFrame(log_quantiles, columns=quantile_names(self.levels)).assign(
            measurement_id=known["measurement_id"].to_numpy(object),
            log_value=log_value,
            hardware=known[GROUP].to_numpy(object),
            comparable_group=known[COMPARABLE].to_numpy(object),
        )
        inside = covered(*(self.held_out[name] for name in ("log_value", "p05", "p95")))
        self.undercovered = undercovered(
            inside.to_numpy(), known["config_id"].to_numpy(), known[GROUP].to_numpy(object), NOMINAL
        )

    def predict(self, frame: pd.DataFrame, belief: Belief | None = None) -> pd.DataFrame:
        """See `PerformancePredictor.predict`.

        `belief` is what the process says of the rows, where that is known already; see `jointly`.
        """
        rows, log_bound = self._prepare(frame)
        standardised, belief = self.stage.predict(rows, belief)
        groups = frame[GROUP].to_numpy(object)
        calibrated = self.offsets.apply(standardised.quantiles, groups)
        result = pd.DataFrame(
            np.exp(self._bounded(standardised.log_quantiles(calibrated), log_bound)),
            columns=quantile_names(self.levels),
            index=frame.index,
        )
        result["epistemic"] = belief.epistemic
        result["aleatoric"] = self.noise
        reasons = by_cell(frame, self._outside)
        result["in_domain"] = pd.isna(reasons)
        result["domain_reason"] = pd.Series(reasons, index=frame.index, dtype=object)
        return result

    def _outside(self, comparable_group: str, hardware: str) -> str | None:
        """Why coverage cannot be promised, or `None` where it can."""
        for name, seen in ((hardware, self.devices), (comparable_group, self.groups)):
            if seen.get(name, 0) < MINIMUM_GROUP:
                return (
                    f"{self.metric}: intervals were calibrated on {seen.get(name, 0)} configurations"
                    f" of {name}, coverage is not promised"
                )
        if hardware in self.undercovered:
            coverage = 100 * self.undercovered[hardware]
            return (
                f"{self.metric}: {100 * NOMINAL:.0f} % intervals of {hardware} cover"
                f" {coverage:.0f} % of held-out rows, coverage is not promised"
            )
        return None

    @property
    def conditioned_rows(self) -> int:
        """Rows that the joint belief is conditioned on."""
        return len(self.stage.base.process.remainder.target)

    def posterior(self, frame: pd.DataFrame, targets: np.ndarray) -> Posterior:
        """The joint belief about rows of a feature frame.

        Parameters
        ----------
        targets
            Positions of rows whose variance tests are to remove.
        """
        # rows of a new device, model or framework share its effect, and a test of one tells of others
        rows, _ = self._prepare(frame, tell_unseen_apart=True)
        return self.stage.base.posterior(rows, targets)

    def correlation(self, frame: pd.DataFrame) -> np.ndarray:
        """Correlation of what the logarithms of rows of a feature frame will turn out to be."""
        return self.stage.base.correlation(self._prepare(frame, tell_unseen_apart=True)[0])

    def belief(self, frame: pd.DataFrame) -> Belief:
        """What the process says of rows of a feature frame."""
        return self.stage.base.process.predict(self._prepare(frame)[0])

    def jointly(self, frame: pd.DataFrame, groups: np.ndarray) -> tuple[Belief, list[np.ndarray]]:
        """What the process says of rows of a feature frame, and `correlation` within each group.

        See `GaussianProcess.jointly`.
        """
        return self.stage.base.jointly(self._prepare(frame, tell_unseen_apart=True)[0], groups)

    @cached_property
    def digest(self) -> str:
        """Tells it from models that know otherwise what rows have in common."""
        process = self.stage.base.process.remainder
        said = self.held_out.select_dtypes(float).to_numpy()
        parts = (process.logarithms, process.target, *process.points, said)
        return sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()

    @property
    def identity(self) -> str:
        """Tells it from models that predict otherwise."""
        return self.digest

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What columns add to the predicted logarithm by the trees, beside physics; one column each.

        In large tables, where the trees boost the process, it is beside that.
        """
        added = self.stage.base.contributions(self._prepare(frame)[0].features)
        return pd.DataFrame(added, columns=self.encoder.names, index=frame.index)

    def _prepare(
        self, frame: pd.DataFrame, tell_unseen_apart: bool = False
    ) -> tuple[Rows, np.ndarray]:
        log_bound = log_bounds(frame, self.metric)
        features = self.encoder.transform(frame.assign(log_bound=log_bound), tell_unseen_apart)
        anchor = _anchor(log_bound, self.centre, self.residual_centre)
        return Rows(features, anchor, self.encoder), log_bound

    def _bounded(self, log_quantiles: np.ndarray, log_bound: np.ndarray) -> np.ndarray:
        if self.metric in UPPER_BOUNDED:
            return np.minimum(log_quantiles, np.nan_to_num(log_bound, nan=np.inf)[:, None])
        return np.maximum(log_quantiles, np.nan_to_num(log_bound, nan=-np.inf)[:, None])

    def applies(self, frame: pd.DataFrame) -> np.ndarray:
        """Whether rows are of a comparable group in which the metric is known, shape (rows,)."""
        return frame[COMPARABLE].isin(self.groups).to_numpy()

    @property
    def parameters(self) -> dict[str, object]:
        """How it was fitted, for experiment tracking."""
        known = self.conditioned_rows if self.stage.base.boosts else 0
        return vars(profile_for(known + len(self.held_out)))

    @property
    def inputs(self) -> list[str]:
        """Columns of a feature frame that `predict` reads, where they are there."""
        learned = [name for name in self.encoder.names if name != "log_bound"]
        return list(dict.fromkeys([*learned, f"bound_{self.metric}", GROUP, COMPARABLE]))

    def save(self, directory: Path) -> None:
        """Boosters as LightGBM text, held-out predictions as Parquet, the rest as JSON."""
        directory.mkdir(parents=True, exist_ok=True)
        self.stage.save(directory)
        description = {
            "metric": self.metric,
            "levels": self.levels,
            "encoder": self.encoder.to_dict(),
            "offsets": {
                "everywhere": self.offsets.everywhere.tolist(),
                "by_group": {key: value.tolist() for key, value in self.offsets.by_group.items()},
            },
            "centre": self.centre,
            "residual_centre": self.residual_centre,
            "noise": None if np.isnan(self.noise) else self.noise,
            "rows": self.rows,
            "groups": self.groups,
            "devices": self.devices,
            "models": self.models,
            "undercovered": self.undercovered,
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
            stage=Stage.load(directory),
            offsets=Offsets(
                np.array(offsets["everywhere"]),
                {key: np.array(value) for key, value in offsets["by_group"].items()},
            ),
            centre=saved["centre"],
            residual_centre=saved["residual_centre"],
            noise=np.nan if saved["noise"] is None else saved["noise"],
            rows=saved["rows"],
            groups=saved["groups"],
            devices=saved["devices"],
            models=saved["models"],
            undercovered=saved["undercovered"],
            held_out=pd.read_parquet(directory / "held_out.parquet"),
        )


def _learned_columns(frame: pd.DataFrame, metric: str) -> list[str]:
    wanted = {*IDENTITY, *NUMERIC, *CATEGORICAL, metric, f"bound_{metric}"}
    return [name for name in frame if name in wanted]


def _anchor(log_bound: np.ndarray, centre: float, residual_centre: float) -> np.ndarray:
    """What the residual is taken to: physics where it is known, else the mean."""
    return np.where(np.isnan(log_bound), centre, log_bound + residual_centre)


def by_cell(frame: pd.DataFrame, look_up: Callable[[str, str], object]) -> np.ndarray:
    """What is looked up of each row's comparable group and device, once for each pair of them.

    Examples
    --------
    >>> cells = pd.DataFrame({"comparable_group": ["g", "g", "f"], "hardware": ["t4", "l4", "t4"]})
    >>> by_cell(cells, "{} on {}".format).tolist()
    ['g on t4', 'g on l4', 'f on t4']
    """
    (group, groups), (device, devices) = (
        pd.factorize(frame[name], use_na_sentinel=False) for name in (COMPARABLE, GROUP)
    )
    pairs, place = np.unique(group * len(devices) + device, return_inverse=True)
    found = np.empty(len(pairs), object)
    found[:] = [
        look_up(groups[pair // len(devices)], devices[pair % len(devices)]) for pair in pairs
    ]
    return found[place]


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


def _calibrating(measured: pd.DataFrame, held_out: pd.DataFrame, column: str) -> dict[str, int]:
    """How many configurations of each name were held out; every name that was measured."""
    counts = held_out.groupby(column)["config_id"].nunique()
    return {str(name): int(counts.get(name, 0)) for name in sorted(measured[column].unique())}


def _leave_fold_out_offsets(
    standardised: np.ndarray,
    quantiles: np.ndarray,
    levels: tuple[float, ...],
    groups: np.ndarray,
    configurations: np.ndarray,
    folds: np.ndarray,
) -> np.ndarray:
    """Quantiles of each fold, widened by offsets of the other folds: for honest coverage reports."""
    result = np.empty_like(quantiles)
    for fold in np.unique(folds):
        held = folds == fold
        kinds = groups[~held], configurations[~held]
        offsets = fit_offsets(standardised[~held], quantiles[~held], levels, *kinds)
        result[held] = offsets.apply(quantiles[held], groups[held])
    return result
