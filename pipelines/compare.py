"""Compare the options of every workload by every objective: rows of `ml.hardware_options` and fronts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.explanation import explanations
from models_py.objectives import COST, DERIVED, ENERGY_PER_UNIT
from models_py.pareto import pareto_fronts
from models_py.ranking import Odds, compare
from models_py.worth import PRICE, NotLearned, Objective, objective_of
from pipelines.costs import with_prices
from pipelines.objective import unit_of
from pipelines.score import QUANTILES, Ranked
from pipelines.settings import Settings

OPTION_COLUMNS = [
    "config_id",
    "workload_id",
    "workload",
    "platform",
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


class Comparison(NamedTuple):
    """What options are compared with, and what is asked of them.

    Attributes
    ----------
    options
        Ranked options by metric, with what their platform costs.
    objectives
        Every metric, and what is worked out from them.
    units
        Unit by metric.
    """

    system: ActiveLearningSystem
    options: Mapping[str, pd.DataFrame]
    objectives: Sequence[Objective]
    units: Mapping[str, str]
    currency: str

    @property
    def directions(self) -> dict[str, int]:
        """+1 where more is better, -1 where less is, by metric or name of what is worked out."""
        return {_key(objective): objective.direction for objective in self.objectives}


def _key(objective: Objective) -> str:
    """What an objective is called in column `metric`."""
    return objective.name if objective.name in DERIVED else next(iter(objective.powers))


def comparison(
    con: duckdb.DuckDBPyConnection,
    system: ActiveLearningSystem,
    ranked: Mapping[str, Ranked],
    settings: Settings,
) -> Comparison:
    """What the models and the price lists of a build allow to compare."""
    options = {
        metric: with_prices(con, found.options, settings.offers) for metric, found in ranked.items()
    }
    learned = {metric: system.directions[metric] for metric in ranked}
    priced = any(found[PRICE].notna().any() for found in options.values())
    objectives = [objective_of(metric, learned) for metric in ranked]
    for name in DERIVED:
        try:
            objectives.append(objective_of(name, learned, settings.balance, priced))
        except NotLearned:
            continue
    units = dict(con.sql("select metric, unit from core.metric_definitions").fetchall())
    return Comparison(system, options, objectives, units, settings.currency)


def option_rows(asked: Comparison) -> pd.DataFrame:
    """One row per objective and option."""
    rows = []
    for objective in asked.objectives:
        metric = _key(objective)
        found = _ranked_by(asked, objective) if metric in DERIVED else asked.options[metric]
        named = {
            unit: unit_of(objective, unit, asked.units, asked.currency)
            for unit in found["throughput_unit"].unique()
        }
        found = found.assign(
            unit=found["throughput_unit"].map(named).astype("string"),
            explanation=explanations(found, objective, asked.system.predictor.models),
        )
        rows.append(found[OPTION_COLUMNS].assign(metric=metric, objective=objective.name))
    return pd.concat(rows, ignore_index=True)


def front_rows(asked: Comparison) -> pd.DataFrame:
    """Options that may be on the Pareto front of their workload: one row each.

    Compared are the objectives that are known of every option of a comparable group.
    """
    compared = [
        objective
        for objective in asked.objectives
        if objective.name not in DERIVED or objective.name in (COST, ENERGY_PER_UNIT)
    ]
    every = pd.concat(
        [found[["config_id", "comparable_group"]] for found in asked.options.values()]
    ).drop_duplicates()
    parts = []
    for _, group in every.groupby("comparable_group"):
        known = [objective for objective in compared if _known(asked, objective, group)]
        if known:
            parts.append(_front(asked, known, pd.Index(group["config_id"])))
    return pd.concat(parts, ignore_index=True)


def _known(asked: Comparison, objective: Objective, group: pd.DataFrame) -> bool:
    options = [asked.options[metric] for metric in objective.powers]
    here = [found[found["config_id"].isin(group["config_id"])] for found in options]
    return all(len(found) == len(group) and objective.stated(found).all() for found in here)


def _front(asked: Comparison, objectives: Sequence[Objective], wanted: pd.Index) -> pd.DataFrame:
    metrics = {metric for objective in objectives for metric in objective.powers}
    margins = {
        metric: asked.options[metric].set_index("config_id").loc[wanted].reset_index()
        for metric in sorted(metrics)
    }
    frame = next(iter(margins.values()))
    system = asked.system
    chance = pareto_fronts(frame, objectives, system.predictor.models, margins, system.seed)
    names = ",".join(objective.name for objective in objectives)
    rows = frame[["config_id", "workload_id"]].assign(prob_on_front=chance, objectives=names)
    most = rows.groupby("workload_id")["prob_on_front"].transform("max")
    return rows[rows["prob_on_front"] >= np.minimum(most, LEAST_ON_FRONT)]


def _ranked_by(asked: Comparison, objective: Objective) -> pd.DataFrame:
    """Options of which all metrics and facts of an objective are known, ranked by it."""
    used = {metric: asked.options[metric].set_index("config_id") for metric in objective.powers}
    first = next(iter(used.values()))
    both = reduce(pd.Index.intersection, (found.index for found in used.values()))
    both = both[objective.stated(first.loc[both])]
    margins = {metric: found.loc[both].reset_index() for metric, found in used.items()}
    frame, system = next(iter(margins.values())), asked.system
    ranked = compare(frame, objective, system.predictor.models, margins, seed=system.seed)
    in_domain = np.logical_and.reduce([margin["in_domain"] for margin in margins.values()])
    return frame.drop(columns=ranked.columns).join(ranked).assign(in_domain=in_domain)
