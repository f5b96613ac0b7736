"""Latency worked out from throughput where a table does not measure it: Little's law (1961).

What is in flight equals throughput times latency. A table that divides one by the other knows no more
than one of them, so only throughput is learned there, and latency mirrors it, intervals and all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models_py.metric_model import (
    COMPARABLE,
    GROUP,
    MetricModel,
    TooFewRows,
    log_bounds,
    quantile_names,
)

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
    """A metric that mirrors another in some comparable groups, and is learned in the others.

    Stands where a `MetricModel` stands.

    Attributes
    ----------
    groups
        Comparable groups in which the metric is derived.
    source
        Model of the metric that it is derived from.
    learned
        Model of the rows where it was measured, None where there are too few.
    """

    metric: str
    groups: frozenset[str]
    source: MetricModel
    learned: MetricModel | None
    held_out: pd.DataFrame

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        metric: str,
        levels: tuple[float, ...],
        seed: int,
        source: MetricModel,
    ) -> DerivedModel:
        """From a training frame and the fitted model of the metric that it is derived from."""
        derived = derived_rows(frame, metric)
        try:
            learned = MetricModel.fit(frame[~derived], metric, levels, seed)
        except TooFewRows:
            learned = None
        share = pd.Series(derived).groupby(frame[COMPARABLE].to_numpy()).mean()
        groups = frozenset(share.index[share >= 0.5])
        parts = [_mirrored_held_out(source, frame[derived], metric)]
        if learned is not None:
            parts.append(learned.held_out)
        return cls(metric, groups, source, learned, pd.concat(parts, ignore_index=True))

    @property
    def levels(self) -> tuple[float, ...]:
        """Quantile levels."""
        return self.source.levels

    @property
    def noise(self) -> float:
        """Standard deviation of the logarithm between repeats."""
        return self.source.noise

    @property
    def rows(self) -> int:
        """Rows with the metric, derived or measured."""
        return len(self.held_out)

    @property
    def measured(self) -> dict[str, int]:
        """Rows of each comparable group."""
        counts = self.held_out[COMPARABLE].value_counts()
        return {str(group): int(count) for group, count in counts.items()}

    def applies(self, frame: pd.DataFrame) -> np.ndarray:
        """See `MetricModel.applies`; where the metric is derived, the work must be known as well."""
        underived = ~frame[COMPARABLE].isin(self.groups)
        known = frame[COMPARABLE].isin(self.measured)
        return (known & (underived | ~np.isnan(log_work_in_flight(frame)))).to_numpy()

    def knows_groups_of(self, other: MetricModel | DerivedModel) -> bool:
        """See `MetricModel.knows_groups_of`."""
        return set(other.measured) <= set(self.measured) and other.devices <= self.devices

    @property
    def parameters(self) -> dict[str, object]:
        """How it was fitted, for experiment tracking."""
        own = self.learned.parameters if self.learned else {}
        return {"derived_from": self.source.metric, "derived_groups": len(self.groups), **own}

    @property
    def devices(self) -> set[str]:
        """Devices that it has seen."""
        return self.source.devices | (self.learned.devices if self.learned else set())

    @property
    def inputs(self) -> list[str]:
        """Columns of a feature frame that `predict` reads, where they are there."""
        own = self.learned.inputs if self.learned else []
        return list(
            dict.fromkeys(
                [*self.source.inputs, *own, f"bound_{self.metric}", "batch_work", "concurrency"]
            )
        )

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """See `PerformancePredictor.predict`."""
        return self.predict_with_members(frame)[0]

    def predict_with_members(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """See `MetricModel.predict_with_members`."""
        if self.learned is None:
            return self._mirror(frame)
        own = ~frame[COMPARABLE].isin(self.groups).to_numpy()
        mirrored, their_members = self._mirror(frame[~own])
        learned, our_members = self.learned.predict_with_members(frame[own])
        count = min(len(their_members), len(our_members))
        members = np.empty((count, len(frame)))
        members[:, ~own], members[:, own] = their_members[:count], our_members[:count]
        order = np.r_[np.flatnonzero(~own), np.flatnonzero(own)].argsort()
        result = pd.concat([mirrored, learned]).iloc[order]
        return result, members

    def leaf_indices(self, frame: pd.DataFrame) -> np.ndarray:
        """See `MetricModel.leaf_indices`: the source has seen every row."""
        return self.source.leaf_indices(frame)

    def _mirror(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        predicted, members = self.source.predict_with_members(frame)
        names = quantile_names(self.levels)
        work = log_work_in_flight(frame)
        bound = np.nan_to_num(log_bounds(frame, self.metric), nan=-np.inf)
        quantiles = work[:, None] - np.log(predicted[names].to_numpy())[:, ::-1]
        predicted[names] = np.exp(np.maximum(quantiles, bound[:, None]))
        unknown = np.isnan(work)
        predicted.loc[unknown, "in_domain"] = False
        predicted.loc[unknown, "domain_reason"] = f"{self.metric}: the work of a batch is not known"
        return predicted, work - members

    def save(self, directory: Path) -> None:
        """The models it consists of, in folders of their own."""
        self.source.save(directory / "source")
        if self.learned is not None:
            self.learned.save(directory / "learned")
        self.held_out.to_parquet(directory / "held_out.parquet")
        description = {"metric": self.metric, "groups": sorted(self.groups)}
        (directory / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> DerivedModel:
        """What `save` wrote."""
        saved = json.loads((directory / DESCRIPTION).read_text(encoding="utf-8"))
        learned = directory / "learned"
        return cls(
            saved["metric"],
            frozenset(saved["groups"]),
            MetricModel.load(directory / "source"),
            MetricModel.load(learned) if learned.is_dir() else None,
            pd.read_parquet(directory / "held_out.parquet"),
        )


def load_model(directory: Path) -> MetricModel | DerivedModel:
    """The model of a metric, whichever kind was saved."""
    kind = DerivedModel if (directory / DESCRIPTION).is_file() else MetricModel
    return kind.load(directory)


def _mirrored_held_out(source: MetricModel, frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Held-out quantiles of the source, as quantiles of the metric, for the rows of `frame`."""
    stated = frame[["measurement_id"]].assign(
        work=log_work_in_flight(frame), actual=np.log(frame[metric].to_numpy(float))
    )
    both = source.held_out.merge(stated, on="measurement_id")
    names = quantile_names(source.levels)
    quantiles = both["work"].to_numpy()[:, None] - both[names].to_numpy()[:, ::-1]
    both[names] = quantiles
    both["log_value"] = both["actual"]
    return both[[*names, "measurement_id", "log_value", GROUP, COMPARABLE]]
