"""The trees of a LightGBM booster as arrays, from the text that it is saved as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import lightgbm as lgb
import numpy as np

CATEGORICAL = 1
DEFAULT_LEFT = 2
MISSING_IS_ZERO = 4
MISSING_IS_NAN = 8
# LightGBM takes what is nearer to zero for zero
ZERO = float(np.float32(1e-35))


@dataclass(frozen=True)
class Forest:
    """Nodes and leaves of all trees, one tree after the other.

    Attributes
    ----------
    feature, threshold, decision
        Of each node: the column that it asks; the largest value that goes left, or the number of a set
        of categories; bits that say how it decides. Shape (nodes,).
    left, right
        Children of each node: a node of its tree, or the complement of a leaf. A node comes before its
        children. Shape (nodes,).
    value
        Of each leaf, shape (leaves,).
    first_node, first_leaf
        Where each tree begins, and where the last one ends, shape (trees + 1,).
    sets
        Categories that go left, boolean, shape (sets, categories).
    """

    feature: np.ndarray
    threshold: np.ndarray
    decision: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    first_node: np.ndarray
    first_leaf: np.ndarray
    sets: np.ndarray

    def __len__(self) -> int:
        return len(self.first_node) - 1

    @classmethod
    def of(cls, booster: lgb.Booster) -> Forest:
        """The trees that `booster.predict` adds up.

        Raises
        ------
        ValueError
            For boosters without trees, and those that do more than add constants: of several classes,
            random forests, and those with linear models in their leaves.
        """
        head, *trees = booster.model_to_string().split("\nTree=")
        told = dict(_pairs(head))
        if int(told["num_tree_per_iteration"]) != 1 or "average_output" in head.splitlines():
            raise ValueError("a booster of one output that is the sum of its trees is needed")
        if not trees:
            raise ValueError("the booster has no trees")
        sets: list[np.ndarray] = []
        parts = [_tree(dict(_pairs(tree)), sets) for tree in trees]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        nodes, leaves = ([len(part[at]) for part in parts] for at in (0, -1))
        return cls(
            *columns,
            first_node=np.cumsum([0, *nodes]),
            first_leaf=np.cumsum([0, *leaves]),
            sets=_as_matrix(sets),
        )

    def take(self, trees: np.ndarray) -> Forest:
        """Some of the trees, in the order given."""
        nodes, leaves = (_within(first, trees) for first in (self.first_node, self.first_leaf))
        return Forest(
            *(
                column[nodes]
                for column in (self.feature, self.threshold, self.decision, self.left, self.right)
            ),
            self.value[leaves],
            first_node=np.cumsum([0, *np.diff(self.first_node)[trees]]),
            first_leaf=np.cumsum([0, *np.diff(self.first_leaf)[trees]]),
            sets=self.sets,
        )


def _within(first: np.ndarray, trees: np.ndarray) -> np.ndarray:
    """Positions of the nodes, or leaves, of some trees."""
    return np.concatenate([np.arange(0), *(np.arange(first[t], first[t + 1]) for t in trees)])


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n\n", 1)[0].splitlines():
        name, found, value = line.partition("=")
        if found:
            yield name, value


def _tree(told: Mapping[str, str], sets: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Feature, threshold, decision, left, right of its nodes, and values of its leaves."""
    if told.get("is_linear", "0") != "0":
        raise ValueError("leaves with linear models are not evaluated on grids")
    value = _numbers(told, "leaf_value", float)
    if len(value) == 1:  # a tree without a node
        return *(np.zeros(0, kind) for kind in (int, float, np.uint8, int, int)), value
    threshold, decision = (
        _numbers(told, name, kind) for name, kind in (("threshold", float), ("decision_type", int))
    )
    threshold[(decision & CATEGORICAL) > 0] += len(sets)
    if int(told["num_cat"]):
        words = _numbers(told, "cat_threshold", "<u4")
        bounds = _numbers(told, "cat_boundaries", int)
        bits = [words[low:high].view(np.uint8) for low, high in pairwise(bounds)]
        sets += [np.unpackbits(each, bitorder="little").astype(bool) for each in bits]
    return (
        _numbers(told, "split_feature", int),
        threshold,
        decision.astype(np.uint8),
        _numbers(told, "left_child", int),
        _numbers(told, "right_child", int),
        value,
    )


def _numbers(told: Mapping[str, str], name: str, kind: type | str) -> np.ndarray:
    return np.array(told[name].split(), kind)


def _as_matrix(sets: list[np.ndarray]) -> np.ndarray:
    result = np.zeros((len(sets), max(map(len, sets), default=0)), bool)
    for row, members in zip(result, sets, strict=True):
        row[: len(members)] = members
    return result
