"""What the processes of several models say of options: worked out once for each process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.belief import Belief
from models_py.derived import DerivedModel
from models_py.draws import MOST_TOGETHER
from models_py.metric_model import MetricModel


class Known(NamedTuple):
    """What a process says.

    Attributes
    ----------
    options
        The options that it was asked about.
    groups, places
        Number of each option's group, and its place within it.
    correlations
        Of each group.
    """

    options: pd.Index
    groups: np.ndarray
    places: np.ndarray
    belief: Belief
    correlations: list[np.ndarray]


class Joint:
    """Beliefs about options, and how they correlate within their groups.

    Parameters
    ----------
    options
        Feature frame, one row per `config_id`.
    groups
        Name of each option's group, shape (options,). Large groups are cut.
    models
        Whose processes are asked, each about the options that its metric applies to; models that mirror
        another share its process.
    """

    def __init__(
        self,
        options: pd.DataFrame,
        groups: pd.Series,
        models: Iterable[MetricModel | DerivedModel],
    ) -> None:
        codes = pd.factorize(groups)[0]
        order = np.argsort(codes, kind="stable")
        self._options, self._codes = options.iloc[order], codes[order]
        self._asked: dict[str, np.ndarray] = {}
        for model in models:
            applies = model.applies(self._options)
            self._asked[model.digest] = self._asked.get(model.digest, False) | applies
        self._known: dict[str, Known] = {}

    def belief(self, model: MetricModel, frame: pd.DataFrame) -> Belief:
        """What the process of a model says of rows of a feature frame, also of other ones."""
        known = self._of(model)
        rows = known.options.get_indexer(frame["config_id"])
        others = rows < 0
        if others.all():
            return model.belief(frame)
        result = known.belief.take(rows)
        if others.any():
            for values, own in zip(result, model.belief(frame[others]), strict=True):
                values[others] = own
        return result

    def correlation(self, model: MetricModel | DerivedModel, options: pd.Series) -> np.ndarray:
        """As `MetricModel.correlation`, of some options (`config_id`); none between groups.

        Raises
        ------
        KeyError
            For an option that is not known.
        """
        known = self._of(model)
        rows = known.options.get_indexer_for(options)
        if (rows < 0).any():
            raise KeyError(f"{(rows < 0).sum()} options are not among those that were asked about")
        groups, places = known.groups[rows], known.places[rows]
        result = np.zeros((len(rows), len(rows)))
        for group in np.unique(groups):
            here = np.flatnonzero(groups == group)
            inside = np.ix_(places[here], places[here])
            result[np.ix_(here, here)] = known.correlations[group][inside]
        return result

    def _of(self, model: MetricModel | DerivedModel) -> Known:
        if model.digest not in self._known:
            asked = self._asked[model.digest]
            options = self._options[asked]
            groups, places = _cut(self._codes[asked])
            self._known[model.digest] = Known(
                pd.Index(options["config_id"]), groups, places, *model.jointly(options, groups)
            )
        return self._known[model.digest]


def _cut(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Groups of `MOST_TOGETHER` rows at most, numbered, and the place of each row in its group.

    Examples
    --------
    >>> groups, places = _cut(np.array([2, 2, 5]))
    >>> groups.tolist(), places.tolist()
    ([0, 0, 1], [0, 1, 0])
    """
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    sizes = np.diff(np.r_[starts, len(codes)])
    within = np.arange(len(codes)) - np.repeat(starts, sizes)
    groups = np.cumsum(within % MOST_TOGETHER == 0) - 1
    return groups, within % MOST_TOGETHER
