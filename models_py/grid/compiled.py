"""Compiling functions of numbers and arrays, once on each machine."""

from __future__ import annotations

from collections.abc import Callable

import numba


def compiled(function: Callable, fastmath: bool | set[str] = False) -> Callable:
    """The function, compiled when it is first called; what it compiled to is kept in a cache.

    The cache lies beside the code or in the user's; where neither can be written, every process compiles
    anew. It looks at the function's own file alone: constants of other modules are never to change.
    `fastmath` says which rules of floating-point arithmetic it may break, as of numba.
    """
    try:
        return numba.njit(function, cache=True, nogil=True, fastmath=fastmath)
    except RuntimeError:  # no place for a cache
        return numba.njit(function, nogil=True, fastmath=fastmath)
