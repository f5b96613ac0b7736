"""HiGHS by SciPy, without what some of its versions print on standard output."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from scipy.optimize import OptimizeResult, milp

# the descriptor is the process's: of two threads one would keep what the other one put there
_ONE_AT_A_TIME = threading.Lock()


def solve_integer(*args: object, **kwargs: object) -> OptimizeResult:
    """`scipy.optimize.milp`, silent: HiGHS 1.12 prints where it repairs a solution."""
    with _ONE_AT_A_TIME, _silent_output():
        return milp(*args, **kwargs)


@contextlib.contextmanager
def _silent_output() -> Iterator[None]:
    """Send file descriptor 1 to nowhere: the library writes past Python."""
    try:
        kept = os.dup(1)
    except OSError:  # closed: there is nothing to silence
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
