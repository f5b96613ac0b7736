"""Scores of any number of candidates, and a batch chosen jointly among those that promise most.

A joint belief is held about a bounded number of candidates. Where there are more, a sample tells what
tests on each device are worth, all others are estimated by it, and those that promise most are weighed
jointly with the sample. Candidates are read in pieces, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.acquisition import best_alternative
from models_py.derived import DerivedModel
from models_py.limits import Allowance, Limits
from models_py.metric_model import MetricModel
from models_py.selection import Choice, Selection, expected_gain, prob_runs

TARGETS = 512
# candidates that are weighed jointly: bounded, and so is what is kept for them (floats of 4 bytes)
MOST_JOINT = 30_000
MOST_ENTRIES = 50_000_000
ENDS = ["information", "decision"]
OF_WORKLOAD = ["log_utility", "log_alternative", "recommended_hardware", "recommended_framework"]
BATCH_TYPES = {
    "batch_order": "Int64",
    "serves": "string",
    "reason": "string",
    "variance_removed": float,
    "regret_removed": float,
}


class Candidates(NamedTuple):
    """Candidates that can be read again and again.

    Attributes
    ----------
    total
        How many.
    pieces
        All of them, see `weighed`, in frames whose index says their position among all.
    features
        Feature frame of some of them, row by row.
    """

    total: int
    pieces: Callable[[], Iterable[pd.DataFrame]]
    features: Callable[[pd.DataFrame], pd.DataFrame]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Candidates:
        """Candidates in memory, with columns of features."""
        frame = frame.reset_index(drop=True)
        return cls(len(frame), lambda: [frame], lambda some: some)

    def take(self, positions: np.ndarray) -> pd.DataFrame:
        """Some of them, in the order of all."""
        return pd.concat([piece[piece.index.isin(positions)] for piece in self.pieces()])


class Tactic(NamedTuple):
    """How candidates are scored, and what a batch is for.

    Attributes
    ----------
    weights
        Weights of `information_gain` and `hardware` in `combined_score`.
    decision_share
        Share of the batch that serves decisions, in [0, 1].
    """

    weights: Mapping[str, float]
    decision_share: float


class Estimates(NamedTuple):
    """What tests are worth that no joint belief is held about, by those on the same hardware.

    Attributes
    ----------
    means
        By hardware: information that a test gives where it runs, epistemic variance, and prior variance.
    everywhere
        The same of all.
    noise
        Variance of a measurement.
    """

    means: pd.DataFrame
    everywhere: pd.Series
    noise: float

    @classmethod
    def of(cls, selection: Selection) -> Estimates:
        """From candidates that a joint belief is held about, but not from the targets.

        A test of a target removes its own variance, and tells more than others do.
        """
        known = pd.DataFrame(
            {
                "hardware": selection.frame["hardware"].array,
                "told": selection.information / np.maximum(selection.prob_feasible, 1e-12),
                "variance": selection.frame["epistemic"].to_numpy(float) ** 2,
                "prior": selection.prior,
            }
        ).drop(index=selection.targets)
        means = known.groupby("hardware").mean()
        known = known.drop(columns="hardware")
        return cls(means, known.mean(), selection.posterior.noise)

    def scores(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """Scores as those of `Selection`.

        What a test that runs tells of all candidates is taken to grow with its own epistemic variance.
        """
        like = self.means.reindex(candidates["hardware"]).fillna(self.everywhere)
        like = like.set_axis(candidates.index)
        variance = np.maximum(candidates["epistemic"].astype(float) ** 2, 1e-12)
        told = like["told"] / like["variance"].clip(1e-12) * variance
        return pd.DataFrame(
            {
                "information": prob_runs(candidates) * told,
                "decision": expected_gain(candidates, np.ones(len(candidates)), self.noise),
                "prior": np.maximum(like["prior"], variance),
                "left": variance,
            }
        )


def weighed(options: pd.DataFrame, direction: int) -> pd.DataFrame:
    """Candidates among ranked options, and what else of their workload counts.

    Parameters
    ----------
    options
        All options of some workloads, measured ones and candidates; see `ActiveLearningSystem.rank`.
    direction
        +1 where more of the metric is better, -1 where less is.

    Returns
    -------
    pandas.DataFrame
        With `log_utility`, which is expected, `log_alternative` (the best among the other options of the
        workload), `recommended_hardware` and `recommended_framework`.
    """
    workload = pd.factorize(options["workload_id"])[0]
    utility = direction * np.log(options["p50"].to_numpy(float))
    first = np.flatnonzero(options["rank"] == 1)
    leader = first[np.argsort(workload[first])][workload]
    every = options.assign(
        log_utility=utility,
        log_alternative=best_alternative(utility, workload),
        recommended_hardware=options["hardware"].array.take(leader),
        recommended_framework=options["framework"].array.take(leader),
    )
    return every[every["is_candidate"].to_numpy(bool)]


def select(
    candidates: Candidates,
    model: MetricModel | DerivedModel,
    tactic: Tactic,
    limits: Limits,
    seed: int,
) -> Iterator[pd.DataFrame]:
    """Scores of the candidates, in pieces, and a batch within limits.

    Returns
    -------
    iterator of pandas.DataFrame
        The candidates, with the scores that `ActiveLearningSystem.score` describes.
    """
    generator = np.random.default_rng(seed)
    size = min(MOST_JOINT, MOST_ENTRIES // model.conditioned_rows)
    targets = generator.choice(candidates.total, min(TARGETS, candidates.total), replace=False)
    if candidates.total <= size:
        joint, estimates = pd.concat(candidates.pieces()), None
    else:
        chance = generator.choice(candidates.total, size // 3, replace=False)
        sample = np.union1d(targets, chance)
        estimates = Estimates.of(_joint(candidates, model, candidates.take(sample), targets))
        best = _foremost(candidates, estimates, limits, size // 3)
        joint = candidates.take(np.union1d(sample, best))
    selection = _joint(candidates, model, joint, targets)
    selection.choose(limits, tactic.decision_share)
    found = _found(selection)
    largest = _largest(candidates, found, estimates)
    for piece in candidates.pieces():
        yield _scored(piece, _scores(piece, found, estimates), found, largest, tactic.weights)


def _joint(
    candidates: Candidates,
    model: MetricModel | DerivedModel,
    some: pd.DataFrame,
    targets: np.ndarray,
) -> Selection:
    places = some.index.get_indexer(targets)
    return Selection(model, some, candidates.features(some), places)


def _foremost(
    candidates: Candidates, estimates: Estimates, limits: Limits, size: int
) -> np.ndarray:
    """Positions of candidates that promise most for either end, so many for each."""
    kept, places = [], pd.DataFrame(columns=ENDS)
    for piece in candidates.pieces():
        piece = piece[Allowance(limits, piece).free]
        scores = estimates.scores(piece)[ENDS].assign(hardware=piece["hardware"])
        scores = pd.concat([*kept, scores])
        # where one device may take up little of the batch, the others have to be there
        ranked = scores.groupby("hardware") if limits.per_hardware else scores
        places = ranked[ENDS].rank(ascending=False, method="first")
        few = (places <= size).any(axis=1)
        kept, places = [scores[few]], places[few]
    return np.unique(np.concatenate([places[end].nsmallest(size).index for end in ENDS]))


def _found(selection: Selection) -> pd.DataFrame:
    """Scores of the candidates that were weighed jointly, and the batch, by position among all."""
    left = np.array(selection.left)
    chosen = pd.DataFrame(selection.chosen, columns=Choice._fields)
    left[chosen["candidate"].to_numpy(int)] = chosen["left"]
    scores = pd.DataFrame(
        {
            "information": selection.information,
            "decision": selection.decision,
            "prior": selection.prior,
            "left": left,
        },
        selection.frame.index,
    )
    places = scores.index[chosen["candidate"].to_numpy(int)]
    batch = chosen.assign(batch_order=range(1, len(chosen) + 1)).set_axis(places)
    return scores.join(batch[list(BATCH_TYPES)].astype(BATCH_TYPES))


def _scores(piece: pd.DataFrame, found: pd.DataFrame, estimates: Estimates | None) -> pd.DataFrame:
    names = [*ENDS, "prior", "left"]
    scores = found[names].reindex(piece.index)
    return scores if estimates is None else scores.fillna(estimates.scores(piece))


def _largest(candidates: Candidates, found: pd.DataFrame, estimates: Estimates | None) -> pd.Series:
    """The largest of what is stated as shares of the largest."""
    each = [
        _scores(piece, found, estimates)[ENDS].assign(epistemic=piece["epistemic"]).max()
        for piece in candidates.pieces()
    ]
    return pd.DataFrame(each).max()


def _scored(
    piece: pd.DataFrame,
    scores: pd.DataFrame,
    found: pd.DataFrame,
    largest: pd.Series,
    weights: Mapping[str, float],
) -> pd.DataFrame:
    def share(values: pd.Series, end: str) -> pd.Series:
        return values / largest[end] if largest[end] > 0 else values * 0.0

    of_gain, of_hardware = weights["information_gain"], weights["hardware"]
    gain = share(scores["information"], "information")
    factor = share(scores["decision"], "decision")
    scored = piece.drop(columns=["log_utility", "log_alternative", "recommended_framework"]).assign(
        uncertainty=share(piece["epistemic"], "epistemic"),
        diversity=np.sqrt(np.clip(scores["left"] / scores["prior"], 0, 1)),
        expected_information_gain=gain,
        hardware_optimization_factor=factor,
        combined_score=(of_gain * gain + of_hardware * factor) / (of_gain + of_hardware),
        hardware_match=piece["hardware"] == piece["recommended_hardware"],
    )
    return scored.join(found[list(BATCH_TYPES)])
