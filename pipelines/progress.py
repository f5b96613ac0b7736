"""What changed since the build before: recommendations that moved, and what its tests were worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from models_py.derived import DERIVED_FROM
from models_py.objectives import DERIVED, short_name
from models_py.strategies import NO_REGRET, reward_per_test
from pipelines.write_back import append, tables

COMPARED = ("predictions", "hardware_options", "scored_candidates", "strategies")
CHANGES = pa.schema(
    {
        "build_id": pa.string(),
        "objective": pa.string(),
        "workload_id": pa.string(),
        "workload": pa.string(),
        "previous_platform": pa.string(),
        "previous_prob_best": pa.float64(),
        "platform": pa.string(),
        "prob_best": pa.float64(),
        "regret_avoided": pa.float64(),
    }
)
REWARDS = pa.schema(
    {
        "build_id": pa.string(),
        "objective": pa.string(),
        "strategy": pa.string(),
        "tests": pa.int64(),
        "measured": pa.int64(),
        "variance_removed": pa.float64(),
        "regret_removed": pa.float64(),
        "reward": pa.float64(),
    }
)

# the recommendation of every workload then and now, and what the former is worth by what is known now
MOVES = """
with before as (

    select config_id, workload_id, platform, prob_best, expected_regret
    from ml.previous_hardware_options
    where metric = $metric and rank = 1

),

after as (

    select config_id, workload_id, workload, platform, rank, prob_best,
        coalesce(measured_value, p50) as value
    from ml.hardware_options
    where metric = $metric

)

select
    after.workload_id,
    after.workload,
    before.platform as previous_platform,
    before.prob_best as previous_prob_best,
    after.platform,
    after.prob_best,
    before.expected_regret,
    after.config_id != before.config_id as moved,
    $direction * ln(after.value / former.value) as gain
from before
inner join after on before.workload_id = after.workload_id and after.rank = 1
left join after as former on before.config_id = former.config_id
order by after.workload_id
"""

# under a calibrated belief the mean squared move of its predictions is the variance that went
VARIANCE = """
select sum(ln(after.p50 / before.p50) ** 2) / nullif(sum(before.epistemic ** 2), 0)
from ml.previous_predictions as before
inner join ml.predictions as after using (config_id, metric)
where metric = $metric and before.measured_value is null
"""

# configurations that ran for the first time: candidates until now, or new altogether
ROUND = """
with measured as (

    select distinct config_id, metric from ml.predictions where measured_value is not null

),

ran as (

    select config_id from ml.previous_scored_candidates
    where config_id in (select config_id from features.feasibility_features)
    union
    select config_id from measured
    where config_id not in (select config_id from ml.previous_predictions)

)

select
    (
        select count(*) from ml.previous_scored_candidates
        where metric = $metric and batch_order is not null and config_id in (from ran)
    ) as tests,
    (select count(*) from ran) as configurations,
    (
        select count(*) from measured
        where metric in ($metric, $source) and config_id in (from ran)
    ) as told
"""


@contextmanager
def previous_build(con: duckdb.DuckDBPyConnection) -> Iterator[bool]:
    """Keep what the build before wrote as `ml.previous_*`; false where there is nothing to compare."""
    kept = [name for name in COMPARED if name in tables(con)]
    for name in kept:
        con.execute(f"alter table ml.{name} rename to previous_{name}")
    yield len(kept) == len(COMPARED)
    for name in kept:
        con.execute(f"drop table ml.previous_{name}")


def write_progress(
    con: duckdb.DuckDBPyConnection, build_id: str, directions: Mapping[str, int], compared: bool
) -> None:
    """Append to `ml.recommendation_changes` and `ml.strategy_rewards`.

    Parameters
    ----------
    directions
        +1 where more is better, -1 where less is, by what options are compared by: metrics, and what
        is worked out from them. Tests are rewarded for what they tell of metrics.
    compared
        Whether there is a build before, see `previous_build`; without one nothing has changed.
    """
    changes, rewards = [], []
    for metric, direction in directions.items() if compared else ():
        named = {"build_id": build_id, "objective": short_name(metric)}
        moves = con.execute(MOVES, {"metric": metric, "direction": direction}).df()
        # what it would have cost to stay with the former recommendation
        moves["regret_avoided"] = 1 - np.exp(-moves["gain"].clip(lower=0))
        changes.append(moves[moves["moved"]].assign(**named)[CHANGES.names])
        if metric not in DERIVED:
            rewards += [named | found for found in _reward(con, metric, moves)]
    moved = [pa.Table.from_pandas(rows, CHANGES, preserve_index=False) for rows in changes]
    append(con, "recommendation_changes", pa.concat_tables([CHANGES.empty_table(), *moved]))
    append(con, "strategy_rewards", pa.Table.from_pylist(rewards, REWARDS))


def _reward(con: duckdb.DuckDBPyConnection, metric: str, moves: pd.DataFrame) -> list[dict]:
    """What the last round was worth, whoever proposed it; none where it told nothing of the metric."""
    source = DERIVED_FROM.get(metric, metric)
    tests, configurations, told = con.execute(
        ROUND, {"metric": metric, "source": source}
    ).fetchall()[0]
    if not (tests and told):
        return []
    strategy = con.execute(
        "select strategy from ml.previous_strategies where metric = ? and chosen", [metric]
    ).fetchall()
    variance = con.execute(VARIANCE, {"metric": metric}).fetchall()[0][0]
    expected = float(moves["expected_regret"].sum()) + NO_REGRET * len(moves)
    shares = {
        "variance_removed": min(float(variance or 0), 1.0),
        "regret_removed": min(float(moves["regret_avoided"].sum()) / expected, 1.0),
    }
    found = {"strategy": strategy[0][0], "tests": tests, "measured": configurations, **shares}
    return [found | {"reward": reward_per_test(shares.values(), configurations)}]
