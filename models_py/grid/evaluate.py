"""Predictions of a booster for all cells of a grid, each tree in a way that suits what it asks."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from models_py.grid.axes import Column, Grid
from models_py.grid.boxes import sum_of_boxes
from models_py.grid.codes import Codes
from models_py.grid.forest import Forest
from models_py.grid.masks import EVERY_LEAF, Leaves, possible_leaves
from models_py.grid.scan import Asked, Columns, add_leaves

FEW_CELLS = 10_000  # LightGBM has answered before the trees are taken apart
LONGEST_AXIS = 5_000  # of boxes: every leaf looks at all levels
TABLE_WORDS = 4_000_000
# nanoseconds: of a cell, of a column that is asked for it, and of a combination of leading axes
CELL, ASKED, COMBINATION = 0.7, 0.5, 15.0


def predict_grid(booster: lgb.Booster, grid: Grid, *, bitwise: bool = False) -> np.ndarray:
    """Raw scores of all cells: `booster.predict(grid.matrix(), raw_score=True)`.

    Trees whose columns each vary along one axis are added as boxes, the others leaf by leaf. Grids of
    fewer than `FEW_CELLS` are LightGBM's.

    Parameters
    ----------
    grid
        Its columns are the features of the booster, in their order.
    bitwise
        Whether sums have to be LightGBM's to the last bit. Boxes are not added in the order of the
        trees: their sums differ by about 1e-14 times the sum of the largest leaves.

    Returns
    -------
    numpy.ndarray
        Of the shape of the grid.

    Raises
    ------
    ValueError
        For another number of columns, and for boosters that do more than add constants; see `Forest`.
    """
    if len(grid.columns) != booster.num_feature():
        raise ValueError(f"{len(grid.columns)} columns, the booster has {booster.num_feature()}")
    forest = Forest.of(booster)
    if grid.size < FEW_CELLS:
        matrix = grid.matrix()
        return booster.predict(matrix, raw_score=True, num_threads=1).reshape(grid.shape)
    scanned = _asking_several_axes(forest, grid) | bitwise | (max(grid.shape) > LONGEST_AXIS)
    sums = np.zeros(grid.shape)
    if not scanned.all():
        sums += _boxed(forest.take(np.flatnonzero(~scanned)), grid)
    for trees in _blocks(forest, np.flatnonzero(scanned)):
        _scan(forest.take(trees), grid, sums)
    return sums


def predict_rows(booster: lgb.Booster, matrix: np.ndarray) -> np.ndarray:
    """`booster.predict(matrix, raw_score=True)` to the last bit, of many rows in a fraction of the time.

    Parameters
    ----------
    matrix
        Shape (rows, features), floats: of others LightGBM makes numbers of 32 bits.

    Raises
    ------
    ValueError
        See `predict_grid`.
    """
    columns = [Column((0,), np.ascontiguousarray(values)) for values in matrix.T]
    return predict_grid(booster, Grid((len(matrix),), columns), bitwise=True)


def _asking_several_axes(forest: Forest, grid: Grid) -> np.ndarray:
    """Which trees ask a column that varies along more than one axis, shape (trees,)."""
    several = np.array([len(column.axes) > 1 for column in grid.columns])[forest.feature]
    before = np.concatenate([[0], np.cumsum(several)])
    return before[forest.first_node[1:]] > before[forest.first_node[:-1]]


def _boxed(forest: Forest, grid: Grid) -> np.ndarray:
    leaves = Leaves.of(forest)
    levels = [np.full((len(leaves.value), size), EVERY_LEAF) for size in grid.shape]
    for column in np.unique(forest.feature):
        axes, values = grid.columns[column]
        codes = Codes.told_apart(forest, column)
        possible = possible_leaves(forest, leaves, column, codes)
        # a column that does not vary says the same on all levels of any axis
        levels[axes[0] if axes else 0] &= possible[:, np.atleast_1d(codes.of(values))]
    return sum_of_boxes(levels, leaves.value)


def _blocks(forest: Forest, trees: np.ndarray) -> list[np.ndarray]:
    """Trees in blocks whose tables fit into memory: of about as many codes as there are nodes."""
    if len(trees) == 0:
        return []
    nodes = int(np.diff(forest.first_node)[trees].sum())
    blocks = int(np.ceil(np.sqrt(len(trees) * nodes / TABLE_WORDS)))
    return np.array_split(trees, max(1, blocks))


def _scan(forest: Forest, grid: Grid, sums: np.ndarray) -> None:
    """Add trees to the sums, leaf by leaf."""
    leaves = Leaves.of(forest)
    asked = np.unique(forest.feature)
    split = _cheapest_split(grid, [grid.columns[column].axes for column in asked])
    columns = Columns([], [], [])
    for column in asked:
        axes, values = grid.columns[column]
        codes = Codes.told_apart(forest, column)
        table = possible_leaves(forest, leaves, column, codes)
        own = Asked(table, *_laid_out(Column(axes, codes.of(values)), grid.shape, split))
        if not axes or axes[-1] < split:
            columns.leading.append(own)
        elif axes[0] >= split:
            columns.trailing.append(own)
        else:
            columns.crossing.append(own)
    flat = sums.reshape(int(np.prod(grid.shape[:split])), -1)
    add_leaves(columns, leaves.value, flat)


def _cheapest_split(grid: Grid, asked: list[tuple[int, ...]]) -> int:
    """How many axes are leading ones."""

    def cost(split: int) -> float:
        crossing = sum(bool(axes) and axes[0] < split <= axes[-1] for axes in asked)
        trailing = sum(bool(axes) and axes[0] >= split for axes in asked)
        leading = len(asked) - crossing - trailing
        before, after = (np.prod(sizes) for sizes in (grid.shape[:split], grid.shape[split:]))
        return (
            grid.size * (CELL + ASKED * crossing)
            + before * (COMBINATION + ASKED * leading)
            + after * ASKED * trailing
        )

    return min(range(len(grid.shape) + 1), key=cost)


def _laid_out(column: Column, shape: tuple[int, ...], split: int) -> tuple[np.ndarray, np.ndarray]:
    """Values by combination of leading and of trailing axes, and the row of each of the former."""

    def sizes(axes: range) -> list[int]:
        return [shape[axis] if axis in column.axes else 1 for axis in axes]

    first, rest = range(split), range(split, len(shape))
    values = column.values.reshape(-1, *sizes(rest))
    if any(axis >= split for axis in column.axes):
        values = np.broadcast_to(values, (len(values), *shape[split:]))
    numbers = np.arange(len(values)).reshape(sizes(first))
    return values.reshape(len(values), -1), np.broadcast_to(numbers, shape[:split]).ravel()
