"""What `HardwareRecommender` answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from models_py.constraints import Unsatisfied
from models_py.objectives import MARGIN
from models_py.worth import Objective


@dataclass(frozen=True)
class Recommendation:
    """The answer to a request.

    Attributes
    ----------
    objective
        What options were compared by.
    options
        What keeps all constraints, best first: one row per workload and platform, with quantiles of the
        objective, `measured_value`, `prob_feasible` (1 where it ran), `prob_meets` (that it runs and
        keeps the requirements), `prob_best`, `expected_regret`, `hardware_score` and `rank`.
    unsatisfied
        By `workload_id`, why nothing is left of a workload.
    """

    objective: Objective
    options: pd.DataFrame
    unsatisfied: Mapping[str, Unsatisfied]

    def alternatives(self, margin: float = MARGIN) -> pd.DataFrame:
        """The best option of each other device that is expected to lose no more than a margin.

        Parameters
        ----------
        margin
            Relative loss against the best, in [0, 1).
        """
        rows = self.options
        recommended = rows[rows["rank"] == 1].set_index("workload_id")["hardware"]
        others = rows[rows["hardware"] != rows["workload_id"].map(recommended)]
        best = others.drop_duplicates(["workload_id", "hardware"])
        return best[best["expected_regret"] <= margin].reset_index(drop=True)


@dataclass(frozen=True)
class Sizing:
    """The answer to a demand.

    Attributes
    ----------
    options
        What `size_platforms` says of every shape (a workload but for its batch and concurrency).
    unsatisfied
        By `workload_id` of one of its workloads, why nothing carries the demand of a shape.
    """

    options: pd.DataFrame
    unsatisfied: Mapping[str, Unsatisfied]
