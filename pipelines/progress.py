"""What changed since the build before: recommendations that moved, and what its tests were worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from models_py.objectives import short_name, sign
from pipelines.write_back import append

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

    select workload_id, config_id, prob_best, expected_regret
    from ml.previous_hardware_options
    where objective = $objective and rank = 1

),

after as (

    select workload_id, config_id, rank, prob_best, coalesce(measured_value, p50) as value
    from ml.hardware_options
    where objective = $objective

),

-- of what failed, no configuration is left, yet the run says where it was
platforms as (

    select config_id, any_value(workload) as workload, any_value(platform) as platform
    from (
        select config_id, workload, platform from features.configurations
        union all
        select config_id, workload, platform from features.feasibility_features
    )
    group by config_id

)

select
    before.workload_id,
    platforms.workload,
    former.platform as previous_platform,
    before.prob_best as previous_prob_best,
    platforms.platform,
    after.prob_best,
    before.expected_regret,
    after.config_id is distinct from before.config_id as moved,
    $direction * ln(after.value / worth.value) as gain
from before
inner join after on before.workload_id = after.workload_id and after.rank = 1
left join after as worth on before.config_id = worth.config_id
left join platforms on after.config_id = platforms.config_id
left join platforms as former on before.config_id = former.config_id
order by before.workload_id
"""

# under a calibrated belief the mean squared move of its predictions is the variance that went
VARIANCE = """
select sum(ln(after.p50 / before.p50) ** 2) / nullif(sum(before.epistemic ** 2), 0)
from ml.previous_predictions as before
inner join ml.predictions as after using (config_id, metric)
where metric = $metric and before.measured_value is null
"""

RETURNED = """
with before as (

    select config_id, measured_value from ml.previous_predictions where metric = $metric

),

fresh as (

    select config_id
    from ml.predictions as after
    left join before using (config_id)
    where after.metric = $metric
        and after.measured_value is not null
        and before.measured_value is null

),

failed as (

    select distinct config_id
    from features.feasibility_features
    where not ran and config_id in (select config_id from before where measured_value is null)

),

planned as (

    select config_id from ml.previous_scored_candidates
    where metric = $metric and batch_order is not null

)

select
    (select count(*) from planned where config_id in (from fresh) or config_id in (from failed)),
    (select count(*) from fresh) + (select count(*) from failed)
"""


@contextmanager
def previous_build(con: duckdb.DuckDBPyConnection) -> Iterator[bool]:
    """Keep what the build before wrote as `ml.previous_*`; false where there is nothing to compare."""
    query = "select table_name from duckdb_tables() where schema_name = 'ml'"
    there = {name for (name,) in con.execute(query).fetchall()}
    kept = [name for name in COMPARED if name in there]
    for name in kept:
        con.execute(f"alter table ml.{name} rename to previous_{name}")
    yield len(kept) == len(COMPARED)
    for name in kept:
        con.execute(f"drop table ml.previous_{name}")


def write_progress(
    con: duckdb.DuckDBPyConnection,
    build_id: str,
    metrics: list[str],
    directions: dict[str, str],
    compared: bool,
) -> None:
    """Append to `ml.recommendation_changes` and `ml.strategy_rewards`.

    Parameters
    ----------
    compared
        Whether there is a build before, see `previous_build`; without one nothing has changed.
    """
    changes, rewards = [], []
    for metric in metrics if compared else ():
        named = {"build_id": build_id, "objective": short_name(metric)}
        asked = {"objective": short_name(metric), "direction": sign(metric, directions)}
        moves = con.execute(MOVES, asked).df()
        # what it would have cost to stay with the former recommendation
        moves["regret_avoided"] = 1 - np.exp(-moves["gain"].clip(lower=0))
        changes.append(moves[moves["moved"]].assign(**named)[CHANGES.names])
        tests, measured = con.execute(RETURNED, {"metric": metric}).fetchall()[0]
        if tests:
            rewards.append(named | _reward(con, metric, moves, tests, measured))
    tables = [pa.Table.from_pandas(rows, CHANGES, preserve_index=False) for rows in changes]
    append(con, "recommendation_changes", pa.concat_tables([CHANGES.empty_table(), *tables]))
    append(con, "strategy_rewards", pa.Table.from_pylist(rewards, REWARDS))


def _reward(
    con: duckdb.DuckDBPyConnection, metric: str, moves: pd.DataFrame, tests: int, measured: int
) -> dict:
    """What the last round was worth per measurement, whoever had proposed it."""
    strategy = con.execute(
        "select strategy from ml.previous_strategies where metric = ? and chosen", [metric]
    ).fetchall()
    variance = con.execute(VARIANCE, {"metric": metric}).fetchall()[0][0]
    regret = float(moves["regret_avoided"].sum())
    expected = float(moves["expected_regret"].sum())
    shares = {
        "variance_removed": min(float(variance or 0), 1.0),
        "regret_removed": min(regret / expected, 1.0) if expected > 0 else 0.0,
    }
    return {
        "strategy": strategy[0][0],
        "tests": tests,
        "measured": measured,
        **shares,
        "reward": sum(shares.values()) / 2 / measured,
    }
