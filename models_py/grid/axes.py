"""A grid: the cross product of axes, and columns that each vary along some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Column(NamedTuple):
    """A column of the matrix that a grid stands for.

    Attributes
    ----------
    axes
        Positions of the axes along which it varies, ascending.
    values
        NaN where missing; one dimension per axis.
    """

    axes: tuple[int, ...]
    values: np.ndarray


@dataclass(frozen=True)
class Grid:
    """All combinations of the levels of some axes.

    Attributes
    ----------
    shape
        Number of levels of each axis.
    columns
        In the order of the features of a booster.

    Axes that many columns have in common are best neighbours: columns are asked cell by cell where their
    axes are on both sides of a cut between the first axes and the rest.

    Raises
    ------
    ValueError
        For a grid without axes, and a column whose shape is not that of its axes.

    Examples
    --------
    >>> grid = Grid((2, 3), [Column((0,), np.array([1.0, 2.0])), Column((1,), np.arange(3.0))])
    >>> grid.matrix().tolist()[-2:]
    [[2.0, 1.0], [2.0, 2.0]]
    """

    shape: tuple[int, ...]
    columns: Sequence[Column]

    def __post_init__(self) -> None:
        if not self.shape:
            raise ValueError("a grid has at least one axis")
        for position, (axes, values) in enumerate(self.columns):
            if list(axes) != sorted(set(axes) & set(range(len(self.shape)))):
                raise ValueError(
                    f"column {position}: axes {axes} are none of the grid's, ascending"
                )
            wanted = tuple(self.shape[axis] for axis in axes)
            if values.shape != wanted:
                raise ValueError(f"column {position}: shape {values.shape}, its axes have {wanted}")

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(np.prod(self.shape, dtype=np.int64))

    def matrix(self, cells: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Rows of some cells, which count along the last axis first; shape (cells, columns)."""
        numbers = np.arange(self.size)[cells] if isinstance(cells, slice) else cells
        levels = np.unravel_index(numbers, self.shape)
        result = np.empty((len(numbers), len(self.columns)))
        for position, (axes, values) in enumerate(self.columns):
            result[:, position] = values[tuple(levels[axis] for axis in axes)]
        return result
