"""Trees whose columns each vary along one axis: every leaf is a box of the grid.

The corners of all boxes are written into a tensor of differences, and its running sums along every axis
are the predictions (summed-area tables: Crow, SIGGRAPH 1984): what a leaf of neighbouring levels costs
does not grow with the number of its cells. A leaf with gaps is several boxes; `fewest_runs` puts like
beside like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models_py.grid.compiled import compiled
from models_py.grid.masks import BITS
from models_py.grid.order import fewest_runs


def sum_of_boxes(levels: Sequence[np.ndarray], value: np.ndarray) -> np.ndarray:
    """Sum of the trees in each cell.

    Parameters
    ----------
    levels
        For each axis the leaves that its levels leave possible, shape (words, levels of the axis).
    value
        Values of the leaves, see `Leaves`.

    Returns
    -------
    numpy.ndarray
        One dimension per axis.
    """
    orders = [fewest_runs(each) for each in levels]
    shape = np.array([len(order) for order in orders])
    ordered = [each[:, order] for each, order in zip(levels, orders, strict=True)]
    differences = np.zeros(shape.prod())
    _write_corners(np.concatenate(ordered, axis=1), shape, value, differences)
    inner = np.ix_(*orders[1:]) if len(orders) > 1 else (np.zeros(1, int),)
    place = np.ravel_multi_index(inner, shape[1:] if len(orders) > 1 else (1,)).ravel()
    sums = np.empty((shape[0], len(place)))
    _add_up(differences, shape, orders[0], place, sums)
    return sums.reshape(shape)


@compiled
def _write_corners(levels, shape, value, differences):
    axes = len(shape)
    begin = np.cumsum(shape) - shape
    stride = np.ones(axes, np.int64)
    for axis in range(axes - 2, -1, -1):
        stride[axis] = stride[axis + 1] * shape[axis + 1]
    at = np.empty((axes, shape.max()), np.int64)
    sign = np.empty((axes, shape.max()))
    runs = np.empty(axes, np.int64)
    for word in range(len(value)):
        for leaf in range(BITS):
            if value[word, leaf] == 0.0:
                continue
            for axis in range(axes):
                own = levels[word, begin[axis] : begin[axis] + shape[axis]]
                runs[axis] = _runs(own, leaf, stride[axis], at[axis], sign[axis])
                if runs[axis] == 0:
                    break
            else:
                _add_corners(at, sign, runs, value[word, leaf], differences)


@compiled
def _runs(levels, leaf, stride, at, sign):
    """Where runs of levels of a leaf begin and, one level after, end; the number of such places."""
    bit, inside, count = np.uint64(1) << np.uint64(leaf), False, 0
    for level in range(len(levels)):
        if (levels[level] & bit != 0) != inside:
            inside = not inside
            at[count], sign[count] = level * stride, 1.0 if inside else -1.0
            count += 1
    return count


@compiled
def _add_corners(at, sign, runs, amount, differences):
    """All combinations of such places: an odometer, whose last wheel is the inner loop."""
    last = len(runs) - 1
    wheels = np.zeros(last + 1, np.int64)
    while True:
        corner, signed = 0, amount
        for axis in range(last):
            corner += at[axis, wheels[axis]]
            signed *= sign[axis, wheels[axis]]
        for run in range(runs[last]):
            differences[corner + at[last, run]] += signed * sign[last, run]
        axis = last - 1
        while axis >= 0 and wheels[axis] == runs[axis] - 1:
            wheels[axis] = 0
            axis -= 1
        if axis < 0:
            return
        wheels[axis] += 1


@compiled
def _add_up(differences, shape, order, place, sums):
    """Running sums along every axis, slab by slab of the first, put where they belong."""
    size = len(place)
    above = np.zeros(size)
    for first in range(shape[0]):
        slab = differences[first * size : (first + 1) * size]
        inner = 1
        for axis in range(len(shape) - 1, 0, -1):
            block = inner * shape[axis]
            for start in range(0, size, block):
                for cell in range(start + inner, start + block):
                    slab[cell] += slab[cell - inner]
            inner = block
        into = sums[order[first]]
        for cell in range(size):
            above[cell] += slab[cell]
            into[place[cell]] = above[cell]
