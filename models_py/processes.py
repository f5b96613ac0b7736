"""Two Gaussian processes of a metric: of its logarithm, and of what physics leaves over of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models_py.belief import Belief, Rows
from models_py.boosting import Profile
from models_py.gaussian_process import EVIDENCE_ROWS, GaussianProcess


@dataclass
class Processes:
    """The fitted processes; `residual` is None in large tables, where one is enough."""

    plain: GaussianProcess
    residual: GaussianProcess | None

    @classmethod
    def fit(
        cls, rows: Rows, profile: Profile, seed: int, evidence_rows: int = EVIDENCE_ROWS
    ) -> Processes:
        """Fit on training rows; see `GaussianProcess.fit`."""

        def fitted(target: np.ndarray) -> GaussianProcess:
            return GaussianProcess.fit(rows.features, target, rows.encoder, seed, evidence_rows)

        residual = fitted(rows.log_value - rows.anchor) if profile.processes > 1 else None
        return cls(fitted(rows.log_value), residual)

    def predict(self, rows: Rows) -> list[Belief]:
        """What each process says of the logarithm."""
        if self.residual is None:
            return [self._plain(rows)]
        return [self._plain(rows), self._residual(rows)]

    def mixed(self, rows: Rows, residual_share: float) -> Belief:
        """What both say together; a process without a share is not asked."""
        if self.residual is None or residual_share == 0:
            return self._plain(rows)
        if residual_share == 1:
            return self._residual(rows)
        return self._plain(rows).mixed(self._residual(rows), residual_share)

    def _plain(self, rows: Rows) -> Belief:
        return Belief(*self.plain.predict(rows.features, rows.encoder))

    def _residual(self, rows: Rows) -> Belief:
        mean, deviation = self.residual.predict(rows.features, rows.encoder)
        return Belief(mean + rows.anchor, deviation)

    def held_out(self, rows: Rows) -> list[Belief]:
        """The same of the rows that they are conditioned on, each without its configuration."""
        beliefs = [Belief(*self.plain.held_out(rows.configurations))]
        if self.residual is not None:
            mean, deviation = self.residual.held_out(rows.configurations)
            beliefs.append(Belief(mean + rows.anchor, deviation))
        return beliefs

    def without(self, held: np.ndarray) -> Processes:
        """The same kernels, conditioned on the other rows (mask) only."""
        residual = None if self.residual is None else self.residual.without(held)
        return Processes(self.plain.without(held), residual)

    def covariance(self, rows: Rows, residual_share: float) -> np.ndarray:
        """Epistemic covariance of the logarithms of rows, shape (rows, rows)."""
        return sum(
            share * process.covariance(rows.features, rows.encoder)
            for share, process in self.shared(residual_share)
        )

    def shared(self, residual_share: float) -> list[tuple[float, GaussianProcess]]:
        """The processes that have a share, each with it."""
        pairs = [(1 - residual_share, self.plain), (residual_share, self.residual)]
        return [(share, process) for share, process in pairs if share > 0]

    def noise(self, residual_share: float) -> float:
        """Variance of a measurement, log units."""
        if self.residual is None:
            return self.plain.noise
        return (1 - residual_share) * self.plain.noise + residual_share * self.residual.noise

    def save(self, directory: Path) -> None:
        """One `.npz` file per process."""
        self.plain.save(directory / "plain.npz")
        if self.residual is not None:
            self.residual.save(directory / "residual.npz")

    @classmethod
    def load(cls, directory: Path) -> Processes:
        """What `save` wrote."""
        residual = directory / "residual.npz"
        return cls(
            GaussianProcess.load(directory / "plain.npz"),
            GaussianProcess.load(residual) if residual.is_file() else None,
        )
