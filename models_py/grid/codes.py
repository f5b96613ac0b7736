"""What the nodes of a forest tell apart in a column."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models_py.grid.forest import CATEGORICAL, MISSING_IS_ZERO, ZERO, Forest


class Codes(NamedTuple):
    """The values of a column in classes, of which every node sends all members the same way.

    Attributes
    ----------
    cuts
        The code of a number is how many of these are below it; None for categories, which are codes
        themselves. The last code is for missing values, and for categories that no node knows.
    samples
        A value of each code, shape (codes,).

    Examples
    --------
    >>> Codes(np.array([1.0, 5.0]), np.array([1.0, 5.0, np.inf, np.nan])).of([0, 1, 5, 9, np.nan])
    array([0, 0, 1, 2, 3], dtype=uint16)
    """

    cuts: np.ndarray | None
    samples: np.ndarray

    @classmethod
    def told_apart(cls, forest: Forest, column: int) -> Codes:
        """From the nodes that ask the column.

        Raises
        ------
        ValueError
            Where some take it for a category and others for a number.
        """
        nodes = forest.feature == column
        decision, cuts = forest.decision[nodes], forest.threshold[nodes]
        categorical = (decision & CATEGORICAL) > 0
        if categorical.any() and not categorical.all():
            raise ValueError(f"column {column} is a category in some trees and a number in others")
        if categorical.any():
            return cls(None, np.append(np.arange(forest.sets.shape[1], dtype=float), np.nan))
        if (decision & MISSING_IS_ZERO).any():
            cuts = np.concatenate([cuts, [np.nextafter(-ZERO, -1), ZERO]])
        cuts = np.unique(cuts)
        return cls(cuts, np.concatenate([cuts, [np.inf, np.nan]]))

    def of(self, values: np.ndarray) -> np.ndarray:
        """Codes of values, in the same shape."""
        values, last = np.asarray(values, float), len(self.samples) - 1
        kind = np.uint16 if last < 2**16 else np.uint32
        if self.cuts is None:
            known = (values > -1) & (values < last)
            return np.where(known, np.where(known, values, 0).astype(np.int64), last).astype(kind)
        flat = values.ravel()
        codes = np.searchsorted(self.cuts, np.where(np.abs(flat) <= ZERO, 0.0, flat)).astype(kind)
        codes[np.isnan(flat)] = last
        return codes.reshape(values.shape)
