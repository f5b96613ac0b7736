"""From landing to features: a small raw directory of every format, every quirk on purpose."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_py.measured import newest_measurements
from models_py.plan import COUNTS
from pipelines.configurations import TEXTS, describe
from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect, measured_frame, training_frame
from pipelines.stages import build_marts, land_files

NATIVE = """\
model_name,model_type,hardware,framework,precision,batch_size,input_length,throughput,latency_ms,jitter_ms,status,notes
tiny,text_embedding,Abacus,vllm,fp16,1,64,90,11.1,0.5,,
tiny,text_embedding,Abacus,vllm,fp16,1,64,90,11.1,,,the same with a column less
tiny,text_embedding,Abacus,vllm,fp16,1,64,91,11.0,,,a repeat that differs
tiny,text_embedding,Abacus,vllm,fp16,4,64,200,20,,,
tiny,text_embedding,Abacus,vllm,fp16,16,64,,,,oom,
tiny,text_embedding,sextant,vllm,fp16,4,64,,,,error,unsupported operator
tiny,text_embedding,sextant,other,fp16,1,64,80,12.5,,,
other,text_embedding,sextant,vllm,fp16,32,64,70,457,,,
other,text_embedding,abacus,vllm,fp16,16,64,80,200,,,
tiny,text_embedding,abacus,vllm,fp16,-4,64,80,12,,,
tiny,text_embedding,abacus,vllm,fp16,2.5,64,80,12,,,
tiny,text_embedding,abacus,vllm,fp16,8,64,fast,12,,,
tiny,text_embedding,abacus,vllm,fp16,8,64,,,,,
tiny,text_embedding,abacus,vllm,fp16,8,64,0,400,,,
tiny,text_embedding,abacus,vllm,fp16,8,64,80,12,,crashed,
tiny,text_embedding,abacus,vllm,fp16,8,64,90000000,0.0000889,,,
,text_embedding,abacus,vllm,fp16,8,64,80,12,,,
tiny,text_embedding,abacus,vllm,fp16,8
tiny,text_embedding,sextant,other,fp16,32,64,200,160,,,
other,text_embedding,sextant,other,fp16,2,64,50,40,,,
other,text_embedding,sextant,vllm,bfloat16,2,64,50,N/A,-,,
other,text_embedding,sextant,vllm,fp16,2,64,0,,,,
"""
POWER = """\
model_name,model_type,hardware,batch_size,concurrency,latency_ms,power_w,energy_j
warm,vision,abacus,1,1,50,50,
warm,vision,abacus,2,1,60,50,3
warm,vision,abacus,1,4,50,50,
"""
# common: every batch by three versions; uncommon: two batches by one
NIGHTLY = """\
model_name,model_type,hardware,framework,framework_version,batch_size,throughput,memory_mb
nightly,vision,common,vllm,2.10,1,100,
nightly,vision,common,vllm,2.10,1,400,
nightly,vision,common,vllm,2.9,1,50,
nightly,vision,common,vllm,2.9,1,,700
nightly,vision,common,vllm,2.8,1,40,
nightly,vision,common,vllm,2.10,2,110,
nightly,vision,common,vllm,2.9,2,60,
nightly,vision,common,vllm,2.8,2,50,
nightly,vision,common,vllm,,4,70,
nightly,vision,common,vllm,2.8,4,60,
nightly,vision,uncommon,vllm,2.8,1,10,
nightly,vision,uncommon,vllm,2.8,2,20,
"""
JSONL = """\
{"model_name": "tiny", "model_type": "text_embedding", "hardware": "RTX 4090", "framework": "vllm", \
"precision": "fp16", "batch_size": 2, "input_length": 64, "throughput": 500}
"""
HARDWARE = """\
hardware,kind,memory_gb,memory_bandwidth_gbs,fp16_tflops
Abacus,cpu,8,20,1
sextant,cpu,8,20,1
"""
MODELS = """\
model_name,model_type,parameters_million,layers,hidden_size,heads
tiny,text_embedding,30,4,256,4
"""
METRICS = "metric,unit,direction,description\njitter_ms,ms,lower,How unsteady it was\n"
CANDIDATES = """\
model_name,hardware,batch_size,input_length,precision,cost_minutes
newcomer,abacus,1,64,fp16,7
"""
LLM = """\
Hardware,Num of Hardware,Framework,Model,Input Output Length,Batch Size,Latency,Throughput
Nvidia A100 GPU,1,vLLM,meta-llama/Llama-2-7b-hf,1024,1,13.976857989095151,146.5279250599716
Nvidia A100 GPU,1,vLLM,meta-llama/Llama-2-7b-hf,1024,1,0.0139,146527.9
"""


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> duckdb.DuckDBPyConnection:
    root = tmp_path_factory.mktemp("marts")
    raw = root / "raw"
    raw.mkdir()
    for name, content in {
        "runs.csv": NATIVE,
        "more.jsonl": JSONL,
        "power.csv": POWER,
        "nightly.csv": NIGHTLY,
        "hardware.csv": HARDWARE,
        "models.csv": MODELS,
        "metrics.csv": METRICS,
        "candidates.csv": CANDIDATES,
        "published.csv": LLM,
    }.items():
        (raw / name).write_text(content, encoding="utf-8")
    dbt = Dbt(root, parsed)
    land_files(dbt, find_files([raw]), Reporter(quiet=True))
    build_marts(dbt, Reporter(quiet=True))
    with connect(dbt.database, read_only=True) as con:
        yield con


def _values(marts: duckdb.DuckDBPyConnection, sql: str) -> list[tuple]:
    return marts.sql(sql).fetchall()


def test_every_row_gets_one_verdict(marts):
    counts = _values(
        marts,
        "select file, runs_read, (select count(*) from intermediate.int_runs__judged as judged"
        " where judged.file = files.file) from raw.files as files"
        " where runs_read > 0",
    )
    assert len(counts) == 5
    assert all(read == judged for _, read, judged in counts)


def test_bad_rows_are_rejected_with_line_rule_and_reason(marts):
    rejected = _values(
        marts,
        "select file.parse_filename(), line, rule, reason from intermediate.int_runs__judged"
        " where verdict = 'rejected' order by all",
    )
    expected = [
        ("published.csv", 3, "beats_roofline", "throughput 1.465e+05 is"),
        ("runs.csv", 11, "out_of_range", "batch_size must be at least 1, got -4"),
        ("runs.csv", 12, "unreadable", "batch_size is not a whole number: 2.5"),
        ("runs.csv", 13, "unreadable", "throughput is not a number: fast"),
        ("runs.csv", 14, "no_metric", "no metric has a value"),
        ("runs.csv", 16, "unknown_status", "status must be ok, oom or error, got crashed"),
        ("runs.csv", 17, "beats_roofline", "throughput 9e+07 is"),
        ("runs.csv", 18, "missing_required", "model_name is empty"),
        ("runs.csv", 19, "unreadable", "6 fields where the header has 12"),
        ("runs.csv", 23, "zero_means_missing", "throughput: zero stands for a missing value"),
    ]
    assert [row[:3] for row in rejected] == [row[:3] for row in expected]
    for found, wanted in zip(rejected, expected, strict=True):
        assert found[3].startswith(wanted[3])


def test_contained_rows_are_duplicates_and_repeats_are_kept(marts):
    found = _values(
        marts,
        "select line, verdict from intermediate.int_runs__judged"
        " where file like '%runs.csv' and line between 2 and 4 order by line",
    )
    assert found == [(2, "accepted"), (3, "duplicate"), (4, "accepted")]


def test_spellings_of_nothing_of_devices_and_of_precisions(marts):
    assert _values(
        marts,
        "select precision, latency_ms, jitter_ms from features.training_features"
        " where model_name = 'other' and framework = 'vllm' and batch_size = 2",
    ) == [("bf16", None, None)]
    assert _values(
        marts, "select distinct hardware from core.runs where file like '%runs.csv' order by all"
    ) == [("abacus",), ("sextant",)]


def test_metrics_and_devices_are_data(marts):
    assert _values(
        marts,
        "select max(jitter_ms), max(latency_ms) filter (batch_size = 4) from features.training_features",
    ) == [(0.5, 20.0)]
    aliased = "select distinct hardware from core.runs where file like '%more.jsonl'"
    assert _values(marts, aliased) == [("nvidia-rtx-4090-24gb",)]


def test_energy_is_worked_out_from_power_and_latency_of_one_batch(marts):
    found = _values(
        marts,
        "select concurrency, energy_j from features.training_features"
        " where model_name = 'warm' order by concurrency, energy_j",
    )
    assert found == [(1, 2.5), (1, 3.0), (4, None)]


def test_failed_runs_are_outcomes_and_teach_no_metric(marts):
    found = _values(
        marts,
        "select outcome, ran, batch_size from features.feasibility_features"
        " where model_name = 'tiny' and not ran order by all",
    )
    assert found == [("error", False, 4), ("oom", False, 16)]
    both = _values(
        marts,
        "select (select count(distinct config_id) from features.training_features),"
        " (select count(*) filter (ran) from features.feasibility_features)",
    )
    assert both[0][0] == both[0][1] > 0


def test_a_sample_takes_turns_between_devices_and_the_newest_run_of_each_configuration_first(marts):
    rows = _values(
        marts,
        "select hardware, batch_size, framework_version from features.training_features"
        " where model_name = 'nightly' and throughput is not null order by sample_rank",
    )
    common = [row[1:] for row in rows if row[0] == "common"]
    turns = [set(common[:3]), set(common[3:6]), set(common[6:8]), set(common[8:])]
    assert turns == [
        {(1, "2.10"), (2, "2.10"), (4, "2.8")},
        {(1, "2.10"), (2, "2.9"), (4, None)},
        {(1, "2.9"), (2, "2.8")},
        {(1, "2.8")},
    ]
    assert sum(row[0] == "uncommon" for row in rows[:4]) == 2


def test_models_learn_from_as_many_rows_as_they_are_told(marts):
    every = training_frame(marts, sys.maxsize)
    assert len(every) == marts.table("features.training_features").count("*").fetchall()[0][0]
    sample = training_frame(marts, 7)
    first = every.nsmallest(7, "sample_rank")["measurement_id"]
    assert sorted(sample["measurement_id"]) == sorted(first)
    assert sample[
        "measurement_id"
    ].is_monotonic_increasing  # whatever is drawn does not depend on it


def test_a_configuration_is_known_by_the_newest_version_that_measured_a_metric(marts):
    found = _values(
        marts,
        "select batch_size, framework_version, throughput, memory_mb"
        " from features.measured_configurations"
        " where model_name = 'nightly' and hardware = 'common' order by batch_size",
    )
    expected = [(1, "2.10", 200.0, 700.0), (2, "2.10", 110.0, None), (4, "2.8", 60.0, None)]
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        assert row[2:] == pytest.approx(wanted[2:])


@pytest.mark.parametrize("metric", ["throughput", "latency_ms", "memory_mb", "jitter_ms"])
def test_the_mart_and_the_library_agree_on_what_was_measured(marts, metric):
    in_sql = newest_measurements(measured_frame(marts), metric).set_index("config_id")
    in_python = newest_measurements(training_frame(marts, sys.maxsize), metric).set_index(
        "config_id"
    )
    assert len(in_python)
    values = in_sql["measured_value"].reindex(in_python.index)
    assert len(in_sql) == len(in_python)
    np.testing.assert_allclose(values, in_python["measured_value"], rtol=1e-12)


def test_units_and_defaults_of_the_native_format(marts):
    assert _values(
        marts,
        "select distinct throughput_unit, device_count, concurrency, task from core.runs"
        " where file like '%runs.csv'",
    ) == [("samples/s", 1, 1, "inference")]


def test_candidates_are_what_could_be_run_next(marts):
    found = set(
        _values(
            marts,
            "select model_name, hardware, framework, batch_size from features.candidate_features",
        )
    )
    both = (
        "select count(*) from features.candidate_features"
        " where config_id in (select config_id from core.runs)"
    )
    assert found
    assert _values(marts, both) == [(0,)]
    # declared in candidates.csv
    assert ("newcomer", "abacus", "unstated", 1) in found
    # ran elsewhere, so it may run here
    assert ("tiny", "sextant", "other", 4) in found
    # an error and never a success on this platform
    assert not any(row[:3] == ("tiny", "sextant", "vllm") for row in found)
    # 16 did not fit, so what is as large is not proposed
    assert ("tiny", "abacus", "vllm", 2) in found
    assert not any(row[:3] == ("tiny", "abacus", "vllm") and row[3] >= 16 for row in found)


def test_published_macro_describes_as_the_mart_does(marts):
    names = (
        "model_name, model_type, task, hardware, framework, framework_version, precision, options,"
        " throughput_unit, batch_size, device_count, concurrency, input_length, output_length,"
        " image_size"
    )
    stored = marts.sql(
        f"select {names}, config_id, bound_throughput, roofline_seconds"
        " from features.training_features where model_name = 'tiny' order by config_id, throughput"
    ).df()
    asked = stored.drop(columns=["config_id", "bound_throughput", "roofline_seconds"])
    described = describe(marts, asked)
    for name in ("config_id", "bound_throughput", "roofline_seconds"):
        assert described[name].tolist() == stored[name].tolist()


def test_raw_tables_hold_the_rows_as_published(marts):
    query = "select payload from raw.benchmart_runs where line = 16"
    [(payload,)] = _values(marts, query)
    assert payload["status"] == "crashed"
    assert payload["batch_size"] == "8"


def _bounds(marts: duckdb.DuckDBPyConnection, **configuration: object) -> dict:
    names = [*TEXTS, *COUNTS]
    asked = pd.DataFrame([{name: configuration.get(name) for name in names}])
    asked = asked.astype(dict.fromkeys(TEXTS, "string") | dict.fromkeys(COUNTS, "Int64"))
    return describe(marts, asked).iloc[0].to_dict()


def test_roofline_of_a_dense_decoder_by_hand(marts):
    # Llama-2-7b: 6738 M parameters, of which 131 M embed and 131.072 M are the head
    found = _bounds(
        marts,
        model_name="meta-llama/Llama-2-7b-hf",
        hardware="A100 40GB",
        precision="float16",
        batch_size=2,
        input_length=1000,
        output_length=101,
    )
    prompt = 2 * (2 * (6475.928e6 * 1000 + 131.072e6) + 2 * 32 * 4096 * 1000**2) / 312e12
    cache_per_token = 2 * 32 * 4096 * 2
    step = (2 * 6607e6 + 2 * cache_per_token * 1050.5) / 1555e9
    assert found["bound_ttft_ms"] == pytest.approx(1000 * prompt)
    assert found["bound_itl_ms"] == pytest.approx(1000 * step)
    assert found["bound_latency_ms"] == pytest.approx(1000 * (prompt + 100 * step))
    assert found["bound_throughput"] == pytest.approx(2 * 1101 / (prompt + 100 * step))
    assert found["bound_memory_mb"] == pytest.approx((2 * 6738e6 + cache_per_token * 1101) / 1e6)
    assert found["fits_in_memory"]


def test_roofline_knows_what_it_does_not_know(marts):
    experts = _bounds(
        marts,
        model_name="mistralai/Mixtral-8x7B-v0.1",
        hardware="nvidia_h100_80gb",
        batch_size=1,
        input_length=1,
        output_length=2,
        precision="fp16",
    )
    # a single token meets 2 of 8 experts: the active share of the weights
    assert experts["bound_itl_ms"] == pytest.approx(
        1000 * 2 * 46572e6 * 12880 / 46703 / 3350e9, rel=1e-3
    )
    known = {"model_name": "tiny", "batch_size": 1, "input_length": 64}
    stranger = _bounds(marts, hardware="unheard-of", **known)
    assert math.isnan(stranger["bound_throughput"]) and stranger["fits_in_memory"]
    odd_unit = _bounds(marts, hardware="abacus", throughput_unit="pages/min", **known)
    assert math.isnan(odd_unit["bound_throughput"]) and odd_unit["bound_latency_ms"] > 0
    # batches in flight share memory traffic, not arithmetic
    one, many = (
        _bounds(
            marts,
            model_name="tiny",
            hardware="abacus",
            batch_size=1,
            input_length=1,
            concurrency=count,
            precision="fp16",
        )["bound_throughput"]
        for count in (1, 100_000)
    )
    assert one == pytest.approx(20e9 / (2 * 30e6))
    assert many == pytest.approx(1e12 / (2 * 30e6 + 4 * 4 * 256))
