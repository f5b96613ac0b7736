"""Diagnostics of a real build, some of whose results are made worse on purpose."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipelines.dbt import Dbt
from pipelines.published import connect
from tests.support import Commands

PLANNED = "update ml.scored_candidates set {} where batch_order <= 10"
OPEN = "update ml.hardware_options set prob_best = 0.5 where rank = 1"


@pytest.fixture(scope="module")
def diagnosed(
    published: Commands, parsed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., pd.DataFrame]:
    """Diagnostics by objective and name, once statements have changed what models wrote."""
    home = tmp_path_factory.mktemp("diagnosed")
    dbt = Dbt(home, parsed)

    def diagnose(*statements: str) -> pd.DataFrame:
        shutil.copyfile(published.current / dbt.database.name, dbt.database)
        with connect(dbt.database) as con:
            for statement in statements:
                assert con.execute(statement).fetchall()[0][0] > 0
        dbt.build(["diagnostics"])
        with connect(dbt.database, read_only=True) as con:
            return con.sql("from analytics.diagnostics").df().set_index(["objective", "diagnostic"])

    return diagnose


def test_a_ratio_of_nothing_is_empty_not_a_number(published: Commands, tmp_path, parsed: Path):
    dbt = Dbt(tmp_path, parsed)
    shutil.copyfile(published.current / dbt.database.name, dbt.database)
    with connect(dbt.database) as con:
        con.execute(
            "insert into ml.drift by name select 'b' as build_id, 'throughput' as metric,"
            " 0 as configurations, 'nan'::double as median_ratio, 1.0 as p_value"
        )
    dbt.build(["drift"])
    with connect(dbt.database, read_only=True) as con:
        found = con.sql("select median_ratio from analytics.drift where build_id = 'b'").fetchall()
    assert found == [(None,)]


def raised(found: pd.DataFrame, objective: str = "throughput") -> set[str]:
    of_objective = found.loc[objective]
    return set(of_objective.index[of_objective["raised"]])


def test_the_bundled_build_is_well(published: Commands):
    found = published.query("from analytics.diagnostics").set_index(["objective", "diagnostic"])
    assert set(found.index.get_level_values(0)) == {"throughput", "latency", "memory"}
    assert (found.groupby("objective").size() == 10).all()
    assert raised(found) == set()
    assert found.loc[("throughput", "recommender_accuracy"), "value"] > 0.8
    assert found.loc[("memory", "near_duplicates"), "value"] < 0.3


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            [PLANNED.format("combined_score = 0.1, serves = 'accuracy'"), OPEN],
            {"low_scores", "too_much_exploration"},
        ),
        ([PLANNED.format("combined_score = 0.1, serves = 'decision'"), OPEN], {"low_scores"}),
        (
            ["update ml.predictions set p95 = 4 * p05 where measured_value is null"],
            {"too_little_data"},
        ),
        (
            ["update ml.calibration set coverage = 0.7 where group_name like '%-2-threads'"],
            {"poor_calibration"},
        ),
        (
            [PLANNED.format("hardware_match = false, serves = 'accuracy'")],
            {"mismatched_tests", "accuracy_before_decisions"},
        ),
        (
            [PLANNED.format("hardware_match = false, serves = 'decision'")],
            {"mismatched_tests"},
        ),
        (["update ml.held_out set p50 = 1 / p50"], {"recommender_accuracy", "bias_by_hardware"}),
        ([PLANNED.format("diversity = 0.01")], {"low_diversity"}),
    ],
)
def test_what_is_wrong_is_told_apart(diagnosed, statements: list[str], expected: set[str]):
    assert raised(diagnosed(*statements)) == expected


def test_the_device_in_question_is_named(diagnosed):
    found = diagnosed(
        "update ml.held_out set actual = 1.5 * actual where measurement_id in"
        " (select measurement_id from core.runs where hardware = 'amd-epyc-genoa-1-thread')"
    )
    [row] = found.loc[[("throughput", "bias_by_hardware")]].to_dict(orient="records")
    assert row["raised"] and "amd-epyc-genoa-1-thread +5" in row["finding"]
    assert "hardware.csv" in row["advice"]


def test_tests_alike_are_near_duplicates(diagnosed):
    """The first ten are of one model on one platform, with batches of 4, 5, 6 and so on."""
    alike = (
        "update {} set model_name = 'same', hardware = 'same', framework = 'same', precision = 'fp32',"
        " comparable_group = 'same', options = '',"
        " input_length = 64, output_length = null, image_size = null, batch_size = 4 + (select"
        " batch_order from ml.scored_candidates as s where s.config_id = features.configurations"
        ".config_id and objective = 'throughput') where config_id in (select config_id from"
        " ml.scored_candidates where batch_order <= 10 and objective = 'throughput')"
    )
    found = diagnosed(alike.format("features.configurations"))
    assert "near_duplicates" in raised(found)
    assert found.loc[("throughput", "near_duplicates"), "value"] == 0.9
