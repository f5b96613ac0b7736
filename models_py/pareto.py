"""Pareto fronts under uncertainty: which options nothing else beats in every objective."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models_py.batches import whole_groups
from models_py.grid.compiled import compiled
from models_py.ranking import Draw
from models_py.worth import Objective


def prob_on_front(utility: np.ndarray) -> np.ndarray:
    """Share of draws in which no other option is as good in all objectives and better in one.

    Parameters
    ----------
    utility
        More is better, shape (objectives, options, draws).

    Returns
    -------
    numpy.ndarray
        Shape (options,).

    Examples
    --------
    >>> fast, cheap, neither = [3.0, 1.0], [1.0, 3.0], [1.0, 2.0]
    >>> prob_on_front(np.array([fast, cheap, neither]).T[:, :, None])
    array([1., 1., 0.])
    """
    return 1 - _beaten(np.ascontiguousarray(utility)).mean(axis=1)


@compiled
def _beaten(utility: np.ndarray) -> np.ndarray:
    """Whether another option is as good in all objectives and better in one, (options, draws)."""
    objectives, options, draws = utility.shape
    beaten = np.zeros((options, draws), np.bool_)
    as_good, as_bad = np.empty(draws, np.bool_), np.empty(draws, np.bool_)
    for one in range(options):
        for other in range(one + 1, options):
            as_good[:] = True
            as_bad[:] = True
            for objective in range(objectives):
                own, theirs = utility[objective, one], utility[objective, other]
                for draw in range(draws):
                    as_good[draw] &= own[draw] >= theirs[draw]
                    as_bad[draw] &= own[draw] <= theirs[draw]
            mine, others = beaten[one], beaten[other]
            for draw in range(draws):
                mine[draw] |= as_bad[draw] & ~as_good[draw]
                others[draw] |= as_good[draw] & ~as_bad[draw]
    return beaten


def pareto_fronts(options: pd.DataFrame, objectives: Sequence[Objective], draw: Draw) -> np.ndarray:
    """`prob_on_front` of every option among those of its workload, shape (options,).

    Parameters
    ----------
    options
        Feature frame with `workload_id` and the facts that the objectives read, all of them known.
    draw
        Joint draws of the objectives' metrics; see `Sampler.draw`.
    """
    codes = pd.factorize(options["workload_id"])[0]
    read = options[list({name for objective in objectives for name in objective.facts})]
    result = np.ones(len(options))
    for rows in whole_groups(codes):
        drawn, facts = draw(rows), read.iloc[rows]
        utility = np.stack([each.direction * each.log_value(drawn, facts) for each in objectives])
        for code in np.unique(codes[rows]):
            here = codes[rows] == code
            result[rows[here]] = prob_on_front(utility[:, here])
    return result
