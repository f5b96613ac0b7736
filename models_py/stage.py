"""Everything of a metric's model that is fitted, and its honest repetition without each fold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models_py.base import Base, fit_base
from models_py.belief import Belief, Rows
from models_py.boosting import Profile
from models_py.process import Process
from models_py.shape import NormalShape, Shape, fit_shape, load_shape, shape_inputs

# A floor for the spread, as a share of the deviation of held-out residuals.
SPREAD_FLOOR = 0.05
REFITTED_ROWS = 2_000
FOLD_EVIDENCE_ROWS = 400


class Standardised(NamedTuple):
    """Quantiles around a centre, in units of a spread.

    Attributes
    ----------
    centre, spread
        Log units, each of shape (rows,).
    quantiles
        Shape (rows, levels).
    """

    centre: np.ndarray
    spread: np.ndarray
    quantiles: np.ndarray

    def log_quantiles(self, quantiles: np.ndarray) -> np.ndarray:
        """Standardised quantiles (rows, levels) in log units."""
        return self.centre[:, None] + self.spread[:, None] * quantiles


@dataclass
class Stage:
    """The base and the shape of what it leaves over.

    Attributes
    ----------
    floor
        Added to every spread, log units: families can agree and all be wrong.
    """

    base: Base
    shape: Shape | NormalShape
    floor: float

    def predict(self, rows: Rows, belief: Belief | None = None) -> tuple[Standardised, Belief]:
        """Quantiles, and the base's belief.

        `belief` is what the base's process says of the rows, where that is known already.
        """
        belief = self.base.predict(rows, belief)
        spread = _spread(belief, self.base.noise, self.floor)
        inputs = shape_inputs(rows.features, belief.mean - rows.anchor, spread)
        return Standardised(belief.mean, spread, self.shape.predict(inputs)), belief

    def save(self, directory: Path) -> None:
        """Base and shape."""
        self.base.save(directory)
        self.shape.save(directory)
        (directory / "stage.json").write_text(json.dumps({"floor": self.floor}), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Stage:
        """What `save` wrote."""
        saved = json.loads((directory / "stage.json").read_text(encoding="utf-8"))
        return cls(Base.load(directory), load_shape(directory), saved["floor"])


class Nested(NamedTuple):
    """A fitted stage, and what stages without each fold say of that fold's rows.

    Attributes
    ----------
    chosen
        Which of the training rows were held out, boolean, shape (training rows,); all of them in
        tables that the process is conditioned on as a whole.
    folds
        Fold of each of these, shape (rows held out,).
    held_out
        Of these rows.
    """

    stage: Stage
    chosen: np.ndarray
    folds: np.ndarray
    held_out: Standardised


def fit_nested(rows: Rows, levels: tuple[float, ...], profile: Profile, seed: int) -> Nested:
    """Fit a stage, and one without each fold (Varma & Simon 2006).

    Folds hold whole configurations: a repeat would tell the value of its twin. They do without a bag
    where the stage of all rows does.
    """
    chosen = np.ones(len(rows), bool)
    boosts = profile.process_rows < len(rows)
    if boosts:
        chosen = ~_first_rows(rows, profile.process_rows, seed)
    process, belief = Process.fit(rows.take(~chosen) if boosts else rows, seed)
    rows = rows.take(chosen)
    shuffled = np.random.default_rng(seed).permutation(rows.configurations.max() + 1)
    folds = (shuffled % profile.folds)[rows.configurations]
    held_out = Standardised(
        np.empty(len(rows)), np.empty(len(rows)), np.empty((len(rows), len(levels)))
    )
    if boosts:
        belief = process.predict(rows)
    stage = _fit_stage(rows, process, belief, boosts, levels, profile, seed)
    for fold in range(profile.folds):
        held, fold_seed = folds == fold, seed + 1000 * (fold + 1)
        others, asked = rows.take(~held), rows.take(held)
        if boosts:  # the process knows none of these rows
            known = process
            inside, outside = belief.take(~held), belief.take(held)
        else:
            known, inside = _without(process, rows, held, fold_seed)
            outside = known.predict(asked)
        without = _fit_stage(others, known, inside, boosts, levels, profile, fold_seed, stage.base)
        for whole, part in zip(held_out, without.predict(asked, outside)[0], strict=True):
            whole[held] = part
    return Nested(stage, chosen, folds, held_out)


def fit_light(rows: Rows, levels: tuple[float, ...], profile: Profile, seed: int) -> Nested:
    """Fit a stage once, with a normal shape: several times as fast as `fit_nested`.

    What is said of held-out rows comes from a process whose kernel has seen them: the intervals are
    near their promise, and do not keep it strictly. Of large tables it knows a sample.
    """
    chosen = np.ones(len(rows), bool)
    if profile.process_rows < len(rows):
        chosen = _first_rows(rows, profile.process_rows, seed)
        rows = rows.take(chosen)
    process, belief = Process.fit(rows, seed, FOLD_EVIDENCE_ROWS)
    base, belief = fit_base(rows, process, belief, False, profile, seed)
    floor = _floor(rows, belief)
    shape = NormalShape(levels)
    held_out = Standardised(
        belief.mean, _spread(belief, base.noise, floor), shape.predict(rows.features)
    )
    folds = np.random.default_rng(seed).permutation(rows.configurations.max() + 1) % profile.folds
    return Nested(Stage(base, shape, floor), chosen, folds[rows.configurations], held_out)


def _first_rows(rows: Rows, count: int, seed: int) -> np.ndarray:
    """About so many rows of randomly chosen configurations, a mask: repeats stay together."""
    shuffled = np.random.default_rng(seed).permutation(rows.configurations.max() + 1)
    place = shuffled[rows.configurations]
    return place <= np.sort(place)[count - 1]


def _without(process: Process, rows: Rows, held: np.ndarray, seed: int) -> tuple[Process, Belief]:
    """A process that does not know a fold, and what it says of the others; see `Process.fit`.

    Where the kernel's parameters know most rows, intervals that trust them are too narrow (by two
    points of coverage at 1,000 rows): there each fold finds its own.
    """
    if len(rows) > REFITTED_ROWS:
        known = process.without(held)
        return known, known.held_out(rows.take(~held))
    return Process.fit(rows.take(~held), seed, FOLD_EVIDENCE_ROWS)


def _fit_stage(
    rows: Rows,
    process: Process,
    belief: Belief,
    boosts: bool,
    levels: tuple[float, ...],
    profile: Profile,
    seed: int,
    whole: Base | None = None,
) -> Stage:
    base, belief = fit_base(rows, process, belief, boosts, profile, seed, whole)
    floor = _floor(rows, belief)
    spread = _spread(belief, base.noise, floor)
    shape = fit_shape(
        shape_inputs(rows.features, belief.mean - rows.anchor, spread),
        (rows.log_value - belief.mean) / spread,
        rows.encoder,
        levels,
        profile,
        seed,
    )
    return Stage(base, shape, floor)


def _floor(rows: Rows, belief: Belief) -> float:
    return SPREAD_FLOOR * float(np.std(rows.log_value - belief.mean)) + 1e-6


def _spread(belief: Belief, noise: float, floor: float) -> np.ndarray:
    """The unit of the standardised residual, log units, shape (rows,)."""
    return np.sqrt(belief.epistemic**2 + noise) + floor
