"""Every kind of problem found in public tables, each with a row that has it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect
from pipelines.stages import build_marts, land_files
from tests.dbt.published_tables import write_tables

PROBLEMS = {
    "a column means something else for one framework": (
        "framework, metrics['throughput'], throughput_unit",
        "source = 'llm_inference_bench' and batch_size = 16",
        [("llama.cpp", 183.362661, "tokens/s/sequence"), ("vllm", 1308.077637, "tokens/s")],
    ),
    "a unit that is not stated": (
        "metrics['power_w']",
        "source = 'llm_inference_bench' and metrics['power_w'] > 0",
        [(292.97344,)],
    ),
    "units that a release leaves out": (
        "metrics['latency_ms'], metrics['profiled_memory_mb']",
        "source = 'qualcomm_ai_hub' and hardware = 'qualcomm-snapdragon-8-gen-2'",
        [(5.645, 2.454832)],
    ),
    "a unit that depends on the scenario": (
        "task, metrics['system_power_w'], metrics['system_energy_j']",
        "map_contains(metrics, 'system_power_w') or map_contains(metrics, 'system_energy_j')",
        [("server at 99.9% accuracy", 6000.0, None), ("singlestream", None, 0.04625)],
    ),
    "a unit that differs from row to row": (
        "model_name, metrics['latency_p90_ms']",
        "task = 'singlestream'",
        [("resnet50", 1.52), ("retinanet-resnext50", 12.5)],
    ),
    "total, output and per-device tokens": (
        "throughput_unit, metrics['throughput']",
        "model_name = 'b' and device_count = 4",
        [("output_tokens/s", 100.0), ("tokens/s", 200.0)],
    ),
    "zero for a missing value": (
        "metrics",
        "model_name = 'b' and batch_size = 4",
        [({"latency_ms": 12.0},)],
    ),
    "a value that was rounded away": (
        "round(metrics['throughput'], 5)",
        "model_name = 'vit_huge'",
        [(0.04701,)],
    ),
    "spellings of nothing, and a run out of memory": (
        "status, metrics",
        "model_name = 'b' and batch_size = 8",
        [("oom", {})],
    ),
    "the string null and a skipped job": (
        "status, rule",
        "status = 'skipped'",
        [("skipped", "unknown_status")],
    ),
    "keys in the name of a file": (
        "hardware, framework, framework_version, precision, options",
        "model_name = 'test_vit' and metrics['throughput'] > 255000",
        [("nvidia-rtx-4090-24gb", "pytorch", "2.9.1", "amp", "layout=nchw")],
    ),
    "keys in the name of a file of another table": (
        "hardware, task, metrics['latency_ms']",
        "model_name = 'lmsys/vicuna-7B'",
        [("nvidia-a40-48gb", "chat-concise", 9132.098360456242)],
    ),
    "a unit in a heading": (
        "throughput_unit, metrics['throughput']",
        "model_name = 'yolov5s' and hardware = 'rockchip-rk3588-1-core'",
        [("frames/s", 48.4)],
    ),
    "keys in free text": (
        "device_count, options",
        "model_name = 'gpt3-23b'",
        [(512, "tp=8 dp=32 pp=4")],
    ),
    "two names of one device": (
        "hardware",
        "published_hardware in ('4090', 'rtx4090', 'Intel PVC GPU', 'Intel Max 1550')",
        [("intel-max-1550-128gb",)] * 2 + [("nvidia-rtx-4090-24gb",)] * 2,
    ),
    "a name inside another name": (
        "hardware, hardware_known",
        "published_hardware in ('T4', 'T40XP') and model_name = 'a'",
        [("nvidia-t4-16gb", True), ("t40xp", False)],
    ),
    "names of three devices that are nearly one": (
        "hardware",
        "published_hardware ilike '%RTX%6000%'",
        [("nvidia-rtx-pro-6000-blackwell-server-96gb",), ("rtx 6000",), ("rtx 6000 ada",)],
    ),
    "a device of two memory sizes": (
        "hardware, memory_gb",
        "published_hardware ilike '%a100%' and model_name = 'a'",
        [("nvidia-a100", None), ("nvidia-a100-40gb", 40.0), ("nvidia-a100-80gb", 80.0)],
    ),
    "a virtual device": (
        "hardware",
        "published_hardware ilike 'virtualized%'",
        [("nvidia-h200-sxm-141gb-virtualized",)],
    ),
    "device counts inside a name": (
        "device_count, hardware",
        "published_hardware like '%MI300X%'",
        [(48, "amd instinct mi300x 192gb hbm3, amd instinct mi325x 256gb hbm3e")],
    ),
    "device counts that contradict each other": (
        "rule, reason",
        "published_hardware like '%MI355X%'",
        [("contradictory_devices", "88 devices by count, 87 by name")],
    ),
    "a processor instead of an accelerator": (
        "hardware, device_count",
        "published_hardware like '%EPYC%'",
        [("amd epyc 9374f", 2)],
    ),
    "spellings of a precision": (
        "distinct precision",
        "model_name = 'a'",
        [("fp16",)],
    ),
    "several precisions in a dictionary": (
        "precision",
        "model_name = 'retinanet-resnext50'",
        [("mixed",)],
    ),
    "another precision in a cell": (
        "precision, metrics['throughput']",
        "model_name = 'lprnet' and hardware = 'rockchip-rv1109'",
        [("int8", 30.6)],
    ),
    "two devices under one header": (
        "distinct hardware",
        "published_hardware like '%3566%'",
        [("rockchip-rk3566-rk3568",)],
    ),
    "a misspelt header": (
        "verdict, metrics['throughput']",
        "file like '%summary.csv'",
        [("accepted", 39712.2)],
    ),
    "a byte order mark, an empty header and trailing blanks": (
        "notes",
        "file like '%native.csv' and notes is not null",
        [("non-breaking hyphens",)],
    ),
    "non-breaking hyphens": (
        "hardware",
        "notes = 'non-breaking hyphens'",
        [("nvidia-a100-40gb",)],
    ),
    "a value with its unit": (
        "metrics['latency_ms']",
        "model_name = 'b' and batch_size = 32",
        [(12.5,)],
    ),
    "thousands commas and bold marks": (
        "metrics['throughput']",
        "model_name = 'b' and batch_size = 2 or model_name = 'yolov5s' and hardware like '%3566%'",
        [(19.3,), (1234.5,)],
    ),
    "a blank that means as above": (
        "distinct payload['demo']",
        None,
        [("LPRNet",), ("whisper",), ("yolov5",)],
    ),
    "a platform that cannot run the model": (
        "status, notes",
        "model_name = 'yolov5m' and hardware = 'rockchip-rv1109'",
        [("error", "not supported")],
    ),
    "another quantity in the same column": (
        "metrics",
        "model_name = 'whisper_base_20s' and hardware = 'rockchip-rk3588-1-core'",
        [({"real_time_factor": 0.215},)],
    ),
    "a mapping where the other files have a list": (
        "model_name, metrics",
        "hardware = 'qualcomm-snapdragon-8-elite'",
        [("indus_1b_quantized", {"throughput": 74.6, "ttft_ms": 28.561})],
    ),
    "types that drift between releases": (
        "distinct device_count",
        "published_hardware = 'NVIDIA H200-SXM-141GB' and task like '%99.9%'",
        [(8,)],
    ),
    "the same row in two tables": (
        "verdict",
        "model_name = 'albert-base-v2'",
        [("accepted",), ("duplicate",)],
    ),
    "the same result for two goals": (
        "task, verdict",
        "published_hardware = 'NVIDIA H200-SXM-141GB' and task like 'offline%'",
        [("offline", "duplicate"), ("offline at 99.9% accuracy", "accepted")],
    ),
    "repeats that differ": (
        "verdict, metrics['throughput']",
        "hardware = 'intel-max-1550-128gb'",
        [("accepted", 101.3861), ("accepted", 101.8905)],
    ),
    "faster than physics": (
        "rule",
        "source = 'llm_inference_bench' and metrics['throughput'] > 100000",
        [("beats_roofline",)],
    ),
    "a silent fallback to the processor": (
        "rule, reason",
        "ran_on = 'cpu'",
        [("silent_fallback", "ran on the CPU of an npu")],
    ),
    "simulated rows": (
        "rule, reason",
        "simulated is not null",
        [("simulated", "simulated: no such device here")],
    ),
    "a failed run of the framework": (
        "status, verdict",
        "source = 'benchmark_framework' and batch_size = 64",
        [("error", "accepted")],
    ),
    "other metrics in JSON": (
        "metrics['power_w'], hardware, parameters_million",
        "source = 'benchmark_framework' and verdict = 'accepted' and status = 'ok'",
        [(71.5, "nvidia-l4-24gb", 4.4)],
    ),
    "a number that cannot be read": (
        "rule, reason, line",
        "model_name = 'b' and batch_size = 16",
        [("unreadable", "throughput is not a number: fast", 15)],
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> tuple[Dbt, int]:
    """The marts of the published tables, and how many unit tests of the dbt project passed on them."""
    root = tmp_path_factory.mktemp("quirks")
    write_tables(root / "raw")
    dbt = Dbt(root, parsed)
    land_files(dbt, find_files([root / "raw"]), Reporter(quiet=True))
    build_marts(dbt, Reporter(quiet=True))
    results = dbt.invoke("test", "--select", "test_type:unit")
    dbt.invoke("source", "freshness")
    return dbt, len(list(results))


@pytest.fixture(scope="module")
def con(built: tuple[Dbt, int]) -> duckdb.DuckDBPyConnection:
    with connect(built[0].database, read_only=True) as con:
        yield con


@pytest.mark.parametrize("problem", PROBLEMS)
def test_published_tables_are_read_as_they_are_meant(con, problem):
    columns, where, expected = PROBLEMS[problem]
    table = "intermediate.int_runs__judged" if where else "raw.rknn_model_zoo"
    found = con.sql(
        f"select {columns} from {table} where {where or 'true'} order by all"
    ).fetchall()
    assert sorted(map(str, found)) == sorted(map(str, expected))


def test_every_row_is_accounted_for(con):
    unbalanced = con.sql(
        "select file, runs_read, judged.rows from raw.files full join ("
        "   select file, count(*) as rows from intermediate.int_runs__judged group by file"
        " ) as judged using (file) where runs_read is distinct from judged.rows"
    ).fetchall()
    assert unbalanced == []


def test_what_leaks_the_answer_is_no_feature(con):
    names = [row[0] for row in con.sql("describe features.training_features").fetchall()]
    assert "throughput" in names
    assert not {"MFU[%]", "mfu", "ttft_share", "ran_on", "submitter", "notes"} & set(names)


def test_the_sql_of_staging_and_rules_does_what_it_says(built):
    """The unit tests of the dbt project, on real rows."""
    assert built[1] >= 15
