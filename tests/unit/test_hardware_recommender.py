"""HardwareRecommender on the bundled measurements: objectives, constraints, empty answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_py.constraints import Constraints
from models_py.hardware_recommender import HardwareRecommender
from models_py.objectives import BALANCE
from models_py.odds import odds
from models_py.predict import PerformancePredictor
from models_py.requirements import Requirement, parse_requirements
from models_py.worth import NotLearned, objective_of

METRICS = ("throughput", "latency_ms")
DIRECTIONS = {"throughput": "higher", "latency_ms": "lower"}
WORKLOAD = {"model_name": "bert-mini", "batch_size": 4, "input_length": 64, "precision": "fp32"}
PRICES = {"amd-epyc-genoa-1-thread": 1.0, "amd-epyc-genoa-2-threads": 1.9}


@pytest.fixture(scope="module")
def priced(frames) -> pd.DataFrame:
    training, candidates = frames
    options = pd.concat([training.iloc[::3], candidates], ignore_index=True)
    prices = options["hardware"].map(PRICES)
    return options.assign(price_per_hour=prices, price_per_replica_hour=prices)


@pytest.fixture(scope="module")
def recommender(frames, priced) -> HardwareRecommender:
    predictor = PerformancePredictor(METRICS, light=True, seed=1).fit(frames[0].iloc[::3])
    return HardwareRecommender(predictor, options=priced)


def test_the_cheapest_is_not_always_the_fastest(recommender):
    fastest, cheapest = (
        recommender.recommend_hardware(name, **WORKLOAD).options.set_index("config_id")
        for name in ("throughput", "cost")
    )
    both = fastest.join(cheapest, rsuffix="_cost")
    expected = 1e6 / 3600 * both["hardware"].map(PRICES) / both["p50"]
    np.testing.assert_allclose(both["p50_cost"], expected)
    np.testing.assert_allclose(both["p05_cost"], expected * both["p50"] / both["p95"])
    assert cheapest["p50"].iloc[0] == cheapest["p50"].min()
    assert cheapest["prob_best"].sum() == pytest.approx(1)


def test_a_recommendation_says_in_one_line_what_speaks_for_it(recommender):
    lines = {}
    for name in ("throughput", "latency", "cost", "balanced"):
        options = recommender.recommend_hardware(name, **WORKLOAD).options
        assert options["explanation"].notna().tolist() == [True] + [False] * (len(options) - 1)
        lines[name] = options["explanation"].iloc[0]
    options = recommender.recommend_hardware("throughput", **WORKLOAD).options
    rival = options[options["hardware"] != options["hardware"][0]].iloc[0]
    against, bound = lines["throughput"].split("; ")  # it was measured: nothing was learned of it
    assert against == (
        f"{1 / (1 - rival['loss_p50']):.2f}x the throughput of the best other device"
        f" ({rival['platform']}), with {odds(rival['prob_loss'])} probability"
    )
    assert bound.startswith(("bound by arithmetic, at ", "bound by memory bandwidth, at "))
    assert bound.endswith(" % of its roofline")
    assert lines["latency"].startswith("latency ") and " % lower than on the " in lines["latency"]
    assert lines["balanced"].startswith("1.") and "x the balance of " in lines["balanced"]


def test_options_without_names_of_platforms_are_named_by_their_parts(recommender, priced):
    bare = priced.drop(columns="platform")
    other = HardwareRecommender(recommender.predictor, options=bare)
    asked = {"model_name": WORKLOAD["model_name"]}
    found = other.recommend_hardware("throughput", **asked).options
    line = found["explanation"].dropna().iloc[0]
    rivals = {
        f"({h} {n} {f})" for h, n, f in bare[["hardware", "device_count", "framework"]].values
    }
    assert any(rival in line for rival in rivals)
    alone = found.drop_duplicates("workload_id")["config_id"]
    few = HardwareRecommender(recommender.predictor, options=bare[bare["config_id"].isin(alone)])
    lines = few.recommend_hardware("throughput", **asked).options["explanation"]
    assert lines.str.startswith("the only platform that is left").all()


@pytest.fixture(scope="module")
def with_trees(frames) -> PerformancePredictor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models_py.base.best_share", lambda *errors: 0.2)
        return PerformancePredictor(METRICS, light=True, seed=1).fit(frames[0].iloc[::3])


def test_trees_explain_what_was_predicted_as_far_as_they_count(with_trees, priced, monkeypatch):
    base = with_trees.models["throughput"].stage.base
    bare = priced.drop(columns=["throughput", "latency_ms", "memory_mb"])
    predicted = HardwareRecommender(with_trees, options=bare)
    for share, explained in ((0.5, True), (0.0, False)):
        monkeypatch.setattr(base, "bag_share", share)
        options = predicted.recommend_hardware("throughput", **WORKLOAD).options
        assert ("; LightGBM: " in options["explanation"][0]) == explained


def test_trees_are_explained_by_what_they_add(with_trees, priced):
    """Contributions add up to what the explaining members predict, up to a constant."""
    model = with_trees.models["throughput"]
    some = priced.head(30)
    added = model.contributions(some)
    features = model._prepare(some)[0].features
    members = model.stage.base.bag.members[:2]
    predicted = np.mean([member.predict(features) for member in members], axis=0)
    left = model.stage.base.bag_share * predicted - added.sum(axis=1).to_numpy()
    np.testing.assert_allclose(left, left[0])


def test_what_is_balanced_lies_between_what_it_weighs(recommender):
    ends = {}
    for share in (1.0, 0.0):
        weighed = {"throughput": share, "cost": 1 - share}
        narrowed = HardwareRecommender(
            recommender.predictor, options=recommender.options, balance=weighed
        )
        ends[share] = narrowed.recommend_hardware("balanced", **WORKLOAD).options
        assert ends[share]["p50"].max() == pytest.approx(1)
    for share, name in ((1.0, "throughput"), (0.0, "cost")):
        alone = recommender.recommend_hardware(name, **WORKLOAD).options
        assert ends[share]["config_id"].iloc[0] == alone["config_id"].iloc[0]


def test_requirements_hold_with_the_stated_confidence(recommender):
    every = recommender.recommend_hardware("throughput", **WORKLOAD).options
    latency = recommender.recommend_hardware("latency", **WORKLOAD).options
    limit = latency["p50"].median()
    kept = recommender.recommend_hardware(
        "throughput", Constraints(requirements=parse_requirements(f"latency<={limit}")), **WORKLOAD
    ).options
    assert 0 < len(kept) < len(every)
    assert (kept["prob_meets"] >= 0.9).all()
    sure = latency.set_index("config_id")["p95"] < limit
    assert set(sure.index[sure]) <= set(kept["config_id"])
    doubtful = latency.set_index("config_id")["p50"] > limit
    assert not set(doubtful.index[doubtful]) & set(kept["config_id"])


@pytest.mark.parametrize(
    ("constraints", "binding", "told"),
    [
        ({"available_hardware": ["abacus"]}, "available: abacus", "not available"),
        ({"max_device_count": 0}, "devices<=0", "1 devices"),
        ({"max_price_per_hour": 0.5}, "price an hour<=0.5", "1 an hour"),
        (
            {"requirements": parse_requirements("latency<=0.0001")},
            "latency_ms<=0.0001 with a probability of 90 %",
            ")",
        ),
    ],
)
def test_an_empty_answer_names_what_binds_and_what_is_nearest(
    recommender, constraints, binding, told
):
    answer = recommender.recommend_hardware("throughput", Constraints(**constraints), **WORKLOAD)
    assert answer.options.empty
    assert answer.alternatives().empty
    (reason,) = answer.unsatisfied.values()
    assert reason.binding == binding
    nearest = (
        "amd-epyc-genoa-1-thread" if told != ")" else "amd-epyc-genoa-2-threads x1 onnxruntime"
    )
    assert reason.text.startswith(f"{binding}: no option; nearest is {nearest}")
    assert reason.text.endswith(told)


def test_the_constraint_that_binds_is_named_not_one_that_others_keep(recommender):
    loose, tight = parse_requirements("latency<=1e6"), 0.5
    answer = recommender.recommend_hardware(
        "throughput", Constraints(requirements=loose, max_price_per_hour=tight), **WORKLOAD
    )
    assert {reason.binding for reason in answer.unsatisfied.values()} == {"price an hour<=0.5"}


def test_the_requirement_that_binds_is_named(recommender):
    slo = parse_requirements("throughput>=0.001,latency<=0.0001")
    answer = recommender.recommend_hardware("cost", Constraints(requirements=slo), **WORKLOAD)
    (reason,) = answer.unsatisfied.values()
    assert reason.binding == "latency_ms<=0.0001 with a probability of 90 %"
    assert " 0 % (median " in reason.text


def test_where_the_price_is_not_known_that_is_what_binds(recommender):
    slow, fast = sorted(PRICES)
    half = recommender.options.assign(
        price_per_replica_hour=lambda each: each["price_per_hour"].where(each["hardware"] == fast)
    )
    narrowed = HardwareRecommender(recommender.predictor, options=half)
    answer = narrowed.recommend_hardware("cost", Constraints([slow]), **WORKLOAD)
    assert answer.options.empty
    assert {each.binding for each in answer.unsatisfied.values()} == {
        "its price has to be known (prices.csv)"
    }
    assert set(narrowed.recommend_hardware("cost", **WORKLOAD).options["hardware"]) == {fast}
    # a balance of what is known of all platforms, rather than of some platforms
    balanced = narrowed.recommend_hardware("balanced", **WORKLOAD)
    assert set(balanced.objective.weights) == {"throughput", "latency"}
    assert set(balanced.options["hardware"]) == {slow, fast}


def test_workloads_of_which_a_metric_is_not_known_are_named(recommender):
    stranger = recommender.options.head(6).assign(
        workload_id="stranger", comparable_group="weather/inference/maps/s", model_name="bert-mini"
    )
    both = pd.concat([recommender.options, stranger.drop(columns=[*METRICS])], ignore_index=True)
    answer = HardwareRecommender(recommender.predictor, options=both).recommend_hardware(
        "throughput", model_name="bert-mini"
    )
    assert len(answer.options)
    assert answer.unsatisfied["stranger"].text.startswith("throughput: nothing like this workload")


def test_alternatives_are_of_other_devices_and_within_the_margin(recommender):
    answer = recommender.recommend_hardware("throughput", model_name="bert-mini")
    recommended = answer.options[answer.options["rank"] == 1].set_index("workload_id")["hardware"]
    others = answer.alternatives(0.9)
    assert len(others)
    assert (others["hardware"] != others["workload_id"].map(recommended)).all()
    assert not others.duplicated(["workload_id", "hardware"]).any()
    assert len(answer.alternatives(0.05)) < len(others)


def test_what_needs_a_price_says_so_where_there_is_none(recommender):
    unpriced = HardwareRecommender(
        recommender.predictor, options=recommender.options.assign(price_per_replica_hour=np.nan)
    )
    balanced = unpriced.recommend_hardware("balanced", **WORKLOAD)
    assert not balanced.objective.facts
    assert len(balanced.options)
    with pytest.raises(LookupError, match="no price of these devices is known"):
        unpriced.recommend_hardware("cost", **WORKLOAD)


def test_what_was_not_learned_is_named():
    with pytest.raises(NotLearned, match="energy_per_unit needs power_w, which was not learned"):
        objective_of("energy_per_unit", DIRECTIONS)
    with pytest.raises(NotLearned, match="ttft_ms was not learned"):
        objective_of("ttft_ms", DIRECTIONS)
    with pytest.raises(NotLearned, match="none of energy was learned"):
        objective_of("balanced", DIRECTIONS, {"energy": 1})


def test_energy_per_unit_comes_from_the_batch_or_from_power():
    batch = objective_of("energy_per_unit", {"energy_j": "lower"})
    options = pd.DataFrame({"batch_work": [8.0]})
    assert np.exp(batch.log_value({"energy_j": np.log([16.0])}, options)) == pytest.approx(2)
    power = objective_of("energy_per_unit", {**DIRECTIONS, "power_w": "lower"})
    drawn = {"power_w": np.log([300.0]), "throughput": np.log([100.0])}
    assert np.exp(power.log_value(drawn, options)) == pytest.approx(3)


def test_balance_knows_which_way_is_better():
    objective = objective_of("balanced", DIRECTIONS, BALANCE)
    assert objective.powers == pytest.approx({"throughput": 0.4 + 0.3, "latency_ms": -0.3})
    assert objective.facts == pytest.approx({"price_per_replica_hour": -0.3})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ttft_ms<200", "expected METRIC<=NUMBER or METRIC>=NUMBER, got 'ttft_ms<200'"),
        ("", "expected METRIC"),
        ("ttft_ms<=fast", "expected a number above 0, got 'fast'"),
        ("ttft_ms<=0", "expected a number above 0, got '0'"),
        ("ttft_ms<=nan", "expected a number above 0"),
        ("ttft_ms<=200,ttft_ms>=300", "ttft_ms<=200 and ttft_ms>=300 contradict each other"),
    ],
)
def test_requirements_that_make_no_sense_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_requirements(text)


@given(st.floats(1e-6, 1e9), st.booleans(), st.floats(1e-6, 1e9))
def test_a_requirement_is_kept_on_one_side_of_its_limit(limit, at_most, value):
    requirement = Requirement("latency_ms", limit, at_most)
    assert parse_requirements(str(requirement))[0].limit == pytest.approx(limit, rel=1e-4)
    expected = np.log(value) <= np.log(limit) if at_most else np.log(value) >= np.log(limit)
    assert requirement.met(np.log(value)) == expected
