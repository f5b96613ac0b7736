"""`benchmart record`: results come home, described or by the names that plans give them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.support import Commands, bundled_rows, write_csv

KEY = ("model_name", "framework", "precision", "hardware", "batch_size", "input_length")


def _plan(commands: Commands, path: Path, *flags: object) -> dict[str, dict[str, str]]:
    """Real measurements of the tests of a plan, as far as there are any, by `config_id`."""
    commands.succeed("integrate", *flags, "--output", path)
    truth = {
        tuple(row[name] for name in KEY): row for row in bundled_rows() if row["status"] == "ok"
    }
    tests = json.loads(path.read_text())["recommendations"]
    named = {test["config_id"]: tuple(str(test[name]) for name in KEY) for test in tests}
    return {name: truth[key] for name, key in named.items() if key in truth}


def _recommended(commands: Commands) -> pd.Series:
    return commands.query(
        "select objective, workload_id, config_id from analytics.hardware_recommendations"
        " where rank = 1"
    ).set_index(["objective", "workload_id"])["config_id"]


def test_results_of_plans_are_learned_and_stay(small: Commands, tmp_path):
    """Of the build's own plan, and of one for a model that it had never seen."""
    own = _plan(small, tmp_path / "plan.json", "--budget", 40)
    first = _plan(small, tmp_path / "first.json", "--focus", "model=bert-small", "--budget", 6)
    recommended = _recommended(small)
    # what is recommended fails, so that another one has to be
    failed = next(name for name in own if name in set(recommended))
    ran = [name for name in own if name != failed][:3]
    assert len(ran) == 3 and len(first) >= 2
    results = [
        {"config_id": name, "throughput": row["throughput"]}
        for name, row in [*((name, own[name]) for name in ran), *first.items()]
    ]
    results.append({"config_id": failed, "status": "oom"})
    file = tmp_path / "results.jsonl"
    file.write_text("\n".join(map(json.dumps, results)))
    before = small.query("select count(*) as n from core.runs")["n"].item()
    # what a killed process may leave
    (small.warehouse / "recorded").mkdir()
    (small.warehouse / "recorded" / ".half.csv.part").write_text("config_id")

    assert "line 4, column config_id: no configuration" in small.refused("record", file)
    plan = ["--plan", tmp_path / "first.json"]
    said = small.succeed("record", file, *plan).stdout.splitlines()
    assert said[0] == (
        f"{len(results)} results: {len(results) - 1} measured, 1 failed runs, 0 rejected,"
        " 0 known before; 4 configurations were in the plan of the build before"
    )
    assert said[1].startswith(f"throughput: {len(results) - 1} new measurements, ")
    assert "fitted anew: never seen: bert-small" in said[1]
    assert any(line.startswith("recommended hardware for throughput: moved for ") for line in said)
    assert said[-1].endswith("%: benchmart integrate --budget 10")

    runs = "select count(*) as n from core.runs"
    assert small.query(runs)["n"].item() == before + len(results)
    again = _plan(small, tmp_path / "again.json", "--budget", 40)
    assert not {*ran, *first, failed} & set(again)
    _check_changes(small, recommended)
    _check_rewards(small, len(results))

    # the same once more is no news, nor is a build from the raw files and what was recorded
    published = small.current
    assert small.succeed("record", file).stdout.strip().endswith("recorded before, nothing changed")
    assert "nothing changed since build" in small.build().stderr
    assert small.current == published

    warning = small.succeed("rollback").stderr
    assert f"recorded/{file.stem}-" in warning and "the next build with news learns it" in warning
    assert "recorded in a build that was rolled back; change the file" in small.refused(
        "record", file, *plan
    )


@pytest.mark.slow
def test_what_was_recorded_outlives_a_full_refresh(small: Commands, tmp_path):
    own = _plan(small, tmp_path / "plan.json", "--budget", 40)
    rows = [{"config_id": name, "throughput": row["throughput"]} for name, row in own.items()]
    small.succeed("record", write_csv(tmp_path / "results.csv", rows))
    runs = "select count(*) as n from core.runs"
    before = small.query(runs)["n"].item()
    small.build("--full-refresh")
    assert small.query(runs)["n"].item() == before


def _check_changes(commands: Commands, before: pd.Series) -> None:
    after = _recommended(commands)
    both = before.index.intersection(after.index)
    moved = both[before[both] != after[both]]
    changes = commands.query("select * from analytics.recommendation_changes")
    assert len(moved)
    assert set(moved) == set(zip(changes["objective"], changes["workload_id"], strict=True))
    assert (changes["platform"] != changes["previous_platform"]).all()
    values = commands.query(
        "select objective, workload_id, platform, max(p50) as p50"
        " from analytics.hardware_recommendations as r"
        " join features.configurations using (workload_id, config_id) group by all"
    ).set_index(["objective", "workload_id", "platform"])["p50"]
    for row in changes[changes["objective"] == "throughput"].itertuples():
        now, then = (
            values.get((row.objective, row.workload_id, platform))
            for platform in (row.platform, row.previous_platform)
        )
        if then is None:
            assert pd.isna(row.regret_avoided)
        else:
            assert row.regret_avoided == pytest.approx(max(1 - then / now, 0))


def _check_rewards(commands: Commands, configurations: int) -> None:
    rewards = commands.query("select * from analytics.strategy_rewards").set_index("objective")
    # latency mirrors throughput here: what told of one told of the other
    assert set(rewards.index) == {"throughput", "latency"}
    assert set(rewards["strategy"]) == {"balanced"}
    assert (rewards["measured"] == configurations).all() and (rewards["tests"] >= 1).all()
    assert rewards.loc["throughput", "variance_removed"] > 0
    assert (rewards["reward"] < rewards[["variance_removed", "regret_removed"]].max(axis=1)).all()
    rounds = commands.query(
        "select strategy, rounds from analytics.strategies where objective = 'throughput'"
    )
    assert dict(rounds.values)["balanced"] == 1 and rounds["rounds"].sum() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "config_id,throughput\n0,1",
            "line 2, column config_id: no configuration of the published",
        ),
        ("config_id,throughput\n0,1,2", "line 2: "),
        ("model_name,hardware,throughput\na,b,1", "header lacks the required column 'batch_size'"),
        (
            "colour\nred",
            "no table of results in the native format; needed are model_name, hardware",
        ),
    ],
)
def test_what_is_no_table_of_results_is_not_recorded(published: Commands, tmp_path, text, said):
    file = tmp_path / "more.csv"
    file.write_text(text)
    line = published.refused("record", file)
    assert said in line and f"benchmart: {file}" in line
    assert not (published.warehouse / "recorded").exists()


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
