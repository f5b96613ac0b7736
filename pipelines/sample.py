"""Which measurements models learn from, where there are more than they are to learn from."""

from __future__ import annotations

import duckdb

# the rule is features.training_features.sample_rank
SAMPLE = """
create or replace table ml.training_sample as
select
    hardware,
    comparable_group,
    count(*) as measurements,
    count(distinct config_id) as configurations,
    count(*) filter (sample_rank <= $most) as measurements_learned,
    count(distinct config_id) filter (sample_rank <= $most) as configurations_learned
from features.training_features
group by all
order by all
"""


def write_sample(con: duckdb.DuckDBPyConnection, most_rows: int) -> list[str]:
    """Write `ml.training_sample`; also a warning where measurements are left out."""
    con.execute(SAMPLE, {"most": most_rows})
    learned, every = con.sql(
        "select sum(measurements_learned), sum(measurements) from ml.training_sample"
    ).fetchall()[0]
    if learned == every:
        return []
    return [
        f"models learn from {learned:,} of {every:,} measurements, a sample of every device and"
        " comparable group (analytics.training_sample; training_rows in benchmart.toml)"
    ]
