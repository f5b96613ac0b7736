"""`integrate` and `predict`, and how bad requests are answered."""

from __future__ import annotations

import csv
import json

import jsonschema
import pytest

from pipelines.integrate import plan_schema
from tests.support import Commands, bundled_rows, write_csv


@pytest.mark.parametrize("metric", ["throughput", "latency", "memory", "latency_ms"])
def test_plans_follow_the_schema(published: Commands, tmp_path, metric):
    output = tmp_path / "plan.json"
    done = published.succeed("integrate", "--budget", 10, "--metric", metric, "--output", output)
    plan = json.loads(output.read_text())
    lines = [(test["configuration"], test["reason"]) for test in plan["recommendations"]]
    told = [f"{place}. {name}\n   {why}" for place, (name, why) in enumerate(lines, start=1)]
    assert done.stdout == "\n".join([*told, f"written: {output}\n"])
    jsonschema.validate(plan, plan_schema())
    assert plan["optimization_metric"] == metric.removesuffix("_ms")
    assert plan["final_recommendations"] == len(plan["recommendations"]) == 10
    assert plan["total_candidates"] > 50
    assert any(test["alternatives"] for test in plan["recommendations"])
    for test in plan["recommendations"]:
        assert test["hardware_match"] == (test["hardware"] == test["recommended_hardware"])
        assert test["p05"] <= test["p50"] <= test["p95"]


def test_a_short_plan_is_the_start_of_a_long_one(published: Commands):
    short, long = (
        json.loads(published.succeed("integrate", "--budget", n).stdout)["recommendations"]
        for n in (3, 8)
    )
    assert long[:3] == short


def test_plans_of_several_objectives_are_merged_without_duplicates(published: Commands):
    alone = {
        name: [test["config_id"] for test in _tests(published, name, 6)]
        for name in ("latency", "memory")
    }
    merged = _tests(published, "latency,memory", 6)
    names = [test["config_id"] for test in merged]
    assert len(names) == len(set(names)) == 6
    assert names[0] == alone["latency"][0]
    for test in merged:
        assert test["objectives"] == [name for name in alone if test["config_id"] in alone[name]]
    assert {name for test in merged for name in test["objectives"]} == set(alone)
    assert "for one objective" in published.refused(
        "integrate", "--metric", "latency,memory", "--max-minutes", 60
    )


def _tests(commands: Commands, metric: str, budget: int) -> list[dict]:
    said = commands.succeed("integrate", "--metric", metric, "--budget", budget)
    plan = json.loads(said.stdout)
    jsonschema.validate(plan, plan_schema())
    assert plan["optimization_metric"] == metric
    return plan["recommendations"]


def test_a_plan_for_today_keeps_what_can_be_run(published: Commands):
    one, other = ("amd-epyc-genoa-1-thread", "amd-epyc-genoa-2-threads")
    said = published.succeed("integrate", "--available", one, "--max-minutes", 45)
    plan = json.loads(said.stdout)
    jsonschema.validate(plan, plan_schema())
    tests = plan["recommendations"]
    assert {test["hardware"] for test in tests} == {one}
    assert [test["cost_minutes"] for test in tests] == [10] * 4
    assert {test["cost"] for test in tests} == {None}
    # what is not free today may still be what is recommended
    assert other in {test["recommended_hardware"] for test in tests}
    ends = [test["serves"] for test in tests]
    assert plan["shares"] == {end: ends.count(end) / 4 for end in ("accuracy", "decision")}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--available", "amd-epyc"], "no candidate runs on 'amd-epyc'; did you mean 'amd-epyc-"),
        (["--max-cost", 5], "--max-cost 5: no price of these devices is known (prices.csv)"),
        (["--max-minutes", 3], "--max-minutes 3: the cheapest candidate takes 10"),
        (["--max-per-hardware", "h100"], "expected DEVICE=N, got 'h100'"),
        (["--minimum-distance", 2], "2.0 is not in the range"),
        (["--minimum-distance", 0.9], "is left under these limits; the largest distance is 0.1"),
    ],
)
def test_limits_that_cannot_be_kept_are_named(published: Commands, flags, said):
    assert said in published.refused("integrate", *flags)


@pytest.mark.parametrize(
    ("focus", "said"),
    [
        # a device that has facts alone, one that nobody has heard of, a model that has facts alone
        (
            "hardware=Intel Xeon 6980P",
            ["assumed to run on intel-xeon-6980p: onnxruntime, pytorch,"],
        ),
        (
            "hardware=amd-epyc-9999",
            ["nothing is known of this device; it is", "assumed to run on "],
        ),
        ("model=resnet50", []),
    ],
)
def test_the_first_tests_of_what_was_never_run(published: Commands, focus, said):
    plan = json.loads(published.succeed("integrate", "--focus", focus, "--budget", 3).stdout)
    jsonschema.validate(plan, plan_schema())
    kind, name = focus.split("=")
    name = name.lower().replace(" ", "-")
    tests = plan["recommendations"]
    assert [test["model_name" if kind == "model" else "hardware"] for test in tests] == [name] * 3
    assert {test["serves"] for test in tests} == {"accuracy"}
    assert plan["total_candidates"] > 20
    for note, words in zip(plan["notes"], said, strict=True):
        assert words in note


@pytest.mark.parametrize(
    ("focus", "said"),
    [
        (
            "model=bert-mimi",
            "its model_type is not known; add a row to models.csv; did you mean 'bert-",
        ),
        ("model=dlrm-v2", "its model_type is recommendation, of which nothing was measured"),
        ("device=h100", "--focus: expected hardware=NAME or model=NAME, got 'device=h100'"),
    ],
)
def test_a_focus_that_nothing_can_be_planned_for_is_named(published: Commands, focus, said):
    assert said in published.refused("integrate", "--focus", focus)


def test_predictions_keep_rows_columns_and_order(published: Commands, tmp_path):
    rows = [
        {
            name: row[name]
            for name in ("model_name", "hardware", "batch_size", "precision", "input_length")
        }
        | {"framework": row["framework"], "colour": str(number)}
        for number, row in enumerate(list(bundled_rows(model_type="text_embedding"))[::40])
    ]
    output = tmp_path / "out.csv"
    source = write_csv(tmp_path / "in.csv", rows)
    published.succeed(
        "predict",
        "--input",
        source,
        "--output",
        output,
        "--metric",
        "latency",
        "--metric",
        "memory",
    )
    with output.open(newline="") as handle:
        found = list(csv.DictReader(handle))
    assert [row["colour"] for row in found] == [row["colour"] for row in rows] * 2
    assert [row["metric"] for row in found] == ["latency_ms"] * len(rows) + ["memory_mb"] * len(
        rows
    )
    assert {row["unit"] for row in found} == {"ms", "MB"}
    for row in found:
        assert float(row["p05"]) <= float(row["p50"]) <= float(row["p95"])
        assert row["in_domain"] == "True"


def test_a_prediction_is_near_what_was_measured(published: Commands, tmp_path):
    rows = list(bundled_rows(model_type="vision", status="ok"))[::10]
    output = tmp_path / "out.csv"
    published.succeed(
        "predict", "--input", write_csv(tmp_path / "in.csv", rows), "--output", output
    )
    with output.open(newline="") as handle:
        found = list(csv.DictReader(handle))
    inside = [float(row["p05"]) <= float(row["throughput"]) <= float(row["p95"]) for row in found]
    assert sum(inside) / len(inside) > 0.8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "in.csv: the file is empty"),
        ("model_name,hardware,batch_size\n", "in.csv: the file has a header but no rows"),
        (
            "model_name,hardwear,batch_size\nx,y,1\n",
            "header lacks the required column 'hardware'; did you mean 'hardwear'?",
        ),
        (
            "model_name,hardware,batch_size\nx,y,1\nx,y,-8\n",
            "line 3, column batch_size: expected a whole number of at least 1, got '-8'",
        ),
        ("model_name,hardware,batch_size\nx,y,many\n", "line 2, column batch_size"),
        ("model_name,hardware,batch_size\nx,,1\n", "line 2, column hardware: a value is required"),
        ("model_name,hardware,batch_size\nx,y\n", "line 2: 2 fields where the header has 3"),
    ],
)
def test_bad_configurations_are_named(published: Commands, tmp_path, content, said):
    source = tmp_path / "in.csv"
    source.write_text(content)
    output = tmp_path / "out.csv"
    assert said in published.refused("predict", "--input", source, "--output", output)
    assert not output.exists()


def test_bad_requests_are_named(published: Commands, tmp_path):
    source = write_csv(tmp_path / "in.csv", list(bundled_rows())[:1])
    assert "no such file" in published.refused("predict", "--input", tmp_path / "absent.csv")
    assert "did you mean 'throughput'" in published.refused("integrate", "--metric", "thruput")
    for limits in ([], ["--max-minutes", 60]):
        said = published.refused("integrate", "--metric", "cost", *limits)
        assert "'cost' is worked out from throughput and prices: plan tests of throughput" in said
    assert "did you mean 'latency_ms'" in published.refused(
        "predict", "--input", source, "--metric", "latency_m"
    )
    said = published.refused("predict", "--input", source, "--metric", "power")
    assert "'power_w' was not learned by this build; learned: throughput" in said
    assert "budget" in published.refused("integrate", "--budget", 0)
    assert "No such option" in published.refused("status", "--frobnicate")


def test_bad_builds_are_named(commands: Commands, template, tmp_path):
    assert "no such file or directory" in commands.refused("build", "--raw", tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert "no file (" in commands.refused("build", "--raw", tmp_path / "empty")
    (tmp_path / "empty" / "runs.csv").touch()
    assert "empty/runs.csv: the file is empty" in commands.refused(
        "build", "--raw", tmp_path / "empty"
    )
    assert "budget" in commands.refused("build", "--budget", 0)
    raw = template / "raw"
    assert "unknown metric 'speed'" in commands.refused(
        "build", "--raw", raw, "--objective", "speed"
    )
    (tmp_path / "empty" / "runs.csv").write_text("author,text\nx,y\n")
    assert "empty/runs.csv: not a benchmark table" in commands.refused(
        "build", "--raw", tmp_path / "empty"
    )
    (tmp_path / "empty" / "metrics.csv").write_text("metric,direction\njitter_ms,lowr\n")
    said = commands.refused("build", "--raw", tmp_path / "empty")
    assert (
        "metrics.csv: line 2, column direction: unknown direction 'lowr'; did you mean 'lower'?"
        in said
    )
    (tmp_path / "empty" / "metrics.csv").write_text("metric\njitter_ms\n")
    (tmp_path / "empty" / "prices.csv").write_text("hardware,device_count\nabacus,four\n")
    said = commands.refused("build", "--raw", tmp_path / "empty")
    assert (
        "prices.csv: line 2, column device_count: expected a number of at least 0, got 'four'"
        in said
    )
    assert not (commands.warehouse / "current").exists()


def test_reading_before_the_first_build_says_what_to_do(commands: Commands):
    for request in (["status"], ["integrate"]):
        assert "run `benchmart build` first" in commands.refused(*request)


def test_settings_come_from_file_environment_and_flags_in_this_order(commands: Commands):
    (commands.home / "benchmart.toml").write_text("budget = 0\n")
    assert "budget" in commands.refused("integrate")
    assert "run `benchmart build` first" in commands.refused("integrate", BENCHMART_BUDGET="3")
    assert "got '-1'" in commands.refused("integrate", BENCHMART_BUDGET="-1")
    assert "got -2" in commands.refused("integrate", "--budget", -2, BENCHMART_BUDGET="3")
    (commands.home / "benchmart.toml").write_text("budget = = 5\n")
    assert "benchmart.toml" in commands.refused("integrate")
    (commands.home / "benchmart.toml").write_text("bugdet = 5\n")
    assert "bugdet" in commands.refused("integrate")


@pytest.mark.slow
def test_variables_may_list_directories_and_metrics(small: Commands):
    settings = {"BENCHMART_METRICS": "latency_ms", "BENCHMART_PLAN_DEPTH": "3"}
    small.succeed("build", "--budget", 2, BENCHMART_RAW=str(small.home / "raw"), **settings)
    learned = small.query("select distinct metric from analytics.predictions order by 1")
    assert learned["metric"].tolist() == ["latency_ms", "throughput"]
    assert (
        json.loads(small.succeed("integrate", "--budget", 3).stdout)["final_recommendations"] == 3
    )
    assert "BENCHMART_PLAN_DEPTH=4" in small.refused("integrate", "--budget", 4)
