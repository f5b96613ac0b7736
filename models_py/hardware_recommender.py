"""`HardwareRecommender`: which platform a workload should run on, with odds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from models_py.constraints import (
    CONFIDENCE,
    Constraints,
    Unsatisfied,
    keeping,
    screens,
    why_none,
)
from models_py.draws import Sampler
from models_py.explanation import explanations
from models_py.feasibility import MINIMUM_FEASIBILITY
from models_py.objectives import BALANCE, BALANCED, DEFAULT_DIRECTIONS
from models_py.options import (
    DRAWS,
    kept_odds,
    matching_options,
    memory_taken,
    platform_names,
    predicted_options,
)
from models_py.predict import PerformancePredictor
from models_py.ranking import PLATFORM, WORKLOAD, compare
from models_py.recommendation import Recommendation, Sizing
from models_py.requirements import require_learned
from models_py.shapes import Shape, carrying_points, draw_shape, size_shape
from models_py.sizing import CONFIDENCE as SIZING_CONFIDENCE
from models_py.sizing import Demand
from models_py.worth import PRICE, Objective, objective_of

SHAPE = [name for name in WORKLOAD if name not in ("batch_size", "concurrency")]
FACTS = ("price_per_hour", "price_per_replica_hour", "bound_power_w", "memory_share")


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
        See `models_py.worth.objective_of`.
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
            A metric, `cost`, `energy_per_unit` or `balanced`; see `models_py.worth`.
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
        constraints = self._completed(constraints, CONFIDENCE)
        require_learned(constraints.requirements, self.directions)
        matching = matching_options(self.options, workload)
        objective = self._objective(optimize_for, matching)
        metrics = list(
            dict.fromkeys([*objective.powers, *(each.metric for each in constraints.requirements)])
        )
        options, margins = predicted_options(self.predictor, matching, metrics)
        options = options.assign(
            **kept_odds(
                constraints.requirements, options, self.predictor.models, margins, self.seed
            )
        )
        options = options.assign(stated=objective.stated(options))
        kept, unsatisfied = self._screened(options, constraints)
        for unlike in sorted(set(matching["workload_id"]) - set(options["workload_id"])):
            text = f"{', '.join(metrics)}: nothing like this workload was measured"
            unsatisfied[unlike] = Unsatisfied(", ".join(metrics), text)
        ranked = options[kept].reset_index(drop=True)
        asked = {
            metric: margins[metric][kept].reset_index(drop=True) for metric in objective.powers
        }
        sampler = Sampler(
            ranked, self.predictor.models, asked, DRAWS, self.seed, ranked["workload_id"]
        )
        compared = compare(ranked, objective, asked, self.predictor.levels, sampler.draw)
        shown = ["config_id", "workload_id", *WORKLOAD, *PLATFORM, "platform", *FACTS]
        shown = [name for name in (*shown, "in_domain", "prob_feasible") if name in options]
        if constraints.requirements:
            shown.append("prob_meets")
        result = options.loc[kept, shown].reset_index(drop=True).join(compared)
        described = ranked.drop(columns=compared.columns, errors="ignore").join(compared)
        result["explanation"] = explanations(described, objective, self.predictor.models)
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

    def size_hardware(
        self,
        demand: Demand,
        constraints: Constraints | None = None,
        offers: pd.DataFrame | None = None,
        **workload: object,
    ) -> Sizing:
        """Replicas of each platform that carry a demand, cheapest first.

        Batch and concurrency, where they are left open, are chosen along the load curve of every
        platform. Lengths, precision and the like that are left open are sized each on its own.

        Parameters
        ----------
        constraints
            `max_price_per_hour` is that of all replicas. The `confidence` is that of demand and
            requirements together; by default the one that did best on models that were never
            measured (`benchmarks/sizing.py`).
        offers
            See `size_platforms`.

        Raises
        ------
        LookupError
            As `recommend_hardware`.
        """
        constraints = self._completed(constraints, SIZING_CONFIDENCE)
        sized, unsatisfied, points = [], {}, pd.DataFrame()
        for points, shape in self._shapes(demand, constraints, workload):
            found = shape
            if isinstance(shape, Shape):
                found = size_shape(shape, demand, constraints, self.minimum_feasibility, offers)
            if isinstance(found, Unsatisfied):
                unsatisfied[points["workload_id"].iloc[0]] = found
            else:
                sized.append(found)
        every = pd.concat(sized, ignore_index=True) if sized else points.iloc[:0]
        return Sizing(every, unsatisfied)

    def load_curves(
        self, demand: Demand, constraints: Constraints | None = None, **workload: object
    ) -> list[pd.DataFrame | Unsatisfied]:
        """What a replica carries, platform by platform and batch by batch.

        Returns
        -------
        list
            Of every shape the options that carry something, with `rate` (in the unit of the demand) and
            `memory`, the share of its devices' memory that a replica takes (NaN where it is not
            known), or why there is none. See `size_hardware`.
        """
        constraints = self._completed(constraints, SIZING_CONFIDENCE)
        curves = []
        for _, shape in self._shapes(demand, constraints, workload):
            found = shape
            if isinstance(shape, Shape):
                found = carrying_points(shape, demand, constraints, self.minimum_feasibility)
            if not isinstance(found, Unsatisfied):
                found = found.assign(memory=memory_taken(self.predictor, found))
            curves.append(found)
        return curves

    def _shapes(
        self, demand: Demand, constraints: Constraints, workload: Mapping[str, object]
    ) -> Iterator[tuple[pd.DataFrame, Shape | Unsatisfied]]:
        """Options of each shape, and what is drawn of those that may be used."""
        require_learned(constraints.requirements, self.directions)
        metrics = [each.metric for each in constraints.requirements]
        if demand.requests_per_second is not None:
            metrics.append("throughput")
        points, margins = predicted_options(
            self.predictor, matching_options(self.options, workload), list(dict.fromkeys(metrics))
        )
        for rows in points.groupby(list(SHAPE), dropna=False, sort=False).indices.values():
            here = points.iloc[rows].reset_index(drop=True)
            part = {name: each.iloc[rows].reset_index(drop=True) for name, each in margins.items()}
            yield (
                here,
                draw_shape(
                    here,
                    self.predictor.models,
                    part,
                    constraints,
                    self.minimum_feasibility,
                    self.seed,
                ),
            )

    def _objective(self, name: str, options: pd.DataFrame) -> Objective:
        """What options are compared by; what is balanced is known of all of them."""
        prices = options[PRICE].notna() if PRICE in options else pd.Series([False])
        if name != BALANCED:
            return objective_of(name, self.directions, self.balance, bool(prices.any()))
        models = self.predictor.models
        known = {
            metric: direction
            for metric, direction in self.directions.items()
            if models[metric].applies(options).all()
        }
        return objective_of(name, known, self.balance, bool(prices.all()))

    def _completed(self, constraints: Constraints | None, confidence: float) -> Constraints:
        """Constraints with the defaults of this recommender and of what is asked."""
        given = constraints or Constraints()
        if given.available_hardware is None:
            given = replace(given, available_hardware=self.available_hardware)
        return given if given.confidence is not None else replace(given, confidence=confidence)

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
                unsatisfied[workload] = why_none(found, platform_names(here))
        return kept, unsatisfied
