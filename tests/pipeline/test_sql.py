"""`benchmart sql`, the queries of `examples/`, and the views that they read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.query import Answer
from tests.support import PROJECT, Commands, bundled_rows, write_csv

EXAMPLES = sorted((PROJECT / "examples").glob("*.sql"))
# a fresh clone has no second build, no backtest, no repeats and nothing that may fail; nor deployments
OF_A_HISTORY = {
    "changes_since_the_last_build",
    "noise_of_repeats",
    "tests_saved",
}
EMPTY = OF_A_HISTORY | {"losses_of_staying", "what_may_not_run"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_ask_a_question_and_get_an_answer(published: Commands, example: Path):
    query = example.read_text(encoding="utf-8")
    assert query.startswith("-- ") and query.splitlines()[0].rstrip(")").endswith(("?", "backtest"))
    answer = io.StringIO()
    Answer(published.warehouse, query).write_csv(answer)
    rows = answer.getvalue().splitlines()[1:]
    assert bool(rows) == (example.stem not in EMPTY)


def test_there_are_examples_for_most_tables():
    assert len(EXAMPLES) >= 15


def test_deployments_that_lose_are_found(small: Commands):
    example = PROJECT / "examples" / "losses_of_staying.sql"
    found = json.loads(small.succeed("sql", "--json", "--file", example).stdout)
    assert found and all(row["loss_percent_p50"] > 20 for row in found)


@pytest.mark.slow
def test_a_warehouse_with_a_history_answers_what_a_fresh_one_cannot(small: Commands):
    folder = small.home / "raw" / "benchmart"
    rows = [row for row in bundled_rows(model_name="bert-mini") if row["input_length"] == "256"]
    slower = {"throughput": "10", "latency_ms": "400"}
    write_csv(folder / "repeats.csv", [row | slower | {"run_id": "again"} for row in rows])
    small.succeed("backtest", "--seeds", 2)
    small.build()
    for name in OF_A_HISTORY:
        query = PROJECT / "examples" / f"{name}.sql"
        assert json.loads(small.succeed("sql", "--json", "--file", query).stdout), name


def test_a_pipe_gets_every_row_as_csv(published: Commands):
    query = "select rank, configuration, reason from next_tests where objective = 'latency'"
    said = published.succeed("sql", query).stdout
    found = list(csv.DictReader(io.StringIO(said)))
    expected = published.query(f"from ({query.replace('next', 'analytics.next')})")
    assert found == expected.astype(str).to_dict(orient="records")


@pytest.mark.parametrize("columns", [60, 400])
def test_a_terminal_is_shown_all_columns_as_wide_as_it_is(
    published: Commands, monkeypatch, columns: int
):
    monkeypatch.setenv("COLUMNS", str(columns))
    query = "select rank, configuration, reason from next_tests where objective = 'latency'"
    answer = Answer(published.warehouse, f"{query} order by rank limit 7")
    shown = answer.boxed(5)
    assert all(len(line) <= columns for line in shown.splitlines())
    found = published.query(f"{query.replace('next', 'analytics.next')} order by rank limit 5")
    words = " ".join(shown.split())
    if columns == 60:
        assert all(f"reason {reason}" in words for reason in found["reason"])
        assert shown.splitlines()[0].startswith("1 ---") and shown.count("configuration ") == 5
        assert shown.splitlines()[-1] == "... and more than 5 rows: --rows, --output"
    else:
        assert all(name in words for name in found["configuration"].head(2))


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_rows_are_saved_by_the_ending_of_the_name(published: Commands, tmp_path: Path, ending: str):
    path = tmp_path / "new" / f"found.{ending}"
    query = "select metric, n, coverage from calibration order by all"
    published.succeed("sql", query, "--output", path)
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[ending]
    expected = published.query(query.replace("calibration", "analytics.calibration"))
    pd.testing.assert_frame_equal(read(path), expected, check_dtype=False)


def test_without_a_query_the_tables_are_listed(published: Commands):
    found = json.loads(published.succeed("sql", "--json").stdout)
    tables = {row["table"]: row["description"] for row in found}
    assert {"predictions", "next_tests"} < set(tables)
    assert all("One row per" in description for description in tables.values())


def test_bad_queries_are_refused_in_one_line_that_helps(published: Commands, tmp_path: Path):
    assert '"predictions"' in published.refused("sql", "from prediction")
    assert "configuration" in published.refused("sql", "select configurations from predictions")
    assert "read-only" in published.refused("sql", "drop table predictions")
    assert "expected .csv" in published.refused(
        "sql", "from builds", "--output", tmp_path / "a.txt"
    )
    assert "nope.sql" in published.refused("sql", "--file", tmp_path / "nope.sql")
    assert "empty" in published.refused("sql", "")
    assert "one name" in published.refused("sql", "--json", "select 1 as a, 2 as a")
    assert "leave out one" in published.refused("sql", "from builds", "--file", "-")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_has_seen_enough_is_no_failure(published: Commands):
    process = published.start("sql", "from measurements a, measurements b")
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) != 0


def test_views_say_what_their_tables_say(published: Commands):
    [same] = published.query(
        "select count(*) = (select count(*) from analytics.combined_rankings) as same"
        " from analytics.next_tests"
    )["same"]
    assert same
    platforms = published.query("from analytics.recommended_platforms")
    ranked = published.query("from analytics.hardware_recommendations where rank <= 2")
    assert len(platforms) == (ranked["rank"] == 1).sum()
    assert platforms["second_platform"].notna().sum() == (ranked["rank"] == 2).sum()
    second = ranked[ranked["rank"] == 2].set_index(["objective", "workload_id"])["loss_p50"]
    stated = platforms.set_index(["objective", "workload_id"])["second_loss_percent"].dropna()
    assert np.allclose(stated, 100 * second.loc[stated.index])
    devices = published.query("from analytics.hardware_overview").set_index("hardware")
    measured = published.query("from analytics.measurements where metric = 'throughput'")
    assert devices["measurements"].to_dict() == measured["hardware"].value_counts().to_dict()


def test_json_is_json_whatever_is_in_it(published: Commands):
    query = "select 1.5 as d, 'nan'::double as n, map {date '2026-11-27': [1]} as m, null as z"
    text = published.succeed("sql", "--json", query).stdout
    assert json.loads(text, parse_constant=pytest.fail) == [
        {"d": 1.5, "n": None, "m": {"2026-11-27": [1]}, "z": None}
    ]
    assert (
        json.loads(published.succeed("sql", "--json", f"from ({query}) where false").stdout) == []
    )
