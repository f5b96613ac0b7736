"""Compare the options of every workload by every objective: rows of `ml.hardware_options` and fronts."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.explanation import explanations
from models_py.objectives import BALANCED, DERIVED
from models_py.pareto import pareto_fronts
from models_py.ranking import Odds, compare
from models_py.worth import PRICE, NotLearned, Objective, objective_of
from pipelines.costs import with_prices
from pipelines.objective import require_objective, unit_of
from pipelines.rescoring import QUANTILES
from pipelines.score import Ranked
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
        By comparable group: every metric of it, and what is worked out from them.
    units
        Unit by metric.
    """

    system: ActiveLearningSystem
    options: Mapping[str, pd.DataFrame]
    objectives: Mapping[str, Sequence[Objective]]
    units: Mapping[str, str]
    currency: str

    @property
    def directions(self) -> dict[str, int]:
        """+1 where more is better, -1 where less is, by metric or name of what is worked out."""
        return {
            _key(objective): objective.direction
            for objectives in self.objectives.values()
            for objective in objectives
        }

    def margins(self, objective: Objective, group: str) -> dict[str, pd.DataFrame]:
        """Options of a group of which all metrics and facts of an objective are known, by metric."""
        used = {
            metric: self.options[metric][self.options[metric]["comparable_group"] == group]
            for metric in objective.powers
        }
        each = {metric: found.set_index("config_id") for metric, found in used.items()}
        both = reduce(pd.Index.intersection, (found.index for found in each.values()))
        both = both[objective.stated(next(iter(each.values())).loc[both])]
        return {metric: found.loc[both].reset_index() for metric, found in each.items()}


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
    units = dict(con.sql("select metric, unit from core.metric_definitions").fetchall())
    for name in settings.balance:
        require_objective(name, units, "balance")
    options = {
        metric: with_prices(con, found.options, settings.offers) for metric, found in ranked.items()
    }
    groups = sorted(set().union(*(found["comparable_group"] for found in options.values())))
    objectives = {group: _objectives(system, options, group, settings.balance) for group in groups}
    return Comparison(system, options, objectives, units, settings.currency)


def _objectives(
    system: ActiveLearningSystem,
    options: Mapping[str, pd.DataFrame],
    group: str,
    balance: Mapping[str, float],
) -> list[Objective]:
    """Metrics of a group, and what is worked out from them; what is balanced is known of all options."""
    here = {metric: found[found["comparable_group"] == group] for metric, found in options.items()}
    learned = {metric: system.directions[metric] for metric, found in here.items() if len(found)}
    priced = pd.concat([found[PRICE] for found in here.values()]).notna()
    objectives = [objective_of(metric, learned) for metric in learned]
    for name in DERIVED:
        known = priced.all() if name == BALANCED else priced.any()
        with contextlib.suppress(NotLearned):
            objectives.append(objective_of(name, learned, balance, bool(known)))
    return objectives


def option_rows(asked: Comparison) -> pd.DataFrame:
    """One row per objective and option."""
    rows, models = [], asked.system.predictor.models
    for group, objectives in asked.objectives.items():
        for objective in objectives:
            margins = asked.margins(objective, group)
            found = next(iter(margins.values()))
            if found.empty:
                continue
            if objective.name in DERIVED:
                found = _ranked_by(asked, objective, margins)
            unit = found["throughput_unit"].iloc[0]  # one in a comparable group
            found = found.assign(
                unit=unit_of(objective, unit, asked.units, asked.currency),
                explanation=explanations(found, objective, models),
                metric=_key(objective),
                objective=objective.name,
            )
            rows.append(found[[*OPTION_COLUMNS, "metric", "objective"]])
    return pd.concat(rows, ignore_index=True)


def _ranked_by(
    asked: Comparison, objective: Objective, margins: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    frame, system = next(iter(margins.values())), asked.system
    ranked = compare(frame, objective, system.predictor.models, margins, seed=system.seed)
    in_domain = np.logical_and.reduce([margin["in_domain"] for margin in margins.values()])
    return frame.drop(columns=ranked.columns).join(ranked).assign(in_domain=in_domain)


def front_rows(asked: Comparison) -> pd.DataFrame:
    """Options that may be on the Pareto front of their workload: one row each.

    Compared are the objectives that are known of every option of a comparable group.
    """
    parts = []
    for group, objectives in asked.objectives.items():
        margins = {
            objective: asked.margins(objective, group)
            for objective in objectives
            if objective.name != BALANCED
        }
        most = max(len(next(iter(each.values()))) for each in margins.values())
        known = {
            objective: each
            for objective, each in margins.items()
            if len(next(iter(each.values()))) == most
        }
        if most:
            parts.append(_front(asked, known))
    return pd.concat(parts, ignore_index=True)


def _front(
    asked: Comparison, margins: Mapping[Objective, Mapping[str, pd.DataFrame]]
) -> pd.DataFrame:
    by_metric = {metric: found for each in margins.values() for metric, found in each.items()}
    frame, system = next(iter(by_metric.values())), asked.system
    wanted = frame["config_id"]
    aligned = {
        metric: found.set_index("config_id").loc[wanted].reset_index()
        for metric, found in by_metric.items()
    }
    chance = pareto_fronts(frame, list(margins), system.predictor.models, aligned, system.seed)
    names = ",".join(objective.name for objective in margins)
    rows = frame[["config_id", "workload_id"]].assign(prob_on_front=chance, objectives=names)
    most = rows.groupby("workload_id")["prob_on_front"].transform("max")
    return rows[rows["prob_on_front"] >= np.minimum(most, LEAST_ON_FRONT)]
