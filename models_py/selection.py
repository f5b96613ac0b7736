"""A batch chosen jointly among candidates, test by test."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.acquisition import knowledge_gradient
from models_py.derived import DerivedModel
from models_py.limits import Allowance, Limits
from models_py.metric_model import MetricModel
from models_py.odds import odds

ACCURACY, DECISION = "accuracy", "decision"
SETTLED = 1e-4  # expected regret, in log units, that is not worth a test


class Choice(NamedTuple):
    """A test of the batch.

    Attributes
    ----------
    candidate
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

    candidate: int
    serves: str
    left: float
    variance_removed: float
    regret_removed: float
    reason: str


class Selection:
    """Candidates that a joint belief is held about, what was chosen of them, and why.

    Batches are chosen jointly: each test counts with what the earlier ones leave open. Taking the top k
    by uncertainty picks near copies of one configuration; replayed on public tables it needs more tests
    than random selection.

    Parameters
    ----------
    model
        Model of the metric that is optimised for.
    candidates
        See `models_py.shortlist.weighed`.
    features
        Feature frame of the candidates.
    targets
        Positions of the candidates of which the batch is to tell.

    Attributes
    ----------
    information
        Share of the targets' epistemic variance that each test is expected to remove, were it the first.
    decision
        Regret of its workload that each test is expected to remove, were it the first.
    targets
        As given.
    prior, left
        Epistemic variance of each candidate before anything was measured, and what is left of it.
    """

    def __init__(
        self,
        model: MetricModel | DerivedModel,
        candidates: pd.DataFrame,
        features: pd.DataFrame,
        targets: np.ndarray,
    ) -> None:
        self.frame, self.targets = candidates, targets
        self.prob_feasible = prob_runs(candidates)
        self.posterior = model.posterior(features, targets)
        self.open_variance = max(float(self.posterior.variance[targets].sum()), 1e-12)
        self.prior = self.posterior.prior
        self.before = np.maximum(self.posterior.variance, 1e-12)
        self.left = self.before
        self.information = self._information()
        self.decision = self._knowledge_gradient()
        self.chosen: list[Choice] = []

    def _information(self) -> np.ndarray:
        return self.prob_feasible * self.posterior.gain() / self.open_variance

    def _knowledge_gradient(self) -> np.ndarray:
        return expected_gain(self.frame, self.left / self.before, self.posterior.noise)

    def choose(self, limits: Limits, decision_share: float) -> None:
        """Choose tests one by one, each conditional on the earlier ones, within the limits.

        Costs count where budgets bind: if the batch that is best without them is not affordable, each
        gain is divided by the share of the budgets that it takes (cost-effective greedy selection,
        Leskovec et al. 2007).

        Parameters
        ----------
        decision_share
            Share of the batch that serves decisions, in [0, 1].
        """
        before = copy(self.posterior)
        allowance = Allowance(limits, self.frame)
        self._choose(limits, decision_share, allowance)
        if allowance.overspent:
            self.posterior, self.chosen, self.left = before, [], self.before
            self._choose(limits, decision_share, Allowance(limits, self.frame, strict=True))

    def _choose(self, limits: Limits, decision_share: float, allowance: Allowance) -> None:
        for number in range(1, limits.tests + 1):
            distance = np.sqrt(self.left / self.prior)
            free = allowance.free & (distance >= limits.minimum_distance)
            if allowance.overspent or not free.any():
                return
            due, before = (int(n * decision_share + 1e-9) for n in (number, number - 1))
            chosen = self._best(due > before, free, allowance.price)
            self.posterior.observe(chosen)
            self.left = self.posterior.variance
            allowance.take(chosen)

    def _best(self, for_decisions: bool, free: np.ndarray, price: np.ndarray) -> int:
        """Choose the next test, and return its position.

        A test for decisions is the one with the largest product of what it tells and of what it does
        for its workload: of tests that decide nearly alike, the one that tells of others too. Where
        every decision is settled, it is one for accuracy.
        """
        information, regret = self._information(), self._knowledge_gradient()
        both = np.where(free & (regret > SETTLED), information * regret / price, 0)
        if for_decisions and both.max() > 0:
            serves, test = DECISION, int(np.argmax(both))
        else:
            serves, test = ACCURACY, int(np.argmax(np.where(free, information / price, -1)))
        row, share = self.frame.iloc[test], float(information[test])
        reason = _decision_reason(row) if serves == DECISION else _accuracy_reason(row, share)
        left = float(self.left[test])
        self.chosen.append(Choice(test, serves, left, share, float(regret[test]), reason))
        return test


def expected_gain(candidates: pd.DataFrame, open_share: np.ndarray, noise: float) -> np.ndarray:
    """Regret of their workloads that tests are expected to remove, shape (candidates,).

    Parameters
    ----------
    candidates
        See `models_py.shortlist.weighed`.
    open_share
        Share of their epistemic variance that a batch leaves open so far, shape (candidates,).
    """
    variance = candidates["epistemic"].to_numpy(float) ** 2 * open_share
    utility, alternative = (
        candidates[name].to_numpy(float) for name in ("log_utility", "log_alternative")
    )
    gain = knowledge_gradient(utility, variance, alternative, noise)
    return prob_runs(candidates) * gain


def prob_runs(candidates: pd.DataFrame) -> np.ndarray:
    """What gains are multiplied by: a test that fails tells nothing of the metric; 1 where unknown."""
    return candidates["prob_feasible"].fillna(1).to_numpy(float)


def _decision_reason(test: pd.Series) -> str:
    chance = odds(test["prob_best"])
    if test["rank"] == 1:
        return (
            f"decision: predicted best platform of its workload with {chance} probability;"
            " measuring it settles the choice"
        )
    return (
        f"decision: has a chance of {chance} of being the best for its workload, where"
        f" {test['recommended_hardware']} {test['recommended_framework']} leads"
    )


def _accuracy_reason(test: pd.Series, share: float) -> str:
    return (
        f"accuracy: expected to remove {100 * share:.2g} % of what is uncertain about all"
        f" candidates; its 90 % interval spans a factor of {test['p95'] / test['p05']:.2f}"
    )
