"""ActiveLearningSystem and HardwareRecommender on the bundled measurements."""

import jsonschema
import numpy as np
import pandas as pd
import pytest

from models_py import selection, shortlist
from models_py.active_learning import ActiveLearningSystem
from models_py.hardware_recommender import HardwareRecommender
from models_py.limits import Limits
from models_py.measured import newest_measurements
from models_py.predict import PerformancePredictor
from models_py.shortlist import Tactic
from pipelines.integrate import plan_schema

METRICS = ("throughput", "latency_ms")


@pytest.fixture(scope="module")
def world(frames) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every third bundled measurement is known, and what is left of the others is a candidate."""
    training, candidates = frames
    known = training.iloc[::3]
    others = training[~training["config_id"].isin(known["config_id"])]
    fresh = others.drop_duplicates("config_id")[candidates.columns.intersection(others.columns)]
    return known, pd.concat([candidates, fresh], ignore_index=True)


@pytest.fixture(scope="module")
def system(world) -> ActiveLearningSystem:
    predictor = PerformancePredictor(METRICS, seed=1).fit(world[0])
    return ActiveLearningSystem(predictor, world[1], seed=1)


def test_scores_are_shares_and_differ(system):
    scored = system.score("throughput", depth=12)
    names = [
        "uncertainty",
        "diversity",
        "expected_information_gain",
        "hardware_optimization_factor",
        "combined_score",
        "hardware_score",
    ]
    assert ((scored[names] >= 0) & (scored[names] <= 1)).all(axis=None)
    assert (scored[names].nunique() > 10).all()
    weighed = (
        0.7 * scored["expected_information_gain"] + 0.3 * scored["hardware_optimization_factor"]
    )
    np.testing.assert_allclose(scored["combined_score"], weighed)


def test_a_batch_is_diverse_ordered_and_explained(system):
    batch = system.recommend_configurations(budget=12)
    assert batch["batch_order"].tolist() == list(range(1, 13))
    assert batch["config_id"].is_unique
    assert batch["model_name"].nunique() >= 4
    assert batch["reason"].str.startswith(("decision:", "accuracy:")).all()
    assert batch["reason"].str.startswith("decision:").sum() == 6


@pytest.mark.parametrize(("diversity_weight", "decisions"), [(0.9, 1), (0.8, 2), (0.7, 3)])
def test_tests_for_decisions_are_not_lost_to_rounding(system, diversity_weight, decisions):
    batch = system.suggest_test_batch(batch_size=10, diversity_weight=diversity_weight)
    assert (batch["serves"] == "decision").sum() == decisions


def test_where_decisions_are_settled_tests_serve_accuracy(system, monkeypatch):
    decided = system.suggest_test_batch(batch_size=8, diversity_weight=0.0)
    assert set(decided["serves"]) == {"decision"}
    monkeypatch.setattr(selection, "SETTLED", np.inf)
    told = system.suggest_test_batch(batch_size=8, diversity_weight=0.0)
    assert set(told["serves"]) == {"accuracy"}
    assert told["reason"].str.startswith("accuracy:").all()


def test_the_first_tests_of_a_long_batch_are_the_short_batch(system):
    long, short = (system.recommend_configurations(budget=n)["config_id"].tolist() for n in (9, 4))
    assert long[:4] == short


def test_caps_and_availability_are_kept(system):
    names = sorted(system.candidates["hardware"].unique())
    batch = system.suggest_test_batch(batch_size=8, hardware_constraints={names[0]: 2})
    assert (batch["hardware"] == names[0]).sum() <= 2
    batch = system.suggest_test_batch(batch_size=8, hardware_availability={names[0]: False})
    assert set(batch["hardware"]) == set(names[1:])
    assert len(batch) == 8


def test_budgets_are_kept_and_cheap_tests_preferred_where_they_bind(system):
    generator = np.random.default_rng(3)
    pool = system.candidates.assign(minutes=generator.uniform(5, 60, len(system.candidates)))
    plenty = system.suggest_test_batch(pool, 8, budgets={"minutes": 10_000})
    free = system.suggest_test_batch(pool, 8)
    assert plenty["config_id"].tolist() == free["config_id"].tolist()
    little = system.suggest_test_batch(pool, 8, budgets={"minutes": 100})
    assert little["minutes"].sum() <= 100
    assert len(little) > 3
    assert little["minutes"].mean() < free["minutes"].mean() / 1.5
    # nothing is left of the batch that was too dear
    untouched = system.score(depth=0).set_index("config_id")["diversity"]
    assert little["diversity"][0] == pytest.approx(untouched[little["config_id"][0]])
    unknown = pool.assign(minutes=pool["minutes"].where(pool["hardware"] == pool["hardware"][0]))
    known = system.suggest_test_batch(unknown, 4, budgets={"minutes": 500})
    assert set(known["hardware"]) == {pool["hardware"][0]}


def test_tests_keep_their_distance(system):
    near, far = (system.suggest_test_batch(batch_size=12, minimum_distance=d) for d in (0, 0.2))
    assert near["diversity"].min() < 0.2 <= far["diversity"].min()
    assert set(far["config_id"]) != set(near["config_id"])


def test_a_capped_batch_is_full_also_where_few_options_are_weighed(system, monkeypatch):
    common, rare = system.candidates["hardware"].value_counts().index[:2]
    there = system.candidates.groupby("hardware")
    pool = pd.concat([there.get_group(common), there.get_group(rare).head(8)])
    weighed = _weighed_jointly(monkeypatch, most=30, targets=5)
    batch = system.suggest_test_batch(pool, 8, hardware_constraints={common: 1})
    assert batch["hardware"].value_counts().to_dict() == {rare: 7, common: 1}
    assert weighed[-1] < 40


def _weighed_jointly(monkeypatch, most: int, targets: int) -> list[int]:
    """How many candidates each selection holds a joint belief about."""
    counts = []

    class Counted(shortlist.Selection):
        def __init__(self, model, candidates, *others):
            counts.append(len(candidates))
            super().__init__(model, candidates, *others)

    monkeypatch.setattr(shortlist, "MOST_JOINT", most)
    monkeypatch.setattr(shortlist, "TARGETS", targets)
    monkeypatch.setattr(shortlist, "Selection", Counted)
    return counts


def test_a_shortlist_chooses_nearly_as_well_and_estimates_the_rest(system, monkeypatch):
    weighed = _weighed_jointly(monkeypatch, most=10_000, targets=60)
    every = system.score("throughput", depth=10)
    monkeypatch.setattr(shortlist, "MOST_JOINT", len(every) // 4)
    some = system.score("throughput", depth=10)
    assert weighed[0] == len(every) and weighed[-1] < len(every) / 3
    assert some["config_id"].tolist() == every["config_id"].tolist()
    removed = [scored["variance_removed"].sum() for scored in (some, every)]
    assert 0.8 * removed[1] < removed[0] <= 1.02 * removed[1]
    names = ["expected_information_gain", "hardware_optimization_factor", "diversity"]
    for name in names:
        assert some[name].corr(every[name], method="spearman") > 0.3
        assert some[name].between(0, 1).all()


@pytest.mark.parametrize("most", [30_000, 300])
@pytest.mark.parametrize("per_hardware", [False, True])
def test_candidates_may_come_in_pieces(system, monkeypatch, most, per_hardware):
    monkeypatch.setattr(shortlist, "MOST_JOINT", most)
    monkeypatch.setattr(shortlist, "TARGETS", 100)
    options = system.rank(system.predictions("throughput"), "throughput")
    common = system.candidates["hardware"].mode()[0]
    limits = Limits(8, {common: 1} if per_hardware else {})
    model, tactic = system.predictor.models["throughput"], Tactic(system.weights, 0.5)
    whole = shortlist.Candidates.of(shortlist.weighed(options, +1))
    (frame,) = whole.pieces()
    cut = whole._replace(pieces=lambda: (frame[at : at + 170] for at in range(0, len(frame), 170)))
    one, other = (
        pd.concat(shortlist.select(each, model, tactic, limits, seed=1)) for each in (whole, cut)
    )
    assert whole.total > 500
    pd.testing.assert_frame_equal(one, other)
    batch = one[one["batch_order"].notna()]
    assert len(batch) == 8 and (batch["hardware"] == common).sum() <= 8 - 7 * per_hardware


def test_estimates_are_as_large_as_what_they_stand_for(system, monkeypatch):
    """Targets are left out of the means: a test of one removes its own variance."""
    _weighed_jointly(monkeypatch, most=10_000, targets=60)
    options = system.rank(system.predictions("throughput"), "throughput")
    candidates = shortlist.weighed(options, +1).reset_index(drop=True)
    model, generator = system.predictor.models["throughput"], np.random.default_rng(4)
    targets, sample = (generator.choice(len(candidates), size, replace=False) for size in (60, 200))
    exact = shortlist.Selection(model, candidates, candidates, targets).information
    some = candidates.loc[np.union1d(targets, sample)]
    places = some.index.get_indexer(targets)
    estimates = shortlist.Estimates.of(shortlist.Selection(model, some, some, places))
    others = candidates.drop(index=some.index)
    estimated = estimates.scores(others)["information"]
    assert 0.75 < estimated.sum() / exact[others.index].sum() < 1.3


def test_failures_and_bare_results_are_learned(world):
    known, candidates = world
    predictor = PerformancePredictor(("throughput",), light=True).fit(known)
    learner = ActiveLearningSystem(predictor, candidates)
    asked = candidates["config_id"].iloc[[0, 5, 9, 20]].tolist()
    results = pd.DataFrame(
        {
            "config_id": asked,
            "throughput": [100.0, None, None, 50.0],
            "status": ["ok", "oom", None, None],
        }
    )
    learner.update_with_benchmark_results(results)
    assert set(asked) & set(learner.candidates["config_id"]) == {asked[2]}
    assert set(asked) & set(learner.measured["config_id"]) == {asked[0], asked[3]}
    assert learner.predictor.feasibility.failed == 1
    with pytest.raises(ValueError, match="of no candidate, and not described: elsewhere"):
        learner.update_with_benchmark_results(
            pd.DataFrame({"config_id": ["elsewhere"], "throughput": [1.0]})
        )
    with pytest.raises(ValueError, match="got broken"):
        learner.update_with_benchmark_results(results.assign(status="broken"))


def test_results_remove_candidates_also_those_never_proposed(world, frames):
    known, candidates = world
    predictor = PerformancePredictor(("throughput",), seed=1).fit(known.iloc[::2])
    learner = ActiveLearningSystem(predictor, candidates)
    results = frames[0][~frames[0]["config_id"].isin(known["config_id"])].head(5)
    learner.update_with_benchmark_results(results)
    assert not learner.candidates["config_id"].isin(results["config_id"]).any()
    assert results["measurement_id"].isin(learner.measured["measurement_id"]).all()


def test_described_and_bare_results_may_come_together(world, frames):
    known, candidates = world
    learner = ActiveLearningSystem(
        PerformancePredictor(("throughput",), light=True).fit(known), candidates
    )
    described = known.head(1).assign(config_id="never proposed", measurement_id="new")
    bare = pd.DataFrame({"config_id": candidates["config_id"].head(1), "throughput": 100.0})
    learner.update_with_benchmark_results(pd.concat([described, bare]))
    new = learner.measured.set_index("config_id").loc[["never proposed", bare["config_id"].item()]]
    assert new["throughput"].tolist() == [described["throughput"].item(), 100.0]
    features = ["model_name", "hardware", "batch_size", "peak_tflops"]
    expected = pd.concat([described, candidates.head(1)])[features]
    assert new[features].to_numpy().tolist() == expected.to_numpy().tolist()


def test_state_survives_a_restart(system, tmp_path):
    system.save_state(tmp_path / "state")
    loaded = ActiveLearningSystem.load_state(tmp_path / "state")
    pd.testing.assert_frame_equal(
        system.recommend_configurations(5), loaded.recommend_configurations(5)
    )


def test_a_configuration_that_is_measured_again_is_known_by_all_its_runs(world):
    known, candidates = world
    known = known.drop_duplicates("config_id")
    summary = known.assign(throughput=7.0)  # as of many runs, of which these are a sample
    predictor = PerformancePredictor(("throughput",), light=True).fit(known)
    learner = ActiveLearningSystem(predictor, candidates, summary)
    again = known.head(1).assign(measurement_id="again", throughput=4 * known["throughput"].iloc[0])
    learner.update_with_benchmark_results(again)
    values = newest_measurements(learner.measured, "throughput").set_index("config_id")
    found = values.loc[again["config_id"], "measured_value"].item()
    assert found == pytest.approx(2 * known["throughput"].iloc[0])
    np.testing.assert_allclose(values["measured_value"].drop(again["config_id"]), 7)
    assert len(learner.predictor.training_frame) == len(known) + 1


def test_a_state_is_that_of_its_own_frames(world, tmp_path):
    known, candidates = world
    predictor = PerformancePredictor(("throughput",), light=True).fit(known)
    outcomes = known.assign(ran=True)
    learner = ActiveLearningSystem(predictor, candidates, known.head(9), outcomes=outcomes)
    learner.save_state(tmp_path)
    (tmp_path / "results.parquet").write_bytes((tmp_path / "measured.parquet").read_bytes())
    loaded = ActiveLearningSystem.load_state(tmp_path)
    assert (len(loaded.measured), len(loaded.predictor.training_frame)) == (9, len(known))
    assert len(loaded.outcomes) == len(outcomes)
    ActiveLearningSystem(predictor, candidates, known.head(8)).save_state(tmp_path)
    assert ActiveLearningSystem.load_state(tmp_path).outcomes is None


def test_the_plan_follows_its_schema_and_the_recommenders_hardware(system):
    plan = system.integrate_with_hardware_recommender(test_budget=6, optimize_for="latency")
    jsonschema.validate(plan, plan_schema())
    assert plan["optimization_metric"] == "latency"
    assert plan["final_recommendations"] == len(plan["recommendations"]) == 6
    only = sorted(system.candidates["hardware"].unique())[0]
    recommender = HardwareRecommender(system.predictor, available_hardware=[only])
    narrowed = system.integrate_with_hardware_recommender(recommender, test_budget=3)
    assert {test["hardware"] for test in narrowed["recommendations"]} == {only}
    assert {test["recommended_hardware"] for test in narrowed["recommendations"]} == {only}


def test_recommended_hardware_is_the_best_of_its_workload(system):
    recommender = HardwareRecommender(system.predictor)
    ranked = recommender.recommend_hardware(
        model_name="bert-mini", batch_size=4, input_length=16, precision="fp32"
    ).options
    for _, options in ranked.groupby("workload_id"):
        assert options["rank"].tolist() == list(range(1, len(options) + 1))
        assert options["expected_regret"].is_monotonic_increasing
        assert options["prob_best"].sum() == pytest.approx(1, abs=1e-6)
    with pytest.raises(LookupError, match="model_name = 'nothing'"):
        recommender.recommend_hardware(model_name="nothing")
    with pytest.raises(LookupError, match="not part of a workload: colour"):
        recommender.recommend_hardware(model_name="bert-mini", colour="red")


def test_measured_options_count_with_their_value(system, world):
    known = world[0].drop_duplicates("config_id", keep=False)
    row = known[known["model_type"] == "vision"].iloc[0]
    recommender = HardwareRecommender(system.predictor)
    ranked = recommender.recommend_hardware(
        model_name=row["model_name"], batch_size=row["batch_size"], precision=row["precision"]
    ).options
    here = ranked[
        (ranked["hardware"] == row["hardware"])
        & (ranked["framework"] == row["framework"])
        & (ranked["image_size"] == row["image_size"])
    ]
    assert here["measured_value"].item() == pytest.approx(row["throughput"])
    assert here["p50"].item() == pytest.approx(row["throughput"])


def test_what_was_run_without_a_metric_is_an_option_but_no_candidate(world):
    known, candidates = world
    partly = known.assign(
        latency_ms=known["latency_ms"].where(known["hardware"] != known["hardware"].iloc[0])
    )
    predictor = PerformancePredictor(("latency_ms",)).fit(partly)
    system = ActiveLearningSystem(predictor, candidates)
    options = system.rank(system.predictions("latency_ms"), "latency_ms")
    without = partly.loc[partly["latency_ms"].isna(), "config_id"]
    assert without.isin(options["config_id"]).all()
    assert not without.isin(system.score("latency")["config_id"]).any()


def test_no_candidates_and_no_hardware_are_said(system, world):
    nothing = ActiveLearningSystem(system.predictor, world[1].head(0))
    scored = nothing.score("throughput")
    assert scored.empty
    assert str(scored["reason"].dtype) == "string"
    recommender = HardwareRecommender(system.predictor, available_hardware=["abacus"])
    with pytest.raises(LookupError, match="no option runs on abacus"):
        system.integrate_with_hardware_recommender(recommender)
    nothing = HardwareRecommender(system.predictor, []).recommend_hardware(model_name="bert-mini")
    assert nothing.options.empty
    assert {each.binding for each in nothing.unsatisfied.values()} == {
        "available: no hardware at all"
    }
