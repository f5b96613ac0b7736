"""One selection: scores of all candidates, and a batch chosen jointly, test by test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.acquisition import best_alternative, knowledge_gradient
from models_py.derived import DerivedModel
from models_py.limits import Allowance, Limits
from models_py.metric_model import MetricModel

TARGETS = 512
# options that are weighed jointly: bounded, and so is what is kept for them (floats of 4 bytes)
MOST_JOINT = 30_000
MOST_ENTRIES = 50_000_000
ACCURACY, DECISION = "accuracy", "decision"
EXPECTED = ("variance_removed", "regret_removed")


class Choice(NamedTuple):
    """A test of the batch.

    Attributes
    ----------
    option
        Its position.
    serves
        Which end it was chosen for.
    left
        Epistemic variance that was left of it.
    variance_removed
        Share of the targets' epistemic variance that it is expected to remove.
    regret_removed
        Regret of its workload, in log utility, that it is expected to remove.
    """

    option: int
    serves: str
    left: float
    variance_removed: float
    regret_removed: float
    reason: str


class Selection:
    """Arrays over the options, what was chosen, and why.

    Batches are chosen jointly: each test counts with what the earlier ones leave open. Taking the top k
    by uncertainty picks near copies of one configuration; replayed on public tables it needs more tests
    than random selection.

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
    limits
        What the batch may hold.
    features
        Feature frame of some options (positions), of which the options then need not have columns.
    """

    def __init__(
        self,
        model: MetricModel | DerivedModel,
        options: pd.DataFrame,
        direction: int,
        weights: Mapping[str, float],
        decision_share: float,
        limits: Limits,
        seed: int,
        features: Callable[[np.ndarray], pd.DataFrame] | None = None,
    ) -> None:
        self.frame = options
        self.features = features or options.iloc.__getitem__
        self.limits = limits
        self.weights = weights
        self.decision_share = decision_share
        self.candidate = options["is_candidate"].to_numpy(bool)
        # a test that fails tells nothing of the metric
        self.prob_feasible = options["prob_feasible"].fillna(1).to_numpy(float)
        self.workload = pd.factorize(options["workload_id"])[0]
        first = np.flatnonzero(options["rank"] == 1)
        # the recommended option of each option's workload
        self.leader = first[np.argsort(self.workload[first])][self.workload]
        measured = options["measured_value"].to_numpy(float, na_value=np.nan)
        known = ~np.isnan(measured)
        value = np.where(known, measured, options["p50"].to_numpy(float))
        self.utility = direction * np.log(value)
        self.epistemic = np.where(known, 0, options["epistemic"].to_numpy(float) ** 2)
        self.alternative = best_alternative(self.utility, self.workload)
        self.chosen: list[Choice] = []
        self.prior, self.before, self.left = np.ones((3, len(options)))
        self.information, self.decision = np.zeros((2, len(options)))
        candidates = np.flatnonzero(self.candidate)
        generator = np.random.default_rng(seed)
        self.targets = generator.permutation(candidates)[:TARGETS]
        size = min(MOST_JOINT, MOST_ENTRIES // model.conditioned_rows)
        if len(candidates) > size:
            candidates = self._shortlist(model, candidates, size, generator)
        self._consider(model, candidates)

    def _shortlist(
        self,
        model: MetricModel | DerivedModel,
        candidates: np.ndarray,
        size: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Candidates that promise most for either end, and others by chance: `size` at most."""
        chance = np.sort(generator.permutation(candidates)[: size // 3])
        self._consider(model, chance)
        self._estimate(np.setdiff1d(candidates, chance, assume_unique=True))
        free = np.flatnonzero(Allowance(self.limits, self.frame).free)
        if len(free) <= size:
            return free
        scores = pd.DataFrame({"information": self.information, "decision": self.decision}).iloc[
            free
        ]
        if self.limits.per_hardware:
            # where one device may take up little of the batch, the others have to be there
            hardware = self.frame["hardware"].iloc[free].array
            scores = -scores.groupby(hardware).rank(ascending=False)
        best = [scores[name].nlargest(size // 3).index for name in scores]
        return np.unique(np.concatenate([*best, np.intersect1d(chance, free)]))

    def _estimate(self, others: np.ndarray) -> None:
        """Scores of candidates that no joint belief is held about, from those of their hardware inside.

        What a test that runs tells of all candidates is taken to grow with its own epistemic variance.
        """
        told = self.information / np.maximum(self.prob_feasible, 1e-12)
        known = pd.DataFrame({"told": told, "variance": self.epistemic, "prior": self.prior}).iloc[
            self.inside
        ]
        hardware = self.frame["hardware"]
        means = known.groupby(hardware.iloc[self.inside].array).mean()
        like = means.reindex(hardware.iloc[others]).fillna(known.mean()).reset_index(drop=True)
        variance = np.maximum(self.epistemic[others], 1e-12)
        told = like["told"] / like["variance"].clip(1e-12) * variance
        self.information[others] = self.prob_feasible[others] * told
        self.prior[others] = np.maximum(like["prior"], variance)
        self.before[others] = self.left[others] = variance
        self.decision[others] = self._knowledge_gradient(others)

    def _consider(self, model: MetricModel | DerivedModel, inside: np.ndarray) -> None:
        """Hold a joint belief about some candidates (positions) and about the targets."""
        self.rows = np.union1d(inside, self.targets)
        asked = np.searchsorted(self.rows, self.targets)
        self.inside, self.place = inside, np.searchsorted(self.rows, inside)
        self.posterior = None  # what an earlier one holds is not needed beside the next
        self.posterior = model.posterior(self.features(self.rows), asked)
        self.open_variance = max(float(self.posterior.variance[asked].sum()), 1e-12)
        self.prior[inside] = self.posterior.prior[self.place]
        self.before[inside] = np.maximum(self.posterior.variance[self.place], 1e-12)
        self.left[inside] = self.before[inside]
        self.information[inside] = self._information()
        self.decision[inside] = self._knowledge_gradient(inside)

    def _information(self) -> np.ndarray:
        """Share of the targets' epistemic variance that tests inside are expected to remove."""
        share = self.posterior.gain()[self.place] / self.open_variance
        return self.prob_feasible[self.inside] * share

    def _knowledge_gradient(self, options: np.ndarray) -> np.ndarray:
        """Regret of their workloads that tests of some candidates are expected to remove."""
        gain = knowledge_gradient(
            self.utility[options],
            self.epistemic[options] * self.left[options] / self.before[options],
            self.alternative[options],
            self.posterior.noise,
        )
        return self.prob_feasible[options] * gain

    def choose(self) -> None:
        """Choose tests one by one, each conditional on the earlier ones, within the limits.

        Costs count where budgets bind: if the batch that is best without them is not affordable, each
        gain is divided by the share of the budgets that it takes (cost-effective greedy selection,
        Leskovec et al. 2007).
        """
        before = copy(self.posterior)
        options = self.frame.iloc[self.inside]
        allowance = Allowance(self.limits, options)
        self._choose(allowance)
        if allowance.overspent:
            self.posterior, self.chosen = before, []
            self.left[self.inside] = self.posterior.variance[self.place]
            self._choose(Allowance(self.limits, options, strict=True))

    def _choose(self, allowance: Allowance) -> None:
        for number in range(1, self.limits.tests + 1):
            distance = np.sqrt(self.left[self.inside] / self.prior[self.inside])
            free = allowance.free & (distance >= self.limits.minimum_distance)
            if allowance.overspent or not free.any():
                return
            chosen = self._best(number, free, allowance.price)
            self.posterior.observe(int(self.place[chosen]))
            self.left[self.inside] = self.posterior.variance[self.place]
            allowance.take(chosen)

    def _best(self, number: int, free: np.ndarray, price: np.ndarray) -> int:
        """Choose the next test, and return its place among the options inside.

        A test for decisions is the one with the largest product of what it tells and of what it does
        for its workload: of tests that decide nearly alike, the one that tells of others too.
        """
        information = self._information()
        regret = self._knowledge_gradient(self.inside)
        its_turn = int(number * self.decision_share) > int((number - 1) * self.decision_share)
        both = np.where(free, information * regret / price, 0)
        if its_turn and both.max() > 0:
            serves, place = DECISION, int(np.argmax(both))
        else:
            serves, place = ACCURACY, int(np.argmax(np.where(free, information / price, -1)))
        option, share = int(self.inside[place]), float(information[place])
        reason = (
            self._decision_reason(option)
            if serves == DECISION
            else self._accuracy_reason(option, share)
        )
        left = float(self.left[option])
        self.chosen.append(Choice(option, serves, left, share, float(regret[place]), reason))
        return place

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

    def _accuracy_reason(self, test: int, share: float) -> str:
        row = self.frame.iloc[test]
        return (
            f"accuracy: expected to remove {100 * share:.2g} % of what is uncertain about all"
            f" candidates; its 90 % interval spans a factor of {row['p95'] / row['p05']:.2f}"
        )

    def scored(self) -> pd.DataFrame:
        """The candidates with their scores; see `ActiveLearningSystem.score`."""
        of_gain, of_hardware = self.weights["information_gain"], self.weights["hardware"]
        gain, factor = _to_unit(self.information), _to_unit(self.decision)
        left = self.left.copy()
        left[[choice.option for choice in self.chosen]] = [choice.left for choice in self.chosen]
        scores = {
            "uncertainty": _to_unit(self.frame["epistemic"].to_numpy()),
            "diversity": np.sqrt(np.clip(left / self.prior, 0, 1)),
            "expected_information_gain": gain,
            "hardware_optimization_factor": factor,
            "combined_score": (of_gain * gain + of_hardware * factor) / (of_gain + of_hardware),
            "recommended_hardware": self.frame["hardware"].array.take(self.leader),
        }
        rows = _together(self.candidate)
        scored = self.frame.iloc[rows].assign(**{name: each[rows] for name, each in scores.items()})
        scored["hardware_match"] = scored["hardware"] == scored["recommended_hardware"]
        batch = pd.DataFrame(self.chosen, columns=Choice._fields).set_index("option")
        batch["batch_order"] = range(1, len(batch) + 1)
        types = {"batch_order": "Int64", "serves": "string", "reason": "string"}
        batch = batch.drop(columns="left").astype(types | dict.fromkeys(EXPECTED, float))
        return scored.join(batch).reset_index(drop=True)


def _together(chosen: np.ndarray) -> slice | np.ndarray:
    """Positions of chosen rows (mask); a slice, of which no copy is made, where they lie together."""
    places = np.flatnonzero(chosen)
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return slice(places[0], places[-1] + 1)
    return places


def _to_unit(values: np.ndarray) -> np.ndarray:
    """Scaled so that the largest is 1."""
    largest = values.max(initial=0)
    return values / largest if largest > 0 else np.zeros_like(values, dtype=float)
