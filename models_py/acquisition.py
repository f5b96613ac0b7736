"""Which configurations to measure together: pure functions of ensembles and embeddings.

Batches are chosen jointly. Taking the top k by uncertainty picks near copies of one configuration;
replayed on public tables it needs more tests than random selection.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

SKETCH_DIMENSIONS = 64
CHUNK = 4096


class Ensemble:
    """Joint epistemic distribution of all options, from the members of a bag.

    The covariance of options i and j is the covariance of the members' predictions; observing one
    option conditions the others on it (rank-one downdate of a Gaussian).

    Parameters
    ----------
    members
        Log predictions, shape (members, options).
    noise
        Variance of one measurement, log units.

    Attributes
    ----------
    variance
        Epistemic variance that is left, shape (options,).
    """

    def __init__(self, members: np.ndarray, noise: float) -> None:
        self.factor = (members - members.mean(axis=0)) / np.sqrt(max(len(members) - 1, 1))
        self.noise = max(noise, 1e-6)
        self.variance = (self.factor**2).sum(axis=0)
        self._downdates: list[np.ndarray] = []

    def covariance(self, option: int) -> np.ndarray:
        """Covariance of one option with all options, shape (options,)."""
        result = self.factor[:, option] @ self.factor
        for direction in self._downdates:
            result = result - direction[option] * direction
        return result

    def observe(self, option: int) -> None:
        """Condition on a measurement of one option."""
        direction = self.covariance(option) / np.sqrt(self.variance[option] + self.noise)
        self._downdates.append(direction)
        self.variance = np.maximum(self.variance - direction**2, 0)


def variance_removed(members: np.ndarray, groups: np.ndarray, noise: float) -> np.ndarray:
    """Share of the options' epistemic variance that measuring each of them would remove.

    Expected variance reduction (Cohn 1996) in closed form: the sum over j of cov(i, j)^2 /
    (var(i) + noise), relative to the sum of all variances; a measurement tells nothing of other
    groups.

    Parameters
    ----------
    members
        Log predictions, shape (members, options).
    groups
        Comparable group of each option, shape (options,).

    Returns
    -------
    numpy.ndarray
        Shares in [0, 1], shape (options,).
    """
    factor = (members - members.mean(axis=0)) / np.sqrt(max(len(members) - 1, 1))
    share = np.zeros(members.shape[1])
    total = (factor**2).sum()
    if total == 0:
        return share
    for group in np.unique(groups):
        here = groups == group
        own = factor[:, here]
        gram = own @ own.T
        # rounding makes a sum of squares negative
        removed = np.maximum(np.einsum("ri,rs,si->i", own, gram, own, optimize=True), 0)
        share[here] = removed / ((own**2).sum(axis=0) + max(noise, 1e-6)) / total
    return share


def most_informative(covariance: np.ndarray, noise: float, count: int) -> list[int]:
    """Options that together remove most of the variance of all, chosen one after the other.

    Greedy expected variance reduction (Cohn 1996): the next option is the one whose measurement
    removes most of what the earlier ones leave.

    Parameters
    ----------
    covariance
        Epistemic covariance of the options, shape (options, options).
    noise
        Variance of one measurement.

    Examples
    --------
    >>> twins = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.5]])
    >>> most_informative(twins, noise=0.01, count=2)
    [0, 2]
    """
    left, chosen = covariance.copy(), []
    for _ in range(min(count, len(left))):
        removed = (left**2).sum(axis=0) / (left.diagonal() + noise)
        removed[chosen] = -1
        option = int(removed.argmax())
        direction = left[:, option] / np.sqrt(left[option, option] + noise)
        left -= np.outer(direction, direction)
        chosen.append(option)
    return chosen


def best_alternative(utility: np.ndarray, workload: np.ndarray) -> np.ndarray:
    """The best utility among the other options of the same workload, -inf where there is none.

    Parameters
    ----------
    utility
        Expected log utility, shape (options,).
    workload
        Workload code of each option, 0 to workloads - 1, shape (options,).

    Examples
    --------
    >>> best_alternative(np.array([1.0, 3.0, 2.0, 5.0]), np.array([0, 0, 0, 1])).tolist()
    [3.0, 2.0, 3.0, -inf]
    """
    order = np.lexsort((-utility, workload))
    first = np.r_[True, np.diff(workload[order]) != 0]
    leader = order[first]
    best = np.full(workload.max() + 1, -np.inf)
    best[workload[leader]] = utility[leader]
    runner = np.full_like(best, -np.inf)
    second = np.r_[False, first[:-1]] & ~first
    runner[workload[order[second]]] = utility[order[second]]
    result = best[workload]
    result[leader] = runner[workload[leader]]
    return result


def knowledge_gradient(
    utility: np.ndarray, variance: np.ndarray, noise: float, workload: np.ndarray
) -> np.ndarray:
    """Expected gain of the workload's best option from measuring each option.

    Knowledge gradient for independent beliefs (Frazier, Powell & Dayanik 2008), in log utility: the
    regret that the measurement is expected to remove. Zero where a workload has a single option.

    Parameters
    ----------
    utility, variance
        Mean and epistemic variance of each option's log utility, shape (options,).
    """
    alternative = best_alternative(utility, workload)
    deviation = variance / np.sqrt(variance + max(noise, 1e-6))
    contested = np.isfinite(alternative) & (deviation > 0)
    gap = np.where(contested, -np.abs(utility - np.where(contested, alternative, 0)), 0)
    z = gap / np.where(contested, deviation, 1)
    return np.where(contested, deviation * (norm.pdf(z) + z * norm.cdf(z)), 0)


def embed(members: np.ndarray, leaves: np.ndarray, seed: int) -> np.ndarray:
    """Centred member predictions beside a sketch of leaf indicators, of equal scale.

    Two options are near when the models treat them alike: the members agree on both and the trees
    send them to the same leaves. The sketch is a random sign projection (Achlioptas 2003).

    Parameters
    ----------
    members
        Log predictions, shape (members, options).
    leaves
        Leaf indices, shape (options, trees).

    Returns
    -------
    numpy.ndarray
        float32, shape (options, members + 64).
    """
    centred = (members - members.mean(axis=0)).T
    generator = np.random.default_rng(seed)
    sketch = np.zeros((len(leaves), SKETCH_DIMENSIONS))
    for tree in range(leaves.shape[1]):
        signs = generator.choice([-1.0, 1.0], size=(leaves[:, tree].max() + 1, SKETCH_DIMENSIONS))
        sketch += signs[leaves[:, tree]]
    return np.column_stack([_unit_scale(centred), _unit_scale(sketch)]).astype(np.float32)


def _unit_scale(block: np.ndarray) -> np.ndarray:
    scale = np.sqrt((block**2).sum(axis=1).mean())
    return block / scale if scale > 0 else block


class Clusters:
    """Options assigned to their nearest centre: measured rows first, then what was selected.

    Largest-cluster maximum-distance selection (LCMD, Holzmueller et al. 2023): the next test is the
    point farthest from its centre in the cluster with the largest sum of squared distances.

    Parameters
    ----------
    points
        Embedding, shape (options, dimensions).
    centres
        Positions of the measured options among the points.
    """

    def __init__(self, points: np.ndarray, centres: np.ndarray) -> None:
        self.points = points
        self.norms = (points**2).sum(axis=1)
        self.count = max(len(centres), 1)
        self.distance = np.empty(len(points), np.float32)
        self.nearest = np.zeros(len(points), np.int64)
        if len(centres) == 0:
            self.distance[:] = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
            return
        for start in range(0, len(points), CHUNK):
            part = slice(start, start + CHUNK)
            squared = (
                self.norms[part, None] + self.norms[centres] - 2 * points[part] @ points[centres].T
            )
            self.nearest[part] = squared.argmin(axis=1)
            self.distance[part] = np.maximum(squared.min(axis=1), 0)

    def pick(self, free: np.ndarray) -> int:
        """The next test among the free options (mask), for the widest coverage."""
        near = self.nearest[free]
        size = np.bincount(near, self.distance[free], minlength=self.count)
        occupied = np.bincount(near, minlength=self.count) > 0
        largest = np.argmax(np.where(occupied, size, -1))
        return int(np.argmax(np.where(free & (self.nearest == largest), self.distance, -1)))

    def represented(self, option: int) -> int:
        """How many options share a centre with this one."""
        return int((self.nearest == self.nearest[option]).sum())

    def add(self, option: int) -> None:
        """Make an option a centre."""
        squared = self.norms + self.norms[option] - 2 * self.points @ self.points[option]
        closer = squared < self.distance
        self.distance[closer] = np.maximum(squared[closer], 0)
        self.nearest[closer] = self.count
        self.count += 1
