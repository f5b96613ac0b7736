"""Rows in batches that hold every group whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BATCH = 256


def whole_groups(codes: np.ndarray, size: int = BATCH) -> Iterator[np.ndarray]:
    """Positions in batches that hold every group whole, of about so many rows.

    Parameters
    ----------
    codes
        Code of each row's group, shape (rows,).

    Examples
    --------
    >>> [batch.tolist() for batch in whole_groups(np.array([0, 1, 0, 2, 1]), size=3)]
    [[0, 2, 1, 4], [3]]
    """
    order = np.argsort(codes, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(codes[order])) + 1, len(order)]
    start = 0
    while start < len(order):
        end = ends[np.searchsorted(ends, min(start + size, len(order)))]
        yield order[start:end]
        start = end
