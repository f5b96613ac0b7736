"""Whether configurations run: learned from the bundled failures, kept monotone and honest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_py.active_learning import ActiveLearningSystem
from models_py.evaluation import feasibility_figures, feasibility_reliability
from models_py.feasibility import FeasibilityModel
from models_py.hardware_recommender import HardwareRecommender
from models_py.predict import PerformancePredictor
from pipelines.published import connect_published, outcome_frame

SIZES = ["batch_size", "input_length", "memory_share", "kv_cache_mb", "weights_mb_per_device"]


@pytest.fixture(scope="module")
def outcomes(published) -> pd.DataFrame:
    with connect_published(published.warehouse) as con:
        return outcome_frame(con)


@pytest.fixture(scope="module")
def model(outcomes) -> FeasibilityModel:
    return FeasibilityModel.fit(outcomes, seed=0)


def test_failures_of_other_configurations_tell_which_ones_fail(outcomes):
    names = np.random.default_rng(5).permutation(outcomes["config_id"].unique())
    held = outcomes["config_id"].isin(names[: len(names) // 4])
    model = FeasibilityModel.fit(outcomes[~held], seed=0)
    asked = outcomes[held].drop_duplicates("config_id")
    probability = model.predict(asked)
    assert asked["ran"].value_counts().to_dict()[False] >= 10
    assert probability[~asked["ran"]].mean() < 0.2
    assert probability[asked["ran"]].mean() > 0.97


def test_held_out_probabilities_are_better_than_the_share_that_ran(model):
    figures = feasibility_figures(model)
    assert figures["failed"] == 70
    assert figures["brier"] < 0.15 * figures["brier_of_share"]
    assert figures["auc"] > 0.98
    bands = feasibility_reliability(model)
    assert bands["n"].sum() == len(model.held_out)


@settings(max_examples=60)
@given(st.integers(0, 999), st.sampled_from(SIZES), st.floats(1.0, 1e6, allow_subnormal=False))
def test_more_work_never_makes_success_likelier(model, outcomes, row, size, factor):
    one = outcomes.iloc[[row % len(outcomes)]]
    more = one.assign(**{size: one[size] * factor})
    assert model.predict(more)[0] <= model.predict(one)[0] + 1e-12


def test_what_does_not_fit_in_memory_cannot_run(model, outcomes):
    asked = outcomes.head(3).assign(fits_in_memory=[False, True, None])
    assert model.predict(asked)[0] == 0
    assert (model.predict(asked)[1:] > 0).all()


def test_a_model_that_was_never_run_is_judged_with_more_caution(model, outcomes):
    ran = outcomes[outcomes["ran"]].drop_duplicates("config_id")
    stranger = ran.assign(model_name="stranger", model_family="stranger")
    assert model.predict(stranger).mean() < model.predict(ran).mean()


def _grid(failing: set[str]) -> pd.DataFrame:
    """Twenty models at six batches on two devices; large batches of the failing ones fail."""
    rows = [
        {
            "config_id": f"{model} {batch} {device}",
            "model_name": f"model-{model}",
            "hardware": device,
            "batch_size": batch,
            "parameters_million": model + 1,
            "ran": f"model-{model}" not in failing or batch <= 4,
        }
        for model in range(20)
        for batch in (1, 2, 4, 8, 16, 32)
        for device in ("abacus", "sextant")
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("failing", [{"model-19"}, {"model-3"}, {"model-18", "model-19"}])
def test_failures_of_a_single_model_never_make_larger_work_likelier(failing):
    model = FeasibilityModel.fit(_grid(failing), seed=0)
    assert model.seen.slope >= 0 and model.unseen.slope >= 0
    asked = pd.DataFrame(
        {
            "model_name": "stranger",
            "hardware": "abacus",
            "batch_size": [1, 8, 64, 512],
            "parameters_million": 500,
        }
    )
    probability = model.predict(asked)
    assert (np.diff(probability) <= 1e-12).all()
    assert probability.max() < 0.9999


def test_what_chance_decides_is_not_learned():
    """Held-out probabilities are no better than the share that ran, on average."""
    better = 0
    for seed in range(12):
        grid = _grid(set()).sample(60, random_state=seed)
        ran = np.random.default_rng(seed).random(len(grid)) > 0.3
        figures = feasibility_figures(FeasibilityModel.fit(grid.assign(ran=ran), seed))
        better += figures["brier"] < figures["brier_of_share"]
    assert better <= 8


def test_without_enough_failures_all_share_the_rate_of_success(outcomes):
    ran = outcomes[outcomes["ran"]]
    few = pd.concat([ran.head(48), outcomes[~outcomes["ran"]].head(2)])
    model = FeasibilityModel.fit(few, seed=0)
    assert model.booster is None
    configurations = few["config_id"].nunique()
    expected = 1 - 3 / (configurations + 2)  # Laplace's rule of succession
    np.testing.assert_allclose(model.predict(ran.tail(5)), expected)
    assert np.isnan(feasibility_figures(FeasibilityModel.fit(ran, seed=0))["auc"])


def test_a_saved_model_says_the_same(model, outcomes, tmp_path):
    model.save(tmp_path)
    loaded = FeasibilityModel.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(outcomes), model.predict(outcomes))
    pd.testing.assert_frame_equal(loaded.held_out, model.held_out)


@pytest.fixture(scope="module")
def world(frames, outcomes) -> tuple[PerformancePredictor, pd.DataFrame]:
    """A predictor, and candidates among which are ones that failed."""
    training, candidates = frames
    failed = outcomes[~outcomes["ran"] & outcomes["model_name"].eq("mobilenet-v2")]
    pool = pd.concat([candidates, failed[candidates.columns.intersection(failed.columns)]])
    predictor = PerformancePredictor(("throughput",)).fit(training.iloc[::2])
    return predictor.fit_feasibility(outcomes), pool.drop_duplicates("config_id")


def test_what_is_unlikely_to_run_is_neither_proposed_nor_recommended(world, outcomes):
    predictor, pool = world
    failed = set(outcomes.loc[~outcomes["ran"], "config_id"])
    assert failed & set(pool["config_id"])
    system = ActiveLearningSystem(predictor, pool)
    predictions = system.predictions("throughput")
    asked = predictions[predictions["config_id"].isin(failed)]
    assert len(asked) and (asked["prob_feasible"] < 0.5).all()
    assert (predictions.loc[~predictions["is_candidate"], "prob_feasible"] == 1).all()
    scored = system.score("throughput", depth=len(pool))
    assert not failed & set(scored["config_id"])
    daring = ActiveLearningSystem(predictor, pool, minimum_feasibility=0.0)
    assert failed & set(daring.score("throughput")["config_id"])


def test_a_recommendation_says_when_nothing_is_likely_to_run(world, outcomes):
    predictor, _ = world
    failed = outcomes[~outcomes["ran"] & outcomes["model_name"].eq("mobilenet-v2")]
    recommender = HardwareRecommender(predictor, options=failed)
    answer = recommender.recommend_hardware(model_name="mobilenet-v2")
    assert answer.options.empty
    for reason in answer.unsatisfied.values():
        assert reason.text.startswith(
            "it has to run with a probability of 50 %: no option; nearest"
        )
