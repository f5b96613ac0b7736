"""What a build says of the one before it, on tables small enough to work out by hand."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from models_py.objectives import sign
from models_py.strategies import reward_per_test
from pipelines.progress import previous_build, write_progress
from pipelines.write_back import replace

PLATFORMS = {"a": "pytorch", "b": "onnxruntime", "c": "torch.compile"}
DIRECTIONS = {"throughput": "higher", "ttft_ms": "lower"}


def _write(con, metric: str, medians: dict[str, float], measured: dict[str, float], best: str):
    rows = pd.DataFrame({"config_id": list(medians), "p50": list(medians.values())})
    rows = rows.assign(
        metric=metric,
        measured_value=rows["config_id"].map(measured).astype(float),
        epistemic=0.1,
        workload_id="w",
        workload="bert-mini fp32 batch 1",
        platform=rows["config_id"].map(PLATFORMS),
        rank=(rows["config_id"] != best) + 1,
        prob_best=0.5,
        expected_regret=0.05,
    )
    replace(con, "predictions", rows)
    replace(con, "hardware_options", rows)


def _builds(metric: str, after: dict[str, float], measured: dict[str, float], best: str, ran: str):
    """Changes and rewards of a build, where `a` was recommended before and `b` and `c` candidates."""
    con = duckdb.connect()
    con.execute("create schema features")
    con.execute("create table features.feasibility_features (config_id varchar)")
    con.execute("insert into features.feasibility_features select unnest(?)", [list(ran)])
    _write(con, metric, {"a": 100.0, "b": 90.0, "c": 90.0}, {"a": 100.0}, "a")
    planned = pd.DataFrame({"config_id": ["b", "c"], "metric": metric, "batch_order": [1, None]})
    replace(con, "scored_candidates", planned)
    strategies = {"metric": [metric], "strategy": ["balanced"], "chosen": [True]}
    replace(con, "strategies", pd.DataFrame(strategies))
    with previous_build(con) as compared:
        _write(con, metric, after, measured, best)
        write_progress(con, "build", {metric: sign(metric, DIRECTIONS)}, compared)
    return con.table("ml.recommendation_changes").df(), con.table("ml.strategy_rewards").df()


@pytest.mark.parametrize(
    ("metric", "found", "avoided"), [("throughput", 125.0, 0.2), ("ttft_ms", 80.0, 0.2)]
)
def test_a_recommendation_that_moved_says_what_staying_would_have_cost(metric, found, avoided):
    after = {"a": 100.0, "b": found, "c": 90.0}
    changes, rewards = _builds(metric, after, {"a": 100.0, "b": found}, "b", ran="ab")
    (change,) = changes.to_dict("records")
    assert (change["previous_platform"], change["platform"]) == ("pytorch", "onnxruntime")
    assert change["regret_avoided"] == pytest.approx(avoided)
    (reward,) = rewards.to_dict("records")
    assert (reward["tests"], reward["measured"]) == (1, 1)
    assert reward["regret_removed"] == 1  # more than was expected to be there
    assert reward["reward"] == pytest.approx(
        reward_per_test([reward["variance_removed"], 1.0], tests=1)
    )


def test_variance_that_went_is_the_squared_move_of_what_was_unmeasured():
    after = {"a": 100.0, "b": 95.0, "c": 90.0}
    changes, rewards = _builds("throughput", after, {"a": 100.0, "b": 95.0}, "a", ran="abc")
    assert changes.empty
    (reward,) = rewards.to_dict("records")
    assert reward["variance_removed"] == pytest.approx(0.054067**2 / (2 * 0.1**2), rel=1e-4)
    assert (reward["measured"], reward["regret_removed"]) == (2, 0)


def test_failures_alone_are_no_round_and_a_former_one_that_is_gone_has_no_price():
    changes, rewards = _builds("throughput", {"b": 90.0, "c": 80.0}, {}, "b", ran="c")
    assert rewards.empty
    assert changes["regret_avoided"].isna().all() and len(changes) == 1
