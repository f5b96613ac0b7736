"""`ActiveLearningSystem`: which benchmarks to run next, chosen jointly."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd

from models_py.derived import DerivedModel
from models_py.draws import Sampler
from models_py.feasibility import MINIMUM_FEASIBILITY, likely_to_run
from models_py.hardware_recommender import HardwareRecommender
from models_py.limits import Limits
from models_py.measured import newest_measurements
from models_py.metric_model import MetricModel, quantile_names
from models_py.objectives import DEFAULT_DIRECTIONS, main_metric, short_name, sign
from models_py.plan import build_plan
from models_py.predict import PerformancePredictor
from models_py.ranking import DRAWS, compare, known_values
from models_py.results import read_results
from models_py.shortlist import Candidates, Tactic, select, weighed
from models_py.worth import objective_of

Predict = Callable[[MetricModel | DerivedModel, pd.DataFrame], pd.DataFrame]
FIXED_WEIGHTS = {"information_gain": 0.7, "hardware": 0.3}
STATE_FORMAT = 4
FRAMES = ("measured", "training", "candidates", "outcomes")


class ActiveLearningSystem:
    """Scores candidates and chooses batches of tests.

    A batch serves two ends, in turns: tests for *decisions* (knowledge gradient per workload: which
    measurement is expected to improve the recommended hardware) and tests for *accuracy* (expected
    variance reduction: which measurement tells most of the unmeasured ones).

    Parameters
    ----------
    predictor
        A fitted predictor. Without one, predictor and frames come from the published build.
    candidates
        Frame with the columns of `features.candidate_features`.
    measured
        Runs, or what is known of each configuration, with the columns of `features.training_features`;
        by default the rows that the predictor was fitted on.
    weights
        Weights of `information_gain` and `hardware` in `combined_score`.
    decision_share
        Share of a batch that serves decisions, in [0, 1].
    minimum_feasibility
        Candidates that run with a smaller probability are neither proposed nor recommended.
    outcomes
        What ran and what failed, with the columns of `features.feasibility_features`; by default what
        was measured ran.
    warehouse
        Where the published build is looked for when there is no predictor.
    """

    def __init__(
        self,
        predictor: PerformancePredictor | None = None,
        candidates: pd.DataFrame | None = None,
        measured: pd.DataFrame | None = None,
        weights: Mapping[str, float] | None = None,
        decision_share: float = 0.5,
        directions: Mapping[str, str] = DEFAULT_DIRECTIONS,
        seed: int = 0,
        minimum_feasibility: float = MINIMUM_FEASIBILITY,
        outcomes: pd.DataFrame | None = None,
        warehouse: Path | str = "warehouse",
    ) -> None:
        if predictor is None:
            from pipelines.published import published_build, read_features

            build = published_build(Path(warehouse))
            predictor = PerformancePredictor.load(build / "models")
            published = read_features(build)
            predictor.training_frame, directions = published.training, published.directions
            measured, outcomes = published.measured, published.outcomes
            candidates = published.candidates if candidates is None else candidates
        if candidates is None:
            raise ValueError("candidates are needed together with a predictor")
        self.predictor = predictor
        self.measured = measured if measured is not None else predictor.training_frame
        self.candidates = candidates.reset_index(drop=True)
        self.weights = dict(weights or FIXED_WEIGHTS)
        self.decision_share = decision_share
        self.directions = dict(directions)
        self.seed = seed
        self.minimum_feasibility = minimum_feasibility
        self.outcomes = outcomes

    def score(self, optimize_for: str = "throughput", depth: int = 10) -> pd.DataFrame:
        """Score every candidate and order a batch.

        Parameters
        ----------
        optimize_for
            An objective or a metric.
        depth
            Tests in the batch.

        Returns
        -------
        pandas.DataFrame
            The candidates for which the metric applies, with quantiles, `uncertainty`, `diversity`,
            `expected_information_gain`, `hardware_optimization_factor`, `combined_score`,
            `hardware_score`, `recommended_hardware`, `hardware_match` (scores in [0, 1]),
            `batch_order` (1 is run first; missing outside the batch), `serves` (`accuracy` or
            `decision`) and `reason`.
        """
        metric = main_metric(optimize_for)
        return self.select(self.rank(self.predictions(metric), metric), metric, Limits(depth))

    def predictions(self, metric: str, predict: Predict | None = None) -> pd.DataFrame:
        """Predictions of measured configurations and of candidates that the metric applies to.

        Parameters
        ----------
        predict
            Stands for `predict` of the metric's model, which it is given.

        Returns
        -------
        pandas.DataFrame
            One row per configuration: feature columns, what `PerformancePredictor.predict` gives,
            `measured_value` (missing where this metric was not measured), `is_candidate` and
            `prob_feasible` (1 for what ran).
        """
        known = newest_measurements(self.measured, metric)
        done = set(self.measured["config_id"])
        # run, but not for this metric: an option for its workload, no test to propose
        others = self.measured[~self.measured["config_id"].isin(known["config_id"])]
        fresh = self.candidates[~self.candidates["config_id"].isin(done)]
        frame = pd.concat(
            [
                known.assign(is_candidate=False),
                others.drop_duplicates("config_id", keep="last").assign(is_candidate=False),
                fresh.assign(is_candidate=True),
            ],
            ignore_index=True,
        )
        frame = frame[self.predictor.models[metric].applies(frame)].reset_index(drop=True)
        model = self.predictor.models[metric]
        predicted = model.predict(frame) if predict is None else predict(model, frame)
        probability = np.where(frame["is_candidate"], self.predictor.prob_feasible(frame), 1.0)
        return pd.concat([frame, predicted.assign(prob_feasible=probability)], axis=1)

    def likely_options(self, predictions: pd.DataFrame, metric: str) -> pd.DataFrame:
        """Predicted options that are likely to run; a measured one counts with its measured value."""
        model = self.predictor.models[metric]
        likely = predictions[likely_to_run(predictions["prob_feasible"], self.minimum_feasibility)]
        quantiles = likely[quantile_names(model.levels)]
        return likely.assign(
            **known_values(quantiles, likely["measured_value"], model.noise, model.levels)
        )

    def rank(self, predictions: pd.DataFrame, metric: str) -> pd.DataFrame:
        """Options of every workload that are likely to run, ranked.

        See `rank_options` for the columns that are added.
        """
        options, model = self.likely_options(predictions, metric), self.predictor.models[metric]
        margins = {metric: options}
        sampler = Sampler(
            options, {metric: model}, margins, DRAWS, self.seed, options["workload_id"]
        )
        objective = objective_of(metric, self.directions)
        ranking = compare(options, objective, margins, model.levels, sampler.draw)
        return options.drop(columns=ranking.columns, errors="ignore").join(ranking)

    def with_tactic(
        self, weights: Mapping[str, float], decision_share: float
    ) -> ActiveLearningSystem:
        """The same knowledge, scored and shared out otherwise."""
        other = copy(self)
        other.weights, other.decision_share = dict(weights), decision_share
        return other

    def select(self, options: pd.DataFrame, metric: str, limits: Limits) -> pd.DataFrame:
        """Scores of the candidates among ranked options, and a batch within limits; see `score`."""
        candidates = Candidates.of(weighed(options, sign(metric, self.directions)))
        tactic = Tactic(self.weights, self.decision_share)
        scored = select(candidates, self.predictor.models[metric], tactic, limits, self.seed)
        return pd.concat(scored)

    def recommend_configurations(
        self, budget: int = 10, optimize_for: str = "throughput"
    ) -> pd.DataFrame:
        """The next `budget` tests, in the order in which to run them; see `score`."""
        return _batch(self.score(optimize_for, depth=budget))

    def suggest_test_batch(
        self,
        configurations: pd.DataFrame | None = None,
        batch_size: int = 10,
        ensure_diversity: bool = True,
        hardware_constraints: Mapping[str, int] | None = None,
        hardware_availability: Mapping[str, bool] | None = None,
        diversity_weight: float | None = None,
        optimize_for: str = "throughput",
        budgets: Mapping[str, float] | None = None,
        minimum_distance: float = 0.0,
    ) -> pd.DataFrame:
        """A batch among given candidates, under limits.

        Parameters
        ----------
        configurations
            Candidates to choose from, and of which the batch is to tell; by default all.
        batch_size
            At most this many tests.
        ensure_diversity
            Choose jointly (the default). Without it, every test serves decisions.
        hardware_constraints
            At most this many tests per hardware.
        hardware_availability
            Nothing is run now on hardware marked `False`, yet the batch is to tell of it too; names
            that are not mentioned stay.
        diversity_weight
            Share of the batch that serves accuracy, instead of 1 - `decision_share`.
        budgets
            What the batch may cost in all, by the column of `configurations` that states the cost of a
            test: for instance `{"cost_minutes": 240}`. A test of unknown cost is left out.
        minimum_distance
            See `Limits.minimum_distance`.

        Returns
        -------
        pandas.DataFrame
            In the order in which to run them; see `score`. Fewer than `batch_size` where the limits
            do not allow more.
        """
        share = self.decision_share if diversity_weight is None else 1 - diversity_weight
        narrowed = self.with_tactic(self.weights, share if ensure_diversity else 1.0)
        if configurations is not None:
            narrowed.candidates = configurations.reset_index(drop=True)
        absent = [name for name, there in (hardware_availability or {}).items() if not there]
        limits = Limits(
            batch_size,
            {**(hardware_constraints or {}), **dict.fromkeys(absent, 0)},
            budgets or {},
            minimum_distance,
        )
        metric = main_metric(optimize_for)
        options = narrowed.rank(narrowed.predictions(metric), metric)
        return _batch(narrowed.select(options, metric, limits))

    def update_with_benchmark_results(self, results: pd.DataFrame) -> None:
        """Learn from results; what was run is no longer a candidate.

        Results that were never proposed, repeats, failures and rows that state some of the metrics are
        welcome. A row that neither states a metric nor failed says nothing, and stays a candidate.

        Parameters
        ----------
        results
            See `models_py.results.read_results`. Failures teach what is likely to run.
        """
        measured, failed = read_results(results, self.candidates, self.predictor.metrics)
        if self.outcomes is None:
            self.outcomes = self.measured.assign(ran=True)
        if self.predictor.training_frame is None:
            self.predictor.training_frame = self.measured
        if not measured.empty:
            self.predictor.update_models(measured)
            # of what was measured again the runs are known, not only their mean
            runs, again = self.predictor.training_frame, set(measured["config_id"])
            others = self.measured[~self.measured["config_id"].isin(again)]
            self.measured = pd.concat(
                [others, runs[runs["config_id"].isin(again)]], ignore_index=True
            )
        told = [self.outcomes, measured.assign(ran=True), failed.assign(ran=False)]
        self.outcomes = pd.concat(told, ignore_index=True)
        if not failed.empty:
            self.predictor.fit_feasibility(self.outcomes)
        done = self.candidates["config_id"].isin([*measured["config_id"], *failed["config_id"]])
        self.candidates = self.candidates[~done].reset_index(drop=True)

    def integrate_with_hardware_recommender(
        self,
        hardware_recommender: HardwareRecommender | None = None,
        test_budget: int = 10,
        optimize_for: str = "throughput",
        limits: Limits | None = None,
    ) -> dict:
        """The plan: the next tests together with the hardware recommended for their workloads.

        Parameters
        ----------
        hardware_recommender
            Restricts tests and recommendations to its `available_hardware`.
        limits
            What the plan may hold, instead of `test_budget` tests.

        Returns
        -------
        dict
            As described by the packaged JSON Schema of plans.
        """
        metric = main_metric(optimize_for)
        predictions = self.predictions(metric)
        if hardware_recommender is not None and hardware_recommender.available_hardware is not None:
            names = hardware_recommender.available_hardware
            predictions = predictions[predictions["hardware"].isin(names)].reset_index(drop=True)
            if predictions.empty:
                raise LookupError(f"no option runs on {', '.join(names) or 'no hardware at all'}")
        options = self.rank(predictions, metric)
        scored = self.select(options, metric, limits or Limits(test_budget))
        return build_plan(_batch(scored), options, short_name(metric), total_candidates=len(scored))

    def save_state(self, path: Path | str) -> None:
        """Write everything that `load_state` needs: the models, frames as Parquet, JSON."""
        directory = Path(path)
        self.predictor.save(directory / "predictor")
        frames = {
            "measured": self.measured,
            "training": self.predictor.training_frame,
            "candidates": self.candidates,
            "outcomes": self.outcomes,
        }
        for name, frame in frames.items():
            if frame is None:
                (directory / f"{name}.parquet").unlink(missing_ok=True)
            else:
                frame.to_parquet(directory / f"{name}.parquet")
        state = {
            "format": STATE_FORMAT,
            "weights": self.weights,
            "decision_share": self.decision_share,
            "directions": self.directions,
            "seed": self.seed,
            "minimum_feasibility": self.minimum_feasibility,
        }
        (directory / "state.json").write_text(json.dumps(state, indent=2), encoding="utf-8")

    @classmethod
    def load_state(cls, path: Path | str) -> ActiveLearningSystem:
        """What `save_state` wrote."""
        directory = Path(path)
        state = json.loads((directory / "state.json").read_text(encoding="utf-8"))
        if state.pop("format") != STATE_FORMAT:
            raise ValueError(f"{directory}: saved by another version")
        predictor = PerformancePredictor.load(directory / "predictor")
        paths = {name: directory / f"{name}.parquet" for name in FRAMES}
        frames = {name: pd.read_parquet(path) for name, path in paths.items() if path.is_file()}
        predictor.training_frame = frames.pop("training", None)
        return cls(predictor, **frames, **state)


def _batch(scored: pd.DataFrame) -> pd.DataFrame:
    chosen = scored[scored["batch_order"].notna()]
    return chosen.sort_values("batch_order").reset_index(drop=True)
