"""Leaves that are still possible once one column has been asked, as bits.

QuickScorer (Lucchese et al., SIGIR 2015): a node that sends a row left rules out the leaves on its
right, and the other way round; the one leaf that no node rules out is the row's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models_py.grid.codes import Codes
from models_py.grid.compiled import compiled
from models_py.grid.forest import (
    CATEGORICAL,
    DEFAULT_LEFT,
    MISSING_IS_NAN,
    MISSING_IS_ZERO,
    ZERO,
    Forest,
)

BITS = 64
EVERY_LEAF = np.uint64(2**64 - 1)


class Leaves(NamedTuple):
    """The leaves of trees, numbered from left to right, in words of 64 bits; a large tree has several.

    Attributes
    ----------
    first_word
        Where each tree begins, and where the last one ends, shape (trees + 1,).
    value
        Of the leaf of each bit, and zero for the case that no bit is set, shape (words, 65).
    first, middle, last
        Leaves under each node: up to `middle` on its left, from there on its right; shape (nodes,).
    """

    first_word: np.ndarray
    value: np.ndarray
    first: np.ndarray
    middle: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, forest: Forest) -> Leaves:
        """Number the leaves of all trees."""
        words = -(-np.diff(forest.first_leaf) // BITS)
        first_word = np.concatenate([[0], np.cumsum(words)])
        value = np.zeros((first_word[-1], BITS + 1))
        ranges = np.zeros((3, len(forest.feature)), np.int64)
        for tree in range(len(forest)):
            nodes = slice(forest.first_node[tree], forest.first_node[tree + 1])
            leaves = slice(forest.first_leaf[tree], forest.first_leaf[tree + 1])
            own = value[first_word[tree] : first_word[tree + 1]]
            _number(
                forest.left[nodes], forest.right[nodes], forest.value[leaves], own, ranges[:, nodes]
            )
        return cls(first_word, value, *ranges)


@compiled
def _number(left, right, leaf_value, value, ranges):
    """Leaves of one tree into its words, and those under its nodes into ranges."""
    if len(left) == 0:
        value[0, 0] = leaf_value[0]
        return
    first, middle, last = ranges
    count = np.zeros(len(left), np.int64)
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        for child in (left[node], right[node]):
            count[node] += 1 if child < 0 else count[child]
    for node in range(len(left)):
        leaf = first[node]
        for child in (left[node], right[node]):
            if child < 0:
                value[leaf // BITS, leaf % BITS] = leaf_value[-child - 1]
                leaf += 1
            else:
                first[child] = leaf
                leaf += count[child]
            if child == left[node]:
                middle[node] = leaf
        last[node] = leaf


def possible_leaves(forest: Forest, leaves: Leaves, column: int, codes: Codes) -> np.ndarray:
    """Leaves that the nodes of a column do not rule out, by its code; shape (words, codes)."""
    table = np.full((len(leaves.value), len(codes.samples)), EVERY_LEAF)
    nodes = np.flatnonzero(forest.feature == column)
    trees = np.searchsorted(forest.first_node, nodes, side="right") - 1
    _rule_out(
        codes.samples,
        forest.threshold[nodes],
        forest.decision[nodes],
        forest.sets,
        leaves.first_word[trees],
        leaves.first_word[trees + 1],
        leaves.first[nodes],
        leaves.middle[nodes],
        leaves.last[nodes],
        table,
    )
    return table


@compiled
def _rule_out(samples, threshold, decision, sets, first_word, end_word, first, middle, last, table):
    for node in range(len(threshold)):
        for word in range(first_word[node], end_word[node]):
            offset = BITS * (word - first_word[node])
            lefts = ~_bits(first[node] - offset, middle[node] - offset)
            rights = ~_bits(middle[node] - offset, last[node] - offset)
            for code in range(len(samples)):
                left = _goes_left(samples[code], threshold[node], decision[node], sets)
                table[word, code] &= rights if left else lefts


@compiled
def _bits(first, last):
    """A word with the bits from `first` up to `last`, as far as it has them."""
    result = np.uint64(0)
    for bit in range(max(first, 0), min(last, BITS)):
        result |= np.uint64(1) << np.uint64(bit)
    return result


@compiled
def _goes_left(value, threshold, decision, sets):
    if decision & CATEGORICAL:
        return not np.isnan(value) and sets[int(threshold), int(value)]
    if np.isnan(value) and not decision & MISSING_IS_NAN:
        value = 0.0
    if np.isnan(value) or (decision & MISSING_IS_ZERO and abs(value) <= ZERO):
        return decision & DEFAULT_LEFT != 0
    return value <= threshold
