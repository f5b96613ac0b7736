"""Trees whose columns vary along several axes: the leaf of every cell, by its bits.

What columns of the leading axes rule out is worked out once for each combination of these, and what
columns of the trailing axes rule out once for each of those; only columns that cross from leading to
trailing axes are asked cell by cell. Trees are added in their order: sums are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
from numba.extending import intrinsic

from models_py.grid.compiled import compiled
from models_py.grid.masks import EVERY_LEAF

SLAB_WORDS = 2_000_000  # of leading combinations at a time
TRAILING_CELLS = 2_048  # at a time
TILE_CELLS = 8_192  # of which the sums stay in the cache while tree after tree is added


class Asked(NamedTuple):
    """A column that trees ask.

    Attributes
    ----------
    table
        Leaves that each code leaves possible, shape (words, codes).
    codes
        Shape (combinations of the leading axes along which it varies, those of trailing axes or one).
    row
        Row in `codes` of each combination of leading axes.
    """

    table: np.ndarray
    codes: np.ndarray
    row: np.ndarray


class Columns(NamedTuple):
    """Columns that vary along leading axes alone, along trailing axes alone, and along both."""

    leading: list[Asked]
    trailing: list[Asked]
    crossing: list[Asked]

    def of_trailing(self, part: slice) -> Columns:
        """For some combinations of trailing axes."""
        trailing, crossing = (
            [column._replace(codes=column.codes[:, part]) for column in kind]
            for kind in (self.trailing, self.crossing)
        )
        return Columns(self.leading, trailing, crossing)


class Joined(NamedTuple):
    """Matrices one after the other: where each begins, and how wide it is."""

    values: np.ndarray
    begin: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, matrices: Sequence[np.ndarray], kind: type) -> Joined:
        """Matrices as values of one type."""
        sizes = np.array([each.size for each in matrices], np.int64)
        values = np.concatenate([np.zeros(0, kind), *map(np.ravel, matrices)], dtype=kind)
        return cls(
            values,
            np.cumsum(sizes) - sizes,
            np.array([each.shape[1] for each in matrices], np.int64),
        )


def add_leaves(columns: Columns, value: np.ndarray, sums: np.ndarray) -> None:
    """Add the trees to the sums.

    Parameters
    ----------
    value
        Values of the leaves, see `Leaves`.
    sums
        Shape (combinations of leading axes, those of trailing axes).
    """
    for start in range(0, sums.shape[1], TRAILING_CELLS):
        part = slice(start, start + TRAILING_CELLS)
        own = np.ascontiguousarray(sums[:, part])
        _add_trailing(columns.of_trailing(part), value, own)
        sums[:, part] = own


def _add_trailing(columns: Columns, value: np.ndarray, sums: np.ndarray) -> None:
    """The same for so few combinations of trailing axes that their tables fit into memory."""
    leading, trailing, crossing = columns
    inner = np.full((len(value), sums.shape[1]), EVERY_LEAF)
    for column in trailing:
        _keep_possible(inner, column.table, column.codes[0])
    tables = Joined.of([column.table for column in crossing], np.uint64)
    kind = np.result_type(np.uint16, *(column.codes for column in crossing))
    codes = Joined.of([column.codes for column in crossing], kind)
    asks = np.zeros((len(value), len(crossing)), bool)
    for position, column in enumerate(crossing):
        asks[:, position] = (column.table != EVERY_LEAF).any(axis=1)
    row = np.array([column.row for column in crossing], np.int64).reshape(len(crossing), len(sums))
    slab = max(1, SLAB_WORDS // len(value))
    for start in range(0, len(sums), slab):
        part = slice(start, start + slab)
        outer = np.full((len(value), len(sums[part])), EVERY_LEAF)
        for column in leading:
            _keep_possible(outer, column.table, column.codes[column.row[part], 0])
        _add_slab(outer, inner, tables, codes, row[:, part], asks, value, sums[part])


@compiled
def _keep_possible(possible, table, codes):
    for word in range(len(possible)):
        own, into = table[word], possible[word]
        if np.any(own != EVERY_LEAF):
            for each in range(len(codes)):
                into[each] &= own[codes[each]]


@intrinsic
def _lowest_bit(_, word):
    """The number of the lowest bit that is set; 64 where none is."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], context.get_constant(numba.types.boolean, 0))

    return numba.types.uint64(numba.types.uint64), generate


@compiled
def _row(matrices, which, row):
    begin = matrices.begin[which] + row * matrices.width[which]
    return matrices.values[begin : begin + matrices.width[which]]


@compiled
def _add_slab(outer, inner, tables, codes, row, asks, value, sums):
    left = np.empty(inner.shape[1], np.uint64)
    tile = max(1, TILE_CELLS // inner.shape[1])
    for start in range(0, len(sums), tile):
        for word in range(len(value)):
            for each in range(start, min(start + tile, len(sums))):
                possible, reached, last = outer[word, each], inner[word], -1
                for column in range(asks.shape[1]):
                    if not asks[word, column]:
                        continue
                    if last >= 0:
                        table, code = _row(tables, last, word), _row(codes, last, row[last, each])
                        for cell in range(len(left)):
                            left[cell] = reached[cell] & table[code[cell]]
                        reached = left
                    last = column
                if last < 0:
                    _add_reached(possible, reached, value[word], sums[each])
                else:
                    table, code = _row(tables, last, word), _row(codes, last, row[last, each])
                    _add_asked(possible, reached, table, code, value[word], sums[each])


@compiled
def _add_reached(possible, reached, value, sums):
    for cell in range(len(sums)):
        sums[cell] += value[_lowest_bit(possible & reached[cell])]


@compiled
def _add_asked(possible, reached, table, code, value, sums):
    for cell in range(len(sums)):
        sums[cell] += value[_lowest_bit(possible & reached[cell] & table[code[cell]])]
