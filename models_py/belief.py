"""Training rows of a metric, and what is believed of rows: what the families of the base share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from models_py.features import Encoder


class Belief(NamedTuple):
    """What is believed of some rows.

    Attributes
    ----------
    mean, epistemic
        Expectation and its standard deviation, log units, each of shape (rows,).
    """

    mean: np.ndarray
    epistemic: np.ndarray

    def mixed(self, other: Belief, share: float) -> Belief:
        """The weighted average of both, of which the other has a share: of means and of variances."""
        mean = (1 - share) * self.mean + share * other.mean
        variance = (1 - share) * self.epistemic**2 + share * other.epistemic**2
        return Belief(mean, np.sqrt(variance))

    def take(self, chosen: np.ndarray) -> Belief:
        """What is believed of some of the rows (mask or positions)."""
        return Belief(self.mean[chosen], self.epistemic[chosen])


@dataclass
class Rows:
    """Rows of one metric, as the families see them.

    Attributes
    ----------
    features
        Matrix (rows, columns) as `encoder` makes it.
    anchor
        What physics takes the logarithm of the value to be, shape (rows,).
    log_value, configurations
        Logarithm of the value and code of the configuration, shape (rows,); of training rows only.
    """

    features: np.ndarray
    anchor: np.ndarray
    encoder: Encoder
    log_value: np.ndarray | None = None
    configurations: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.anchor)

    def take(self, chosen: np.ndarray) -> Rows:
        """Some of the training rows (mask)."""
        return Rows(
            self.features[chosen],
            self.anchor[chosen],
            self.encoder,
            self.log_value[chosen],
            np.unique(self.configurations[chosen], return_inverse=True)[1],
        )


def best_share(errors: np.ndarray, others: np.ndarray, least_gain: float = 1e-6) -> float:
    """Share of the others, to a hundredth, that makes the mean absolute error of a mixture least.

    None where no share is better: others that are the same, as physics that is the same for all rows,
    are not to be trusted for rows where they differ.

    Parameters
    ----------
    errors, others
        Held-out errors of two ways to predict the same rows, shape (rows,).
    least_gain
        By how much of itself the error has to become less.

    Examples
    --------
    >>> best_share(np.array([2.0, -2.0]), np.array([-2.0, 2.0]))
    0.5
    """

    def error(share: float) -> float:
        return float(np.abs((1 - share) * errors + share * others).mean())

    found = minimize_scalar(error, bounds=(0, 1), method="bounded")
    return round(float(found.x), 2) if found.fun < (1 - least_gain) * error(0) else 0.0
