"""Policies of a plain Gaussian process: squared exponential, a length scale per column, white noise.

It is scikit-learn's, on the logarithm of the target, fitted anew by marginal likelihood in every
round; decisions are about workloads with a choice, in the direction of the metric.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from embedding import embedded, log_target
from scipy.linalg import cholesky
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from models_py.objectives import sign
from models_py.replay import State

LARGEST_SCALE = 1e3
SEARCH_STEPS = 60
JITTER = 1e-6


class Posterior(NamedTuple):
    """Joint normal distribution of the latent logarithm; paid rows first where they are asked."""

    mean: np.ndarray
    covariance: np.ndarray
    noise: float

    def without(self, position: int) -> Posterior:
        """What is left when one position is measured and turns out as its mean says."""
        column = self.covariance[:, position]
        share = column / np.sqrt(column[position] + self.noise)
        return self._replace(covariance=self.covariance - np.outer(share, share))


def variance_reduction(state: State, count: int) -> np.ndarray:
    """Greedily what removes most variance of all candidates (Cohn, Ghahramani & Jordan 1996)."""
    posterior = _posterior(state, paid=False)
    free = np.ones(len(posterior.mean), bool)
    chosen = []
    for _ in range(count):
        covariance = posterior.covariance
        removed = np.einsum("ij,ij->j", covariance, covariance)
        removed /= np.diagonal(covariance) + posterior.noise
        chosen.append(int(np.where(free, removed, -np.inf).argmax()))
        free[chosen] = False
        posterior = posterior.without(chosen[-1])
    return np.array(chosen)


def expected_improvement(state: State, count: int) -> np.ndarray:
    """Largest expected improvement on what is believed to be the best of its workload.

    Jones, Schonlau & Welch (1998), with the largest posterior mean as incumbent, as there is noise;
    a batch believes each mean before it chooses the next (Ginsbourger, Le Riche & Carraro 2010).
    """
    posterior = _posterior(state, paid=True)
    paid = len(state.measured)
    workloads = _workloads(state)
    contested = workloads.map(workloads.value_counts()).to_numpy() > 1
    best = pd.Series(posterior.mean).groupby(workloads).transform("max").to_numpy()
    free = contested & (np.arange(len(best)) >= paid)
    chosen = []
    for _ in range(min(count, int(free.sum()))):
        spread = np.sqrt(np.maximum(np.diagonal(posterior.covariance), 1e-12))
        ahead = (posterior.mean - best) / spread
        improvement = spread * (ahead * norm.cdf(ahead) + norm.pdf(ahead))
        chosen.append(int(np.where(free, improvement, -np.inf).argmax()))
        free[chosen] = False
        posterior = posterior.without(chosen[-1])
    return np.array(chosen, int) - paid


def thompson(state: State, count: int) -> np.ndarray:
    """One posterior draw per test: the workload that gains most in it, and its best option there.

    Multi-task Thompson sampling (Char et al. 2019): the gain is over the option that is believed to
    be the best of the workload. What is paid for or chosen already cannot be chosen again.
    """
    posterior = _posterior(state, paid=True)
    paid = len(state.measured)
    workloads = _workloads(state)
    believed = pd.Series(posterior.mean).groupby(workloads).transform("idxmax").to_numpy()
    size = len(posterior.mean)
    jitter = JITTER * np.diagonal(posterior.covariance).max()
    factor = cholesky(posterior.covariance + jitter * np.eye(size), lower=True)
    draws = posterior.mean[:, None] + factor @ state.generator.standard_normal((size, count))
    free = np.arange(size) >= paid
    chosen = []
    for draw in draws.T:
        gain = np.where(free, draw - draw[believed], -np.inf)
        chosen.append(int(gain.argmax()))
        free[chosen] = False
    return np.array(chosen) - paid


def _workloads(state: State) -> pd.Series:
    columns = [state.measured["workload_id"], state.candidates["workload_id"]]
    return pd.concat(columns, ignore_index=True)


def _posterior(state: State, paid: bool) -> Posterior:
    """Of the candidates, or of what was paid for and the candidates; larger is better."""
    known, asked = embedded(state)
    varies = np.ptp(np.vstack([known, asked]), axis=0) > 0
    known, asked = known[:, varies], asked[:, varies]
    points = np.vstack([known, asked]) if paid else asked
    start = np.full(known.shape[1], np.sqrt(known.shape[1]))
    kernel = ConstantKernel(1.0) * RBF(start, (0.1, LARGEST_SCALE)) + WhiteKernel(0.01, (1e-5, 1.0))
    process = GaussianProcessRegressor(kernel, optimizer=_searched, normalize_y=True)
    with warnings.catch_warnings():
        # a column that says nothing ends at the bound of its length scale
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(known, sign(state.metric, state.directions) * log_target(state))
    mean, covariance = process.predict(points, return_cov=True)
    noise = process.kernel_.k2.noise_level * process._y_train_std**2
    covariance[np.diag_indices_from(covariance)] -= noise
    return Posterior(mean, covariance, float(noise))


def _searched(objective, start, bounds):
    """Marginal likelihood, as scikit-learn climbs it, with so many steps at most."""
    options = {"maxiter": SEARCH_STEPS}
    found = minimize(objective, start, method="L-BFGS-B", jac=True, bounds=bounds, options=options)
    return found.x, found.fun
