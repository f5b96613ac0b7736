"""SQL keeps to the memory that it is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.dbt import Dbt
from pipelines.errors import InputError
from pipelines.memory import (
    DEFAULT_LIMIT,
    fits_at_once,
    give_back,
    of_marts,
    of_tables,
    scored_at_once,
    shortfall,
)
from pipelines.published import connect
from pipelines.settings import load_settings

LIMIT = "select current_setting('memory_limit') as allowed"


def test_dbt_and_connections_take_the_memory_that_they_are_given(tmp_path: Path, parsed: Path):
    dbt = Dbt(tmp_path, parsed, 600 * 10**6)
    (shown,) = dbt.invoke("show", "--inline", LIMIT).results
    (allowed,) = shown.agate_table.columns[0].values()
    assert allowed == "572.2 MiB"
    with connect(tmp_path / "some.duckdb", memory=100 * 10**6) as con:
        assert con.sql(LIMIT).fetchall() == [("95.3 MiB",)]


@pytest.mark.parametrize("limit", ["1GB", "2GB", "8GB", "64GB"])
def test_what_is_given_out_is_less_than_there_is(limit):
    size = int(load_settings(limit_memory=limit).limit_memory)
    assert of_tables(size) < of_marts(size) < size
    for rows in (0, 1_000, 300_000, 10_000_000):
        assert 1 <= fits_at_once(size, rows, 8) <= 8
        if fits_at_once(size, rows, 8) > 1:
            assert shortfall(size, rows) == 0


def test_scoring_fits_beside_what_else_is_held():
    asked = [
        (10**9 * limit, rows, 16) for limit in (1, 2, 4, 16) for rows in ([1_000], [6_500] * 3)
    ]
    found = [scored_at_once(*each) for each in asked]
    assert found[0] == 1 and found[-2] == 16
    for (limit, rows, _), count in zip(asked, found, strict=True):
        factors = sum(8 * each**2 for each in rows)
        assert count == 1 or count * factors + of_tables(limit) < limit
    # large models leave room for fewer
    assert all(large <= small for small, large in zip(found[::2], found[1::2], strict=True))


def test_an_emptied_cache_may_fill_again(tmp_path: Path):
    with connect(tmp_path / "some.duckdb", memory=300 * 10**6) as con:
        con.execute(
            "create table numbers as select hash(range) as h from range(20_000_000); checkpoint"
        )
        assert con.sql("select max(h) > 0 from numbers").fetchall() == [(True,)]
        held = "select sum(memory_usage_bytes) from duckdb_memory()"
        assert con.sql(held).fetchall()[0][0] > 50 * 10**6
        give_back(con)
        assert con.sql(held).fetchall()[0][0] < 50 * 10**6
        assert con.sql(LIMIT).fetchall()[0][0].startswith("286.")
        assert con.sql("select count(h) from numbers").fetchall() == [(20_000_000,)]


def test_more_memory_fits_more_metrics_at_once():
    fits = [fits_at_once(limit * 10**9, 300_000, 8) for limit in (1, 2, 4, 8, 16)]
    assert fits == sorted(fits) and fits[0] == 1 and fits[-1] == 8
    assert shortfall(10**9, 300_000) > 0 == shortfall(DEFAULT_LIMIT, 300_000)


@pytest.mark.parametrize("limit", ["lots", "100MB", "-1GB"])
def test_too_little_memory_is_refused(limit):
    with pytest.raises(InputError, match="limit_memory: expected a size of at least 1GB"):
        load_settings(limit_memory=limit)
