"""An order of levels in which the leaves have few runs of them."""

from __future__ import annotations

import numpy as np

from models_py.grid.compiled import compiled

MOST_LEVELS = 512


def fewest_runs(levels: np.ndarray) -> np.ndarray:
    """Levels one after the other, like beside like: nearest neighbour, then 2-opt (Croes 1958).

    Parameters
    ----------
    levels
        Leaves that each level leaves possible, shape (words, levels).

    Returns
    -------
    numpy.ndarray
        Positions of the levels, shape (levels,); as they are where that is as good, or where there are
        too many to compare.
    """
    count = levels.shape[1]
    if count < 3 or count > MOST_LEVELS:
        return np.arange(count)
    bits = np.unpackbits(levels.view(np.uint8).reshape(len(levels), count, 8), axis=2)
    bits = np.ascontiguousarray(bits.transpose(1, 0, 2)).reshape(count, -1).astype(np.float32)
    leaves = bits.sum(axis=1)
    # one more, without a leaf: where the tour begins and ends
    distance = np.zeros((count + 1, count + 1), np.float32)
    distance[:count, :count] = leaves[:, None] + leaves - 2 * bits @ bits.T
    distance[count, :count] = distance[:count, count] = leaves
    tour, natural = _tour(distance), np.arange(-1, count)  # the last one comes first
    return tour[1:] if _length(distance, tour) < _length(distance, natural) else natural[1:]


def _length(distance: np.ndarray, tour: np.ndarray) -> float:
    return float(distance[tour, np.roll(tour, -1)].sum())


@compiled
def _tour(distance):
    count = len(distance)
    tour = np.empty(count + 1, np.int64)
    tour[0] = tour[count] = count - 1
    free = np.ones(count, np.bool_)
    free[count - 1] = False
    for position in range(1, count):
        nearest = -1
        for each in range(count):
            near = distance[tour[position - 1], each]
            if free[each] and (nearest < 0 or near < distance[tour[position - 1], nearest]):
                nearest = each
        tour[position] = nearest
        free[nearest] = False
    better = True
    while better:
        better = False
        for first in range(1, count - 1):
            for last in range(first + 1, count):
                one, two, three, four = tour[first - 1], tour[first], tour[last], tour[last + 1]
                saved = distance[one, two] + distance[three, four]
                saved -= distance[one, three] + distance[two, four]
                if saved > 0.5:
                    tour[first : last + 1] = tour[first : last + 1][::-1].copy()
                    better = True
    return tour[:count]
