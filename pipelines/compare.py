"""What options are compared by, and how those of whole workloads compare."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from models_py.batches import whole_groups
from models_py.draws import Sampler, metric_correlation
from models_py.explanation import explanations
from models_py.joint import Joint
from models_py.objectives import BALANCED, DERIVED
from models_py.pareto import pareto_fronts
from models_py.predict import PerformancePredictor
from models_py.ranking import DRAWS, Draw, Odds, compare
from models_py.worth import PRICE, NotLearned, Objective, objective_of
from pipelines.costs import PLACE, priced, prices_of
from pipelines.objective import require_objective, unit_of
from pipelines.rescoring import QUANTILES
from pipelines.settings import Settings

OPTION_COLUMNS = [
    "config_id",
    "workload_id",
    "workload",
    "platform",
    "hardware",
    "rank",
    "hardware_score",
    *Odds._fields,
    *QUANTILES,
    "in_domain",
    "fits_in_memory",
    "prob_feasible",
    "measured_value",
    "price_per_hour",
    "unit",
    "explanation",
]
# a platform with a smaller chance to be on the front of its workload is left out
LEAST_ON_FRONT = 0.1
# fronts take pairs of options, and need fewer draws
FRONT_DRAWS = 128
# what tells which metrics and prices are known of options
KINDS = """
select distinct comparable_group, hardware, device_count, if(batch_work > 0, 1.0, null) as batch_work,
    1.0 as concurrency
from (
    select comparable_group, hardware, device_count, batch_work from features.measured_configurations
    union all
    select comparable_group, hardware, device_count, batch_work from features.candidate_features
)
"""


# positions of the same options among those ranked by each metric
Places = Mapping[str, np.ndarray]


class Terms(NamedTuple):
    """What options are compared by.

    Attributes
    ----------
    objectives
        By comparable group: every metric of it, and what is worked out from them.
    units
        Unit by metric.
    prices
        See `prices_of`.
    correlation
        See `metric_correlation`, of `metrics`.
    """

    predictor: PerformancePredictor
    objectives: Mapping[str, Sequence[Objective]]
    units: Mapping[str, str]
    currency: str
    prices: pd.DataFrame
    seed: int
    correlation: np.ndarray

    @property
    def metrics(self) -> list[str]:
        """Metrics that some options are compared by."""
        return [metric for metric in self.predictor.models if metric in self.directions]

    @property
    def directions(self) -> dict[str, int]:
        """+1 where more is better, -1 where less is, by metric or name of what is worked out."""
        return {
            _key(objective): objective.direction
            for objectives in self.objectives.values()
            for objective in objectives
        }


def terms_of(
    con: duckdb.DuckDBPyConnection,
    predictor: PerformancePredictor,
    directions: Mapping[str, str],
    settings: Settings,
) -> Terms:
    """What the models and the price lists of a build allow to compare."""
    units = dict(con.sql("select metric, unit from core.metric_definitions").fetchall())
    for name in settings.balance:
        require_objective(name, units, "balance")
    kinds = con.sql(KINDS).df()
    prices = prices_of(con, kinds[PLACE], settings.offers)
    kinds = priced(kinds, prices)
    objectives = {
        group: _objectives(
            predictor, kinds[kinds["comparable_group"] == group], directions, settings
        )
        for group in sorted(kinds["comparable_group"].unique())
    }
    known = {metric for each in objectives.values() for one in each for metric in one.powers}
    models = {metric: model for metric, model in predictor.models.items() if metric in known}
    correlation = metric_correlation(models)
    return Terms(
        predictor, objectives, units, settings.currency, prices, settings.seed, correlation
    )


def _objectives(
    predictor: PerformancePredictor,
    kinds: pd.DataFrame,
    directions: Mapping[str, str],
    settings: Settings,
) -> list[Objective]:
    """Metrics of a group, and what is worked out from them; what is balanced is known of all options."""
    applies = {metric: model.applies(kinds) for metric, model in predictor.models.items()}
    learned = {metric: directions[metric] for metric, here in applies.items() if here.any()}
    here = np.logical_or.reduce([np.zeros(len(kinds), bool), *applies.values()])
    known = kinds.loc[here, PRICE].notna()
    objectives = [objective_of(metric, learned) for metric in learned]
    for name in DERIVED:
        stated = known.all() if name == BALANCED else known.any()
        with contextlib.suppress(NotLearned):
            objectives.append(objective_of(name, learned, settings.balance, bool(stated)))
    return objectives


def _key(objective: Objective) -> str:
    """What an objective is called in column `metric`."""
    return objective.name if objective.name in DERIVED else next(iter(objective.powers))


class Options:
    """Likely options of whole workloads, drawn once for everything that they are compared by.

    Parameters
    ----------
    options
        By metric: feature frame of the options that it is known of, with quantiles and `measured_value`.
    joint
        What processes say of them.

    Attributes
    ----------
    ranked
        The same with the prices of their platform, and ranked by the metric; see `compare`.
    """

    def __init__(self, terms: Terms, options: Mapping[str, pd.DataFrame], joint: Joint) -> None:
        self.terms = terms
        self.levels = terms.predictor.levels
        self._drawn, self._place = _drawn(terms, options, joint)
        self.ranked: dict[str, pd.DataFrame] = {}
        for metric, found in options.items():
            found = priced(found, terms.prices)
            objective = Objective(metric, {metric: 1.0}, terms.directions[metric])
            ranking = compare(
                found, objective, {metric: found}, self.levels, self._draw(found, [metric])
            )
            self.ranked[metric] = found.drop(columns=ranking.columns, errors="ignore").join(ranking)
        self._names = {
            metric: pd.Index(found["config_id"]) for metric, found in self.ranked.items()
        }
        self._known = {
            group: {objective: self._places(objective, group) for objective in objectives}
            for group, objectives in terms.objectives.items()
        }

    def rows(self) -> pd.DataFrame:
        """One row per objective and option, for `ml.hardware_options`."""
        rows = [
            self._rows(objective, places)
            for known in self._known.values()
            for objective, places in known.items()
            if len(next(iter(places.values())))
        ]
        return pd.concat(rows, ignore_index=True)

    def _rows(self, objective: Objective, places: Places) -> pd.DataFrame:
        margins = {
            metric: self.ranked[metric].iloc[each].reset_index(drop=True)
            for metric, each in places.items()
        }
        found = next(iter(margins.values()))
        if objective.name in DERIVED:
            draw = self._draw(found, objective.powers)
            ranking = compare(found, objective, margins, self.levels, draw)
            known = np.logical_and.reduce([margin["in_domain"] for margin in margins.values()])
            found = found.drop(columns=ranking.columns).join(ranking).assign(in_domain=known)
        unit = found["throughput_unit"].iloc[0]  # one in a comparable group
        found = found.assign(
            unit=unit_of(objective, unit, self.terms.units, self.terms.currency),
            explanation=explanations(found, objective, self.terms.predictor.models),
            metric=_key(objective),
            objective=objective.name,
        )
        return found[[*OPTION_COLUMNS, "metric", "objective"]]

    def fronts(self) -> pd.DataFrame:
        """Options that may be on the Pareto front of their workload: one row each.

        Compared are the objectives that are known of every option of the workload.
        """
        parts = []
        for known in self._known.values():
            compared = [objective for objective in known if objective.name != BALANCED]
            facts = {name for objective in compared for name in objective.facts}
            read = ["config_id", "workload_id", *sorted(facts)]
            options = {each: self._options(known[each], read) for each in compared}
            parts += [
                self._front({each: _of_workloads(options[each], names) for each in alike})
                for alike, names in _known_alike(options)
            ]
        return pd.concat(parts, ignore_index=True)

    def _front(self, options: Mapping[Objective, pd.DataFrame]) -> pd.DataFrame:
        metrics = {metric for objective in options for metric in objective.powers}
        each = [pd.Index(frame["config_id"]) for frame in options.values()]
        both = reduce(pd.Index.intersection, each)
        frame = next(iter(options.values()))
        frame = frame[both.get_indexer(each[0]) >= 0].reset_index(drop=True)
        drawn = self._draw(frame, metrics, FRONT_DRAWS)
        chance = pareto_fronts(frame, list(options), drawn)
        names = ",".join(objective.name for objective in options)
        rows = frame[["config_id", "workload_id"]].assign(prob_on_front=chance, objectives=names)
        most = rows.groupby("workload_id")["prob_on_front"].transform("max")
        return rows[rows["prob_on_front"] >= np.minimum(most, LEAST_ON_FRONT)]

    def _places(self, objective: Objective, group: str) -> Places:
        """Of the options of a group of which all metrics and facts of an objective are known."""
        of_group = (
            self._names[metric][self.ranked[metric]["comparable_group"] == group]
            for metric in objective.powers
        )
        both = reduce(pd.Index.intersection, of_group)
        places = {metric: self._names[metric].get_indexer(both) for metric in objective.powers}
        stated = objective.stated(self._options(places, list(objective.facts)))
        return {metric: each[stated] for metric, each in places.items()}

    def _options(self, places: Places, read: Sequence[str]) -> pd.DataFrame:
        """Some columns of options, which do not depend on the metric."""
        metric, rows = next(iter(places.items()))
        return self.ranked[metric][read].iloc[rows].reset_index(drop=True)

    def _draw(self, options: pd.DataFrame, metrics: Sequence[str], most: int = DRAWS) -> Draw:
        place = self._place[options["config_id"]].to_numpy()
        return lambda rows: {metric: self._drawn[metric][place[rows], :most] for metric in metrics}


def _drawn(
    terms: Terms, options: Mapping[str, pd.DataFrame], joint: Joint
) -> tuple[dict[str, np.ndarray], pd.Series]:
    """Draws of every metric, shape (configurations, draws), and the row of each configuration."""
    every = pd.concat([found[["config_id", "workload_id"]] for found in options.values()])
    every = every.drop_duplicates().sort_values(["workload_id", "config_id"], ignore_index=True)
    names, models = every["config_id"], terms.predictor.models
    place = pd.Series(np.arange(len(every)), names)
    known = [*QUANTILES, "measured_value"]
    margins = {
        metric: found.set_index("config_id")[known].reindex(names)
        for metric, found in options.items()
    }
    sampler = Sampler(
        every,
        models,
        margins,
        DRAWS,
        terms.seed,
        every["workload_id"],
        terms.correlation,
        lambda model, rows: joint.correlation(model, names.iloc[rows]),
    )
    drawn = {metric: np.empty((len(every), DRAWS)) for metric in options}
    for rows in whole_groups(sampler.groups):
        for metric, values in sampler.draw(rows).items():
            drawn[metric][rows] = values
    return drawn, place


def _known_alike(
    options: Mapping[Objective, pd.DataFrame],
) -> list[tuple[list[Objective], pd.Index]]:
    """Workloads by the objectives that are known of all of their options."""
    each = enumerate(options.values())
    counts = pd.DataFrame({place: found["workload_id"].value_counts() for place, found in each})
    known = counts.eq(counts.max(axis=1), axis=0)
    objectives = list(options)
    return [
        ([objectives[place] for place, there in zip(known, key, strict=True) if there], rows.index)
        for key, rows in known.groupby(list(known))
    ]


def _of_workloads(options: pd.DataFrame, workloads: pd.Index) -> pd.DataFrame:
    return options[options["workload_id"].isin(workloads)].reset_index(drop=True)
