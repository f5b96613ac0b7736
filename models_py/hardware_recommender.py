"""`HardwareRecommender`: which platform a workload should run on, with odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models_py.constraints import Constraints, Unsatisfied, keeping, screens, why_none
from models_py.draws import Sampler
from models_py.feasibility import MINIMUM_FEASIBILITY
from models_py.measured import newest_measurements
from models_py.metric_model import quantile_names
from models_py.objectives import BALANCE, DEFAULT_DIRECTIONS
from models_py.predict import PerformancePredictor
from models_py.ranking import PLATFORM, WORKLOAD, compare, known_values
from models_py.requirements import probabilities, require_learned
from models_py.worth import PRICE, Objective, objective_of

DRAWS = 4_096
MARGIN = 0.1
FACTS = ("price_per_hour", "price_per_replica_hour", "bound_power_w", "memory_share")


@dataclass(frozen=True)
class Recommendation:
    """The answer to a request.

    Attributes
    ----------
    objective
        What options were compared by.
    options
        What keeps all constraints, best first: one row per workload and platform, with quantiles of the
        objective, `measured_value`, `prob_feasible` (1 where it ran), `prob_meets` (of the
        requirements, where it runs), `prob_best`, `expected_regret`, `hardware_score` and `rank`.
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


class HardwareRecommender:
    """Recommends hardware for workloads from predictive distributions.

    Parameters
    ----------
    predictor
        A fitted predictor.
    options
        Feature frame of the options to choose from (columns of `features.candidate_features`, and where
        prices matter `price_per_hour` and `price_per_replica_hour`); by default the rows that the
        predictor was fitted on.
    available_hardware
        Restricts the choice.
    directions
        `higher` or `lower` by metric.
    minimum_feasibility
        Options that run with a smaller probability are left out.
    balance
        See `models_py.objectives.objective_of`.
    """

    def __init__(
        self,
        predictor: PerformancePredictor,
        available_hardware: Sequence[str] | None = None,
        options: pd.DataFrame | None = None,
        directions: Mapping[str, str] = DEFAULT_DIRECTIONS,
        seed: int = 0,
        minimum_feasibility: float = MINIMUM_FEASIBILITY,
        balance: Mapping[str, float] = BALANCE,
    ) -> None:
        known = options if options is not None else predictor.training_frame
        if known is None:
            raise ValueError("a loaded predictor has no training rows: pass `options`")
        self.predictor = predictor
        self.directions = {
            metric: directions[metric] for metric in predictor.models if metric in directions
        }
        self.seed = seed
        self.minimum_feasibility = minimum_feasibility
        self.balance = balance
        self.available_hardware = None if available_hardware is None else list(available_hardware)
        self.options = known.reset_index(drop=True)
        self._priced = PRICE in known and bool(known[PRICE].notna().any())

    def recommend_hardware(
        self,
        optimize_for: str = "throughput",
        constraints: Constraints | None = None,
        **workload: object,
    ) -> Recommendation:
        """Ranked platforms for one workload; a measured option counts with its measured value.

        Parameters
        ----------
        optimize_for
            A metric, `cost`, `energy_per_unit` or `balanced`; see `models_py.objectives`.
        **workload
            Any of `model_name, model_type, task, precision, batch_size, input_length,
            output_length, image_size, concurrency`; `model_name` is required. Several workloads that
            fit the description are ranked each on its own.

        Raises
        ------
        LookupError
            When no known option fits, naming the part that fits nothing, or where a metric was not
            learned.
        """
        objective = objective_of(optimize_for, self.directions, self.balance, self._priced)
        constraints = constraints or Constraints()
        require_learned(constraints.requirements, self.directions)
        if constraints.available_hardware is None:
            constraints = replace(constraints, available_hardware=self.available_hardware)
        matching = self._matching(workload)
        metrics = list(
            dict.fromkeys([*objective.powers, *(each.metric for each in constraints.requirements)])
        )
        options, margins = self._predicted(matching, metrics)
        options = options.assign(**self._odds_of(constraints, options, margins))
        kept, unsatisfied = self._screened(options, constraints)
        kept &= objective.stated(options)
        compared = compare(
            options[kept].reset_index(drop=True),
            objective,
            self.predictor.models,
            {metric: margin[kept].reset_index(drop=True) for metric, margin in margins.items()},
            DRAWS,
            self.seed,
        )
        shown = ["config_id", "workload_id", *WORKLOAD, *PLATFORM, "platform", *FACTS]
        shown = [name for name in (*shown, "in_domain", "prob_feasible") if name in options]
        if constraints.requirements:
            shown.append("prob_meets")
        result = options.loc[kept, shown].reset_index(drop=True).join(compared)
        result = result.sort_values(["workload_id", "rank"]).reset_index(drop=True)
        return Recommendation(objective, result, unsatisfied)

    def batch_recommend(
        self,
        workloads: Sequence[Mapping[str, object]],
        optimize_for: str = "throughput",
        constraints: Constraints | None = None,
    ) -> list[Recommendation]:
        """`recommend_hardware` for several workloads, in their order."""
        return [
            self.recommend_hardware(optimize_for, constraints, **workload) for workload in workloads
        ]

    def _matching(self, workload: Mapping[str, object]) -> pd.DataFrame:
        """Rows of options for a workload."""
        if "model_name" not in workload:
            raise LookupError("model_name is required")
        unknown = set(workload) - set(WORKLOAD)
        if unknown:
            raise LookupError(f"not part of a workload: {', '.join(sorted(unknown))}")
        options = self.options
        for name, value in workload.items():
            fitting = options[options[name] == value]
            if fitting.empty:
                raise LookupError(
                    f"no option has {name} = {value!r} together with what precedes it"
                )
            options = fitting
        return options

    def _predicted(
        self, matching: pd.DataFrame, metrics: Sequence[str]
    ) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
        """Options, one row per configuration, and the margins of metrics that all of them have."""
        ran = matching[[name for name in self.predictor.metrics if name in matching]]
        measured = set(matching.loc[ran.notna().any(axis=1), "config_id"])
        options = matching.drop_duplicates("config_id", keep="last")
        for metric in metrics:
            options = options[self.predictor.models[metric].applies(options)]
        if options.empty:
            raise LookupError(f"{', '.join(metrics)}: nothing like these workloads was measured")
        options = options.reset_index(drop=True)
        probability = np.where(
            options["config_id"].isin(measured), 1.0, self.predictor.prob_feasible(options)
        )
        margins = {metric: self._margin(options, matching, metric) for metric in metrics}
        in_domain = np.logical_and.reduce([margin["in_domain"] for margin in margins.values()])
        return options.assign(prob_feasible=probability, in_domain=in_domain), margins

    def _margin(self, options: pd.DataFrame, matching: pd.DataFrame, metric: str) -> pd.DataFrame:
        """Quantiles of a metric with what was measured of it; see `Sampler`."""
        model = self.predictor.models[metric]
        predicted = model.predict(options)
        measured = pd.Series(np.nan, index=options.index)
        if metric in matching:
            known = newest_measurements(matching, metric).set_index("config_id")["measured_value"]
            measured = options["config_id"].map(known).astype(float)
        quantiles = predicted[quantile_names(model.levels)]
        values = known_values(quantiles, measured, model.noise, model.levels)
        return predicted.assign(**values, measured_value=measured)

    def _odds_of(
        self, constraints: Constraints, options: pd.DataFrame, margins: Mapping[str, pd.DataFrame]
    ) -> dict[str, np.ndarray]:
        """Probabilities that options run and keep the requirements; see `screens`."""
        feasible = options["prob_feasible"].fillna(1).to_numpy(float)
        wanted = constraints.requirements
        if not wanted:
            return {"prob_meets": feasible}
        sampler = Sampler(
            options,
            self.predictor.models,
            {each.metric: margins[each.metric] for each in wanted},
            DRAWS,
            self.seed,
        )
        alone, together = probabilities(wanted, sampler.draw(np.arange(len(options))))
        odds = {"prob_meets": together * feasible}
        for requirement, probability in zip(wanted, alone, strict=True):
            odds[f"prob {requirement}"] = probability * feasible
            odds[f"median {requirement}"] = margins[requirement.metric]["p50"].to_numpy()
        return odds

    def _screened(
        self, options: pd.DataFrame, constraints: Constraints
    ) -> tuple[np.ndarray, dict[str, Unsatisfied]]:
        """Which options keep all constraints, and why none of a workload does."""
        kept, unsatisfied = np.zeros(len(options), bool), {}
        for workload, rows in options.groupby("workload_id").indices.items():
            here = options.iloc[rows]
            found = screens(here, constraints, self.minimum_feasibility)
            kept[rows] = keeping(found)
            if not kept[rows].any():
                reason = why_none(found, _platforms(here))
                unsatisfied[workload] = reason._replace(nearest=int(rows[reason.nearest]))
        return kept, unsatisfied


def _platforms(options: pd.DataFrame) -> list[str]:
    if "platform" in options:
        return options["platform"].tolist()
    return options[list(PLATFORM[:3])].astype(str).agg(" ".join, axis=1).tolist()
