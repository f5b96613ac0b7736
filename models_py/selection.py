"""One selection: scores of all candidates, and a batch chosen jointly, test by test."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models_py.acquisition import (
    Clusters,
    Ensemble,
    embed,
    knowledge_gradient,
    variance_removed,
)
from models_py.metric_model import MetricModel

MEMBER = "member_"


class Selection:
    """Arrays over the options, what was chosen, and why.

    Parameters
    ----------
    model
        Model of the metric that is optimised for.
    options
        Ranked options, measured ones and candidates; see `ActiveLearningSystem.rank`.
    direction
        +1 where more of the metric is better, -1 where less is.
    weights
        Weights of `information_gain` and `hardware` in `combined_score`.
    decision_share
        Share of the batch that serves decisions, in [0, 1].
    """

    def __init__(
        self,
        model: MetricModel,
        options: pd.DataFrame,
        direction: int,
        weights: Mapping[str, float],
        decision_share: float,
        seed: int,
    ) -> None:
        self.weights = weights
        self.decision_share = decision_share
        noise = float(np.nan_to_num(model.noise)) ** 2
        self.candidate = options["is_candidate"].to_numpy(bool)
        measured = options["measured_value"].notna().to_numpy()
        names = [name for name in options.columns if name.startswith(MEMBER)]
        members = options[names].to_numpy(float).T.copy()
        self.frame = options.drop(columns=names)
        points = embed(members, model.leaf_indices(options), seed)
        self.clusters = Clusters(points, np.flatnonzero(measured))
        # what was measured is known: its members agree
        members[:, measured] = np.log(options["measured_value"][measured].to_numpy(float))
        self.utility = direction * members.mean(axis=0)
        self.ensemble = Ensemble(members, noise)
        self.workload = pd.factorize(options["workload_id"])[0]
        first = np.flatnonzero(options["rank"] == 1)
        # the recommended option of each option's workload
        self.leader = first[np.argsort(self.workload[first])][self.workload]
        # a test that fails tells nothing of the metric
        self.prob_feasible = options["prob_feasible"].fillna(1).to_numpy(float)
        self.information = self.prob_feasible * variance_removed(
            members, options["comparable_group"].to_numpy(), noise
        )
        self.decision = self._knowledge_gradient()
        self.reasons: dict[int, str] = {}
        self.distance_when_chosen: dict[int, float] = {}

    def _knowledge_gradient(self) -> np.ndarray:
        gain = knowledge_gradient(
            self.utility, self.ensemble.variance, self.ensemble.noise, self.workload
        )
        return np.where(self.candidate, self.prob_feasible * gain, 0)

    def choose(self, budget: int, caps: Mapping[str, int] | None = None) -> None:
        """Choose tests one by one, each conditional on the earlier ones."""
        hardware = self.frame["hardware"].to_numpy(object)
        left = dict(caps or {})
        free = self.candidate & np.array([left.get(name, 1) > 0 for name in hardware], bool)
        for number in range(1, budget + 1):
            if not free.any():
                return
            share = self.decision_share
            for_decision = int(number * share) > int((number - 1) * share)
            gain = np.where(free, self._knowledge_gradient(), 0) if for_decision else np.zeros(1)
            if gain.max() > 0:
                test = int(np.argmax(gain))
                self.reasons[test] = self._decision_reason(test)
            else:
                test = self.clusters.pick(free)
                self.reasons[test] = self._accuracy_reason(test)
            self.distance_when_chosen[test] = float(self.clusters.distance[test])
            self.ensemble.observe(test)
            self.clusters.add(test)
            free[test] = False
            if hardware[test] in left:
                left[hardware[test]] -= 1
                if left[hardware[test]] == 0:
                    free &= hardware != hardware[test]

    def _decision_reason(self, test: int) -> str:
        row, leader = self.frame.iloc[test], self.frame.iloc[self.leader[test]]
        if row["rank"] == 1:
            return (
                f"decision: predicted best platform of its workload with "
                f"{100 * row['prob_best']:.0f} % probability; measuring it settles the choice"
            )
        return (
            f"decision: has a {100 * row['prob_best']:.0f} % chance of being the best for its "
            f"workload, where {leader['hardware']} {leader['framework']} leads"
        )

    def _accuracy_reason(self, test: int) -> str:
        row = self.frame.iloc[test]
        like = self.clusters.represented(test)
        return (
            f"accuracy: farthest from anything measured among {like} similar configurations; "
            f"90 % interval spans a factor of {row['p95'] / row['p05']:.2f}"
        )

    def scored(self) -> pd.DataFrame:
        """The candidates with their scores; see `ActiveLearningSystem.score`."""
        of_gain, of_hardware = self.weights["information_gain"], self.weights["hardware"]
        gain, factor = _to_unit(self.information), _to_unit(self.decision)
        order = {test: number for number, test in enumerate(self.reasons, start=1)}
        positions = pd.Series(range(len(self.frame)))
        distance = self.clusters.distance.copy()
        distance[list(self.distance_when_chosen)] = list(self.distance_when_chosen.values())
        scored = self.frame.assign(
            uncertainty=_to_unit(self.frame["epistemic"].to_numpy()),
            diversity=_to_unit(np.sqrt(distance.astype(float))),
            expected_information_gain=gain,
            hardware_optimization_factor=factor,
            combined_score=(of_gain * gain + of_hardware * factor) / (of_gain + of_hardware),
            recommended_hardware=self.frame["hardware"].to_numpy(object)[self.leader],
            batch_order=positions.map(order).astype("Int64").array,
            reason=positions.map(self.reasons).astype("string").array,
        )
        scored["hardware_match"] = scored["hardware"] == scored["recommended_hardware"]
        return scored[self.candidate].reset_index(drop=True)


def _to_unit(values: np.ndarray) -> np.ndarray:
    """Scaled so that the largest is 1."""
    largest = values.max(initial=0)
    return values / largest if largest > 0 else np.zeros_like(values, dtype=float)
