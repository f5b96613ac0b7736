"""Latency worked out from throughput where a table does not measure it: Little's law (1961).

What is in flight equals throughput times latency. A table that divides one by the other knows no more
than one of them, so only throughput is learned there, and latency mirrors it, intervals and all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from models_py.belief import Belief
from models_py.measured import TooFewRows
from models_py.metric_model import (
    COMPARABLE,
    GROUP,
    MetricModel,
    by_cell,
    log_bounds,
    quantile_names,
)
from models_py.posterior import Posterior

DERIVED_FROM = {"latency_ms": "throughput"}
DESCRIPTION = "derived.json"


def derived_rows(frame: pd.DataFrame, metric: str) -> np.ndarray:
    """Which rows state a metric that their table derived, boolean, shape (rows,)."""
    flag = f"{metric}_is_derived"
    if metric not in DERIVED_FROM or flag not in frame or metric not in frame:
        return np.zeros(len(frame), bool)
    return frame[flag].eq(True).to_numpy(bool, na_value=False) & frame[metric].notna().to_numpy()


def log_work_in_flight(frame: pd.DataFrame) -> np.ndarray:
    """Logarithm of the work that is in flight, per millisecond of latency, shape (rows,).

    NaN where the batch is not known.

    Examples
    --------
    >>> runs = pd.DataFrame({"batch_work": [8.0], "concurrency": [2]})
    >>> float(np.exp(log_work_in_flight(runs)[0]).round(6))
    16000.0
    """
    work = frame["batch_work"].to_numpy(float, na_value=np.nan)
    concurrency = frame["concurrency"].fillna(1).to_numpy(float)
    return np.log(1000 * np.where(work > 0, work, np.nan) * concurrency)


@dataclass
class DerivedModel:
    """A metric that mirrors another where tables derive it, and is learned where they measure it.

    Stands where a `MetricModel` stands.

    Attributes
    ----------
    mirrors
        Whether it mirrors in a cell, (comparable group, device); under (comparable group, None) in
        that group on other devices.
    source
        Model of the metric that it is derived from.
    learned
        Model of the cells where it is measured, None where there are too few rows.
    rows
        Rows that state the metric.
    groups, devices, models
        Comparable groups, devices and models of these.
    """

    metric: str
    mirrors: dict[tuple[str, str | None], bool]
    source: MetricModel
    learned: MetricModel | None
    rows: int
    groups: list[str]
    devices: list[str]
    models: list[str]
    held_out: pd.DataFrame

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        metric: str,
        levels: tuple[float, ...],
        seed: int,
        source: MetricModel,
        light: bool = False,
    ) -> DerivedModel:
        """From a training frame and the fitted model of the metric that it is derived from.

        A cell mirrors where half of its rows or more are derived. `light` as in `MetricModel.fit`.
        """
        stated = frame[frame[metric].notna()]
        mirrors = _most_derived(stated, derived_rows(stated, metric))
        here = _looked_up(mirrors, stated)
        try:
            learned = MetricModel.fit(stated[~here], metric, levels, seed, light)
        except TooFewRows:
            learned = None
        parts = [_mirrored_held_out(source, stated[here], metric)]
        if learned is not None:
            parts.append(learned.held_out)
        return cls(
            metric,
            mirrors,
            source,
            learned,
            len(stated),
            sorted(stated[COMPARABLE].unique()),
            sorted(stated[GROUP].unique()),
            sorted(stated["model_name"].unique()),
            pd.concat(parts, ignore_index=True),
        )

    @property
    def levels(self) -> tuple[float, ...]:
        """Quantile levels."""
        return self.source.levels

    @property
    def noise(self) -> float:
        """Standard deviation of the logarithm between repeats."""
        return self.source.noise

    def applies(self, frame: pd.DataFrame) -> np.ndarray:
        """See `MetricModel.applies`; where it mirrors, the work must be known as well."""
        mirrored = _looked_up(self.mirrors, frame)
        served = ~np.isnan(log_work_in_flight(frame)) if mirrored.any() else mirrored
        served = np.where(mirrored, served, self.learned is not None)
        return frame[COMPARABLE].isin(self.groups).to_numpy() & served

    @property
    def parameters(self) -> dict[str, object]:
        """How it was fitted, for experiment tracking."""
        own = self.learned.parameters if self.learned else {}
        cells = sum(mirror for (_, device), mirror in self.mirrors.items() if device is not None)
        return {"derived_from": self.source.metric, "derived_cells": cells, **own}

    @property
    def inputs(self) -> list[str]:
        """Columns of a feature frame that `predict` reads, where they are there."""
        own = self.learned.inputs if self.learned else []
        return list(
            dict.fromkeys(
                [*self.source.inputs, *own, f"bound_{self.metric}", "batch_work", "concurrency"]
            )
        )

    def predict(self, frame: pd.DataFrame, of_source: pd.DataFrame | None = None) -> pd.DataFrame:
        """See `PerformancePredictor.predict`.

        Parameters
        ----------
        of_source
            What the source predicts of the rows, where that is known already.
        """
        mirrored = _looked_up(self.mirrors, frame)
        if not mirrored.any():
            return self._learn(frame)
        here = frame[mirrored]
        known = self.source.predict(here) if of_source is None else of_source[mirrored]
        mirror = self._mirror(here, known)
        if mirrored.all():
            return mirror
        order = np.r_[np.flatnonzero(mirrored), np.flatnonzero(~mirrored)].argsort()
        return pd.concat([mirror, self._learn(frame[~mirrored])]).iloc[order]

    @property
    def conditioned_rows(self) -> int:
        """See `MetricModel.conditioned_rows`."""
        return self.source.conditioned_rows

    def posterior(self, frame: pd.DataFrame, targets: np.ndarray) -> Posterior:
        """See `MetricModel.posterior`: of the source, which knows most configurations."""
        return self.source.posterior(frame, targets)

    def correlation(self, frame: pd.DataFrame) -> np.ndarray:
        """See `MetricModel.correlation`; of the source as well."""
        return self.source.correlation(frame)

    def jointly(self, frame: pd.DataFrame, groups: np.ndarray) -> tuple[Belief, list[np.ndarray]]:
        """See `MetricModel.jointly`; of the source as well."""
        return self.source.jointly(frame, groups)

    @property
    def digest(self) -> str:
        """See `MetricModel.digest`; of the source."""
        return self.source.digest

    @property
    def identity(self) -> str:
        """See `MetricModel.identity`."""
        own = self.learned.digest if self.learned else ""
        told = repr((self.metric, self.source.digest, own, sorted(self.mirrors.items(), key=repr)))
        return sha256(told.encode()).hexdigest()

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """See `MetricModel.contributions`; where it mirrors, of the source the other way round."""
        mirrored = _looked_up(self.mirrors, frame)
        if self.learned is None or mirrored.all():
            return -self.source.contributions(frame)
        if not mirrored.any():
            return self.learned.contributions(frame)
        parts = [
            -self.source.contributions(frame[mirrored]),
            self.learned.contributions(frame[~mirrored]),
        ]
        return pd.concat(parts).reindex(frame.index).fillna(0.0)

    def _mirror(self, frame: pd.DataFrame, of_source: pd.DataFrame) -> pd.DataFrame:
        predicted = of_source.copy()
        names = quantile_names(self.levels)
        work = log_work_in_flight(frame)
        bound = np.nan_to_num(log_bounds(frame, self.metric), nan=-np.inf)
        quantiles = work[:, None] - np.log(predicted[names].to_numpy())[:, ::-1]
        predicted[names] = np.exp(np.maximum(quantiles, bound[:, None]))
        outside = predicted["domain_reason"].notna()
        predicted.loc[outside, "domain_reason"] = (
            f"{self.metric} mirrors " + predicted["domain_reason"][outside]
        )
        unknown = np.isnan(work)
        predicted.loc[unknown, "in_domain"] = False
        predicted.loc[unknown, "domain_reason"] = f"{self.metric}: the work of a batch is not known"
        return predicted

    def _learn(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.learned is not None:
            return self.learned.predict(frame)
        predicted = self.source.predict(frame)
        predicted[[*quantile_names(self.levels), "epistemic", "aleatoric"]] = np.nan
        return predicted.assign(
            in_domain=False, domain_reason=f"{self.metric}: too few measured rows to learn from"
        )

    def save(self, directory: Path) -> None:
        """The models it consists of, in folders of their own."""
        self.source.save(directory / "source")
        if self.learned is not None:
            self.learned.save(directory / "learned")
        self.held_out.to_parquet(directory / "held_out.parquet")
        description = {
            "metric": self.metric,
            "mirrors": [[*cell, mirror] for cell, mirror in self.mirrors.items()],
            "rows": self.rows,
            "groups": self.groups,
            "devices": self.devices,
            "models": self.models,
        }
        (directory / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> DerivedModel:
        """What `save` wrote."""
        saved = json.loads((directory / DESCRIPTION).read_text(encoding="utf-8"))
        learned = directory / "learned"
        return cls(
            metric=saved["metric"],
            mirrors={(group, device): mirror for group, device, mirror in saved["mirrors"]},
            source=MetricModel.load(directory / "source"),
            learned=MetricModel.load(learned) if learned.is_dir() else None,
            rows=saved["rows"],
            groups=saved["groups"],
            devices=saved["devices"],
            models=saved["models"],
            held_out=pd.read_parquet(directory / "held_out.parquet"),
        )


def load_model(directory: Path) -> MetricModel | DerivedModel:
    """The model of a metric, whichever kind was saved."""
    kind = DerivedModel if (directory / DESCRIPTION).is_file() else MetricModel
    return kind.load(directory)


def _most_derived(frame: pd.DataFrame, derived: np.ndarray) -> dict[tuple[str, str | None], bool]:
    """Whether half of the rows or more are derived, by group and device and by group."""
    rows = pd.Series(derived)
    group, device = frame[COMPARABLE].to_numpy(), frame[GROUP].to_numpy()
    cells = {
        cell: bool(share >= 0.5) for cell, share in rows.groupby([group, device]).mean().items()
    }
    groups = {
        (name, None): bool(share >= 0.5) for name, share in rows.groupby(group).mean().items()
    }
    return cells | groups


def _looked_up(mirrors: dict[tuple[str, str | None], bool], frame: pd.DataFrame) -> np.ndarray:
    """Whether each row's cell mirrors, else its group, boolean; also in a group that is not known."""

    def mirrors_here(group: str, device: str) -> bool:
        return mirrors.get((group, device), mirrors.get((group, None), True))

    return by_cell(frame, mirrors_here).astype(bool)


def _mirrored_held_out(source: MetricModel, frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Held-out quantiles of the source, as quantiles of the metric, for rows of known work."""
    stated = frame[["measurement_id"]].assign(
        work=log_work_in_flight(frame), actual=np.log(frame[metric].to_numpy(float))
    )
    both = source.held_out.merge(stated[stated["work"].notna()], on="measurement_id")
    names = quantile_names(source.levels)
    quantiles = both["work"].to_numpy()[:, None] - both[names].to_numpy()[:, ::-1]
    both[names] = quantiles
    both["log_value"] = both["actual"]
    return both[[*names, "measurement_id", "log_value", GROUP, COMPARABLE]]
