"""`benchmart measure`: the suite, and real timings where its extra is installed."""

from __future__ import annotations

import csv
import importlib.util
from collections import Counter

import pytest

from pipelines.errors import BenchmartError, InputError
from pipelines.measure import architectures, runner
from pipelines.measure.suite import Case, quick_suite
from pipelines.measure.timing import MINIMUM_REPEATS, WARM_UP, time_repeats
from tests.support import BUNDLED, Commands, bundled_rows

INSTALLED = all(importlib.util.find_spec(name) for name in runner.NEEDED)
needs_torch = pytest.mark.skipif(not INSTALLED, reason="the extra `measure` is not installed")


def test_the_quick_suite_is_broad_and_names_each_case_once():
    cases = list(quick_suite())
    known = architectures.ARCHITECTURES
    assert len(set(cases)) == len(cases)
    assert len({case.model_name for case in cases}) >= 12
    assert len({known[case.model_name].model_type for case in cases}) == 5
    assert {case.threads for case in cases} == {1, 2}
    assert {case.precision for case in cases} == {"fp32", "bf16", "int8"}
    assert {case.framework for case in cases} == {"pytorch", "onnxruntime", "torch.compile"}


def test_the_bundled_measurements_are_those_of_the_suite():
    rows = list(bundled_rows())
    statuses = Counter(row["status"] for row in rows)
    assert statuses["ok"] >= 500
    assert statuses["oom"] > 0 and statuses["error"] > 0
    assert all(row["notes"] for row in rows if row["status"] != "ok")
    suite = {
        (case.model_name, case.framework, case.precision, str(case.threads), str(case.batch_size))
        for case in quick_suite()
    }
    for row in rows:
        key = ("model_name", "framework", "precision", "threads", "batch_size")
        assert tuple(row[name] for name in key) in suite
        if row["status"] == "ok":
            assert int(row["repeats"]) >= MINIMUM_REPEATS
            assert 0 < float(row["latency_ms"]) <= float(row["latency_p99_ms"])
            assert float(row["memory_mb"]) > 0
    with (BUNDLED / "hardware.csv").open() as handle:
        assert {row["hardware"] for row in csv.DictReader(handle)} == {
            row["hardware"] for row in rows
        }


def test_repeats_follow_a_warm_up():
    calls = []

    def run() -> tuple[float, ...]:
        import time

        calls.append(time.perf_counter())
        time.sleep(0.1)
        return (time.perf_counter(),)

    repeats = time_repeats(run)
    assert len(repeats) == MINIMUM_REPEATS
    assert len(calls) == MINIMUM_REPEATS + WARM_UP
    assert all(0.1 <= repeat.marks[0] < 1 for repeat in repeats)


def test_an_unknown_suite_and_a_foreign_output_are_refused(
    commands: Commands, tmp_path, monkeypatch
):
    assert "did you mean 'quick'" in commands.refused("measure", "--suite", "quik")
    monkeypatch.setattr(runner, "NEEDED", ())
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="its header is not that of measurements"):
        runner.run_suite("quick", tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "a,b\n1,2\n"


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "NEEDED", ("no_such_package",))
    with pytest.raises(BenchmartError, match=r"measuring needs no_such_package: pip install"):
        runner.run_suite("quick", tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


@needs_torch
def test_real_models_are_timed_failures_become_rows_and_a_second_run_adds_nothing(
    tmp_path, monkeypatch
):
    cases = [
        Case("bert-mini", "pytorch", "fp32", 1, 1, input_length=16),
        Case("pythia-14m", "pytorch", "int8", 1, 1, input_length=8, output_length=4),
        Case("resnet-18", "onnxruntime", "fp32", 1, 1, image_size=160),
        Case("resnet-18", "pytorch", "int8", 1, 1, image_size=160),
        Case("resnet-18", "pytorch", "fp32", 1, 1_000_000, image_size=224),
    ]
    monkeypatch.setitem(runner.SUITES, "small", lambda: iter(cases))
    output = tmp_path / "small.csv"
    summary = runner.run_suite("small", output, on_event=lambda text: None)
    assert (summary.ok, summary.oom, summary.error) == (3, 1, 1)
    with output.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "error", "oom"]
    generated = rows[1]
    assert float(generated["ttft_ms"]) < float(generated["latency_ms"])
    assert generated["throughput_unit"] == "output_tokens/s"
    before = output.read_bytes()
    assert runner.run_suite("small", output, on_event=lambda text: None).known == len(cases)
    assert output.read_bytes() == before
