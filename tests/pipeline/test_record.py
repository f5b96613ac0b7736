"""`benchmart record`: results come home, described or by the names that plans give them."""

from __future__ import annotations

import json

import pytest

from tests.support import Commands, bundled_rows, write_csv


def _truth(commands: Commands, config_ids: list[str]) -> dict[str, dict[str, str]]:
    """Bundled measurements of configurations that the home's raw files lack."""
    found = commands.query(
        "select config_id, framework, precision, hardware, batch_size, input_length"
        " from features.configurations"
    ).set_index("config_id")
    key = ["framework", "precision", "hardware", "batch_size", "input_length"]
    rows = {
        tuple(str(row[name]) for name in key): row for row in bundled_rows(model_name="bert-mini")
    }
    asked = found.loc[config_ids, key].astype(str)
    return {
        name: rows[tuple(values)] for name, *values in asked.itertuples() if tuple(values) in rows
    }


def test_results_of_a_plan_are_learned_and_stay(small: Commands, tmp_path):
    plan = json.loads(small.succeed("integrate", "--budget", 40).stdout)["recommendations"]
    truth = _truth(small, [test["config_id"] for test in plan])
    measured = {name: row for name, row in truth.items() if row["status"] == "ok"}
    assert len(measured) >= 4
    *ran, failed = list(measured)[:4]
    results = [
        {"config_id": name, "throughput": measured[name]["throughput"], "status": "ok"}
        for name in ran
    ]
    results.append({"config_id": failed, "throughput": "", "status": "oom"})
    file = write_csv(tmp_path / "results.csv", results)
    before = small.query("select count(*) as n from core.runs")["n"].item()

    said = small.succeed("record", file).stdout.splitlines()
    assert said[0] == (
        "4 results: 3 measured, 1 failed runs, 0 rejected, 0 known before; 4 of them were in the plan"
    )
    assert " of 3 newly measured configurations were inside the 90 % interval" in said[1]
    assert "fitted anew: 3 rows came or went since" in said[1]
    assert any(line.startswith("recommended hardware for throughput: moved for ") for line in said)
    assert said[-1].endswith("%: benchmart integrate --budget 10")
    assert small.query("select count(*) as n from core.runs")["n"].item() == before + 4
    again = json.loads(small.succeed("integrate", "--budget", 40).stdout)["recommendations"]
    assert not {*ran, failed} & {test["config_id"] for test in again}

    reward = small.query("select * from analytics.strategy_rewards where objective = 'throughput'")
    assert reward[["strategy", "tests", "measured"]].values.tolist() == [["balanced", 4, 4]]
    both = reward["variance_removed"] + reward["regret_removed"]
    assert reward["reward"].item() == pytest.approx(both.item() / 8) and both.item() > 0
    rounds = small.query(
        "select strategy, rounds from analytics.strategies where objective = 'throughput'"
    )
    assert dict(rounds.values)["balanced"] == 1 and rounds["rounds"].sum() == 1

    # the same once more is no news; a build from the raw files alone reads what was recorded
    published = small.current
    assert small.succeed("record", file).stdout.strip().endswith("recorded before, nothing changed")
    assert small.current == published
    small.build("--full-refresh")
    assert small.query("select count(*) as n from core.runs")["n"].item() == before + 4


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"config_id": "0", "throughput": "1"}], "line 2, column config_id: no configuration is "),
        ([{"model_name": "a", "hardware": "b", "throughput": "1"}], "lacks the required column"),
        ([{"colour": "red"}], "no table of results; needed are model_name, hardware, batch_size"),
    ],
)
def test_what_is_no_table_of_results_is_not_recorded(published: Commands, tmp_path, rows, said):
    file = write_csv(tmp_path / "more.csv", rows)
    line = published.refused("record", file)
    assert said in line and f"benchmart: {file}" in line
    assert not (published.warehouse / "recorded").exists()
    assert f"{file}0: no such file" in published.refused("record", f"{file}0")


def test_nothing_is_kept_of_results_whose_build_fails(small: Commands, tmp_path):
    row = next(bundled_rows(model_name="bert-mini", status="ok"))
    file = write_csv(tmp_path / "results.csv", [row])
    assert "unknown metric 'colour'" in small.refused("record", file, "--objective", "colour")
    published = small.current
    curves = small.warehouse / "backtests" / "throughput.parquet"
    curves.parent.mkdir()
    curves.write_bytes(b"no parquet")
    assert small.run("record", file).returncode == 1
    assert small.current == published and not (small.warehouse / "recorded").exists()
