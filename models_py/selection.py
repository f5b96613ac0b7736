"""One selection: scores of all candidates, and a batch chosen jointly, test by test."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.acquisition import knowledge_gradient
from models_py.derived import DerivedModel
from models_py.limits import Allowance, Limits
from models_py.metric_model import MetricModel

TARGETS = 512
# options that are weighed jointly: bounded, and so is what is kept for them (floats of 4 bytes)
MOST_JOINT = 50_000
MOST_ENTRIES = 60_000_000
ACCURACY, DECISION = "accuracy", "decision"


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
    """

    option: int
    serves: str
    left: float
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
    ) -> None:
        self.frame = options
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
        self.chosen: list[Choice] = []
        self.prior, self.before, self.left = np.ones((3, len(options)))
        self.information = np.zeros(len(options))
        candidates = np.flatnonzero(self.candidate)
        generator = np.random.default_rng(seed)
        self.targets = generator.permutation(candidates)[:TARGETS]
        # two processes at most
        size = min(MOST_JOINT, MOST_ENTRIES // (2 * model.conditioned_rows))
        for start in range(0, max(len(candidates), 1), size):
            self._consider(model, candidates[start : start + size])
        self.decision = self._knowledge_gradient()
        if len(candidates) > size:
            free = np.flatnonzero(Allowance(limits, options).free)
            self._consider(model, self._promising(free, size, generator))

    def _promising(self, free: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
        """The options that promise most for either end, and others by chance: `size` at most."""
        if len(free) <= size:
            return free
        scores = pd.DataFrame({"information": self.information, "decision": self.decision})
        scores = scores.assign(chance=generator.random(len(scores))).iloc[free]
        if self.limits.per_hardware:
            # where one device may take up little of the batch, the others have to be there
            hardware = self.frame["hardware"].to_numpy(object)[free]
            scores = -scores.groupby(hardware).rank(ascending=False)
        best = [scores[name].nlargest(size // 3).index for name in scores]
        return np.unique(np.concatenate(best))

    def _consider(self, model: MetricModel | DerivedModel, inside: np.ndarray) -> None:
        """Hold a joint belief about some candidates (positions) and about the targets."""
        self.rows = np.union1d(inside, self.targets)
        asked = np.searchsorted(self.rows, self.targets)
        self.inside, self.place = inside, np.searchsorted(self.rows, inside)
        self.posterior = None  # what an earlier one holds is not needed beside the next
        self.posterior = model.posterior(self.frame.iloc[self.rows], asked)
        self.open_variance = max(float(self.posterior.variance[asked].sum()), 1e-12)
        self.prior[inside] = self.posterior.prior[self.place]
        self.before[inside] = np.maximum(self.posterior.variance[self.place], 1e-12)
        self.left[inside] = self.before[inside]
        self.information[inside] = self._information()

    def _information(self) -> np.ndarray:
        """Share of the targets' epistemic variance that tests inside are expected to remove."""
        share = self.posterior.gain()[self.place] / self.open_variance
        return self.prob_feasible[self.inside] * share

    def _knowledge_gradient(self) -> np.ndarray:
        left = self.epistemic * self.left / self.before
        gain = knowledge_gradient(self.utility, left, self.posterior.noise, self.workload)
        return np.where(self.candidate, self.prob_feasible * gain, 0)

    def choose(self) -> None:
        """Choose tests one by one, each conditional on the earlier ones, within the limits.

        Costs count where budgets bind: if the batch that is best without them is not affordable, each
        gain is divided by the share of the budgets that it takes (cost-effective greedy selection,
        Leskovec et al. 2007).
        """
        before = copy(self.posterior)
        allowance = Allowance(self.limits, self.frame)
        self._choose(allowance)
        if allowance.overspent:
            self.posterior, self.chosen = before, []
            self.left[self.inside] = self.posterior.variance[self.place]
            self._choose(Allowance(self.limits, self.frame, strict=True))

    def _choose(self, allowance: Allowance) -> None:
        inside = np.isin(np.arange(len(self.frame)), self.inside)
        for number in range(1, self.limits.tests + 1):
            distance = np.sqrt(self.left / self.prior)
            free = allowance.free & inside & (distance >= self.limits.minimum_distance)
            if allowance.overspent or not free.any():
                return
            price = allowance.price
            choice = self._decision(number, free, price) or self._accuracy(free, price)
            self.chosen.append(choice)
            self.posterior.observe(int(np.searchsorted(self.rows, choice.option)))
            self.left[self.inside] = self.posterior.variance[self.place]
            allowance.take(choice.option)

    def _decision(self, number: int, free: np.ndarray, price: np.ndarray) -> Choice | None:
        """The test that helps decisions most, if it is their turn and any does."""
        turns = (int(count * self.decision_share) for count in (number - 1, number))
        if len({*turns}) == 1:
            return None
        gain = np.where(free, self._knowledge_gradient() / price, 0)
        option = int(np.argmax(gain))
        if gain[option] <= 0:
            return None
        return Choice(option, DECISION, self.left[option], self._decision_reason(option))

    def _accuracy(self, free: np.ndarray, price: np.ndarray) -> Choice:
        """The test that is expected to tell most of all candidates."""
        information = self._information()
        weighed = np.where(free[self.inside], information / price[self.inside], -1)
        place = int(np.argmax(weighed))
        option = int(self.inside[place])
        reason = self._accuracy_reason(option, information[place])
        return Choice(option, ACCURACY, self.left[option], reason)

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
        chosen = pd.DataFrame(self.chosen, columns=Choice._fields).set_index("option")
        chosen = chosen.assign(order=range(1, len(chosen) + 1)).reindex(range(len(self.frame)))
        left = chosen["left"].fillna(pd.Series(self.left)).to_numpy(float)
        scored = self.frame.assign(
            uncertainty=_to_unit(self.frame["epistemic"].to_numpy()),
            diversity=np.sqrt(np.clip(left / self.prior, 0, 1)),
            expected_information_gain=gain,
            hardware_optimization_factor=factor,
            combined_score=(of_gain * gain + of_hardware * factor) / (of_gain + of_hardware),
            recommended_hardware=self.frame["hardware"].to_numpy(object)[self.leader],
            batch_order=chosen["order"].astype("Int64").array,
            serves=chosen["serves"].astype("string").array,
            reason=chosen["reason"].astype("string").array,
        )
        scored["hardware_match"] = scored["hardware"] == scored["recommended_hardware"]
        return scored[self.candidate].reset_index(drop=True)


def _to_unit(values: np.ndarray) -> np.ndarray:
    """Scaled so that the largest is 1."""
    largest = values.max(initial=0)
    return values / largest if largest > 0 else np.zeros_like(values, dtype=float)
