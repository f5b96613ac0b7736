"""Pareto fronts under uncertainty: which options nothing else beats in every objective."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models_py.batches import whole_groups
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
    beaten = np.zeros(utility.shape[1:], bool)
    for option in range(len(beaten) - 1):
        own, others = utility[:, [option]], utility[:, option + 1 :]
        as_good, as_bad = (own >= others).all(axis=0), (own <= others).all(axis=0)
        beaten[option] |= (as_bad & ~as_good).any(axis=0)
        beaten[option + 1 :] |= as_good & ~as_bad
    return 1 - beaten.mean(axis=1)


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
