"""What a batch of tests may hold, and what it may still hold while it is being chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Limits:
    """What a batch may hold.

    Attributes
    ----------
    tests
        Number of tests.
    per_hardware
        Number of tests on a device; 0 for one that is not available. Others are not limited.
    budgets
        What the batch may cost, by the column of the candidates that states the cost of a test
        (minutes, money). A test of unknown cost is not affordable.
    minimum_distance
        `diversity` that a test must have when it is chosen, in [0, 1]: how far it is from what is
        measured and from the tests before it.
    """

    tests: int
    per_hardware: Mapping[str, int] = field(default_factory=dict)
    budgets: Mapping[str, float] = field(default_factory=dict)
    minimum_distance: float = 0.0

    def __post_init__(self) -> None:
        if self.tests < 0 or any(cap < 0 for cap in self.per_hardware.values()):
            raise ValueError("numbers of tests must not be negative")
        if not all(budget > 0 for budget in self.budgets.values()):
            raise ValueError("budgets must be above 0")
        if not 0 <= self.minimum_distance <= 1:
            raise ValueError(f"minimum_distance must be in [0, 1], got {self.minimum_distance}")


class Allowance:
    """What is left of the limits.

    Parameters
    ----------
    candidates
        `hardware` and a column for every budget.
    strict
        Keep within the budgets, and weigh gains by costs; without it, `overspent` says whether a batch
        cost too much.

    Attributes
    ----------
    free
        Which candidates may be chosen next, boolean, shape (candidates,).
    price
        What the gain of each is divided by, shape (candidates,): the share of the budgets that it takes
        where they are kept, else 1.
    """

    def __init__(self, limits: Limits, candidates: pd.DataFrame, strict: bool = False) -> None:
        self.strict = strict
        self._hardware, names = pd.factorize(candidates["hardware"])
        caps = limits.per_hardware
        self._caps = {code: caps[name] for code, name in enumerate(names) if name in caps}
        self._costs = candidates[list(limits.budgets)].to_numpy(float, na_value=np.nan)
        budgets = np.array(list(limits.budgets.values()), dtype=float)
        self._unspent = budgets * (1 + 1e-9)  # sums of costs are rounded
        self.price = np.ones(len(candidates))
        if strict:  # what costs nothing is worth its while, yet not infinitely
            self.price = np.maximum((self._costs / budgets).sum(axis=1), 1e-6)
        used_up = [code for code, cap in self._caps.items() if cap == 0]
        self.free = self._affordable() & ~np.isin(self._hardware, used_up)

    @property
    def overspent(self) -> bool:
        """Whether the batch cost more than a budget."""
        return bool((self._unspent < 0).any())

    def take(self, candidate: int) -> None:
        """Note that one was chosen."""
        self.free[candidate] = False
        self._unspent = self._unspent - self._costs[candidate]
        if self.strict:
            self.free &= self._affordable()
        code = self._hardware[candidate]
        if code in self._caps:
            self._caps[code] -= 1
            if self._caps[code] == 0:
                self.free &= self._hardware != code

    def _affordable(self) -> np.ndarray:
        return (self._costs <= self._unspent).all(axis=1)
