"""`benchmart measure`: the suite, and real timings where its extra is installed."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from dataclasses import replace

import pytest

from pipelines import plan_file
from pipelines.errors import BenchmartError, InputError
from pipelines.measure import runner, suite
from pipelines.measure.architectures import ARCHITECTURES
from pipelines.measure.cases import CONFIGURED, Case, identity
from pipelines.measure.output import append, described, merge, read, written
from pipelines.measure.planned import FRAMEWORKS, Here, planned
from pipelines.measure.processor import hardware_name
from pipelines.measure.suite import cases_of, quick_suite
from tests.support import BUNDLED, Commands, all_bundled_rows, needs_torch

ENVIRONMENT = ("processor", "threads", "operating_system", "python_version", "torch_version")
ENVIRONMENT += ("transformers_version", "framework_version", "measured_at")


def test_the_quick_suite_is_broad_and_names_each_case_once(monkeypatch):
    cases = list(quick_suite())
    assert len(set(cases)) == len(cases)
    assert len({case.model_name for case in cases}) >= 12
    assert len({case.model.model_type for case in cases}) == 5
    assert {case.threads for case in cases} == {1, 2}
    assert {case.precision for case in cases} == {"fp32", "bf16", "int8"}
    assert {case.framework for case in cases} == set(FRAMEWORKS)
    monkeypatch.setattr(suite, "native_precisions", lambda: ("fp32",))
    assert {case.precision for case in cases_of("quick")} == {"fp32"}
    assert len(cases_of("quick")) < len(cases)
    monkeypatch.setattr(suite, "usable_cores", lambda: [0])
    assert {case.threads for case in cases_of("quick")} == {1}


def test_its_thread_counts_are_those_asked_for(commands: Commands):
    assert {case.threads for case in cases_of("quick", thread_counts=[1])} == {1}
    assert "this machine has" in commands.refused("measure", "--threads", "999")
    asked = ("measure", "--threads", "1")
    assert "the suite contention has its own" in commands.refused(*asked, "--suite", "contention")
    assert "a plan says itself" in commands.refused(*asked, "--plan", "p.json")


def test_the_bundled_measurements_are_those_of_the_suite():
    rows = list(all_bundled_rows())
    statuses = Counter(row["status"] for row in rows)
    assert statuses["ok"] >= 500
    assert statuses["oom"] > 0 and statuses["error"] > 0
    assert all(row["notes"] for row in rows if row["status"] != "ok")
    known = {
        (case.model_name, case.framework, case.precision, str(case.threads), str(case.batch_size))
        for case in quick_suite()
    }
    for row in rows:
        key = ("model_name", "framework", "precision", "threads", "batch_size")
        assert tuple(row[name] for name in key) in known
        assert all(row[name] for name in ENVIRONMENT)
        if row["status"] == "ok":
            assert int(row["repeats"]) >= 7
            assert 0 < float(row["latency_ms"]) <= float(row["latency_p99_ms"])
            assert float(row["memory_mb"]) > 0
    with (BUNDLED / "hardware.csv").open() as handle:
        assert {row["hardware"] for row in csv.DictReader(handle)} == {
            row["hardware"] for row in rows
        }


def test_an_unknown_suite_and_a_foreign_output_are_refused(
    commands: Commands, tmp_path, monkeypatch
):
    assert "did you mean 'quick'" in commands.refused("measure", "--suite", "quik")
    assert "leave out one" in commands.refused("measure", "--suite", "quick", "--plan", "p.json")
    monkeypatch.setattr(runner, "NEEDED", ())
    for foreign in (b"a,b\n1,2\n", b"a,b\n1,2", b'{"recommendations": []}', b"run_id", b"\xff\x00"):
        (tmp_path / "x.csv").write_bytes(foreign)
        if foreign == b"run_id":  # as far as our own header was written
            assert written(tmp_path / "x.csv") == []
            continue
        with pytest.raises(InputError, match="its header is not that of measurements"):
            runner.run_cases(cases_of("quick"), tmp_path / "x.csv")
        assert (tmp_path / "x.csv").read_bytes() == foreign


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "NEEDED", ("no_such_package",))
    with pytest.raises(BenchmartError, match=r"measuring needs no_such_package: pip install"):
        runner.run_cases(cases_of("quick"), tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_half_a_line_of_a_killed_process_is_taken_away(tmp_path):
    output = tmp_path / "x.csv"
    output.touch()
    assert written(output) == []
    append(output, {"model_name": "bert-mini", "batch_size": 4})
    whole = output.read_bytes()
    output.write_bytes(whole + b"2026-11-27,bert-mini,17")
    assert len(written(output)) == 1
    assert output.read_bytes() == whole


def test_facts_are_added_to_and_never_changed(tmp_path):
    path = tmp_path / "new" / "hardware.csv"
    merge(path, [{"hardware": "one", "cores": 1}], ("hardware",))
    merge(
        path, [{"hardware": "one", "cores": 9}, {"hardware": "two", "kind": "cpu"}], ("hardware",)
    )
    assert read(path) == [
        {"hardware": "one", "cores": "1", "kind": ""},
        {"hardware": "two", "cores": "", "kind": "cpu"},
    ]
    for content, fault in (
        (b"\xef\xbb\xbfhardware,cores\none,1\n", None),
        (b"device,cores\none,1\n", "there is no column hardware"),
        (b"hardware,cores\none,1,2\n", "row 1 has more cells than there are columns"),
        (b"\xff\xfe\x00", "no table of text"),
    ):
        path.write_bytes(content)
        if fault is None:
            assert read(path, ("hardware",)) == [{"hardware": "one", "cores": "1"}]
            continue
        with pytest.raises(InputError, match=fault):
            merge(path, [{"hardware": "one", "cores": 9}], ("hardware",))
        assert path.read_bytes() == content


def test_a_plan_is_for_machines_that_can_run_it(tmp_path, monkeypatch):
    here, other = hardware_name(1), "nvidia-h100"
    test = {"model_name": "vit-tiny", "hardware": here, "batch_size": 4, "framework": "pytorch"}
    test |= {"config_id": "c", "image_size": 224}
    plan = tmp_path / "plan.json"
    tests = [
        test | {"config_id": "b", "image_size": 224, "precision": "int8"},
        test
        | {"model_name": "bert-mini", "config_id": "a", "input_length": 16, "image_size": None},
        test | {"hardware": other},
        test | {"model_name": "vit-tinny"},
        test | {"image_size": None},
        test | {"framework": "vllm"},
        test | {"task": "training"},
        test | {"precision": "unstated"},
        test | {"throughput_unit": "samples/s"},
        test | {"model_name": "pythia-14m", "input_length": 16},
    ]
    for number, each in enumerate(tests[2:]):
        each["config_id"] = f"c{number}"
    plan.write_text(json.dumps({"recommendations": tests}))
    found = planned(plan, Here())
    assert list(found.cases.items()) == [
        (Case(ARCHITECTURES["vit-tiny"], "pytorch", "int8", 1, 4, image_size=224), "b"),
        (Case(ARCHITECTURES["bert-mini"], "pytorch", "fp32", 1, 4, input_length=16), "a"),
    ]
    told = "\n".join(found.others)
    assert f"needs {other}; this is {here}" in told
    assert "its image_size is not known" in told
    assert "its output_length is not known" in told
    assert "precision 'unstated'; there are fp32, bf16, fp16, int8" in told
    assert "throughput in samples/s; here it is images/s" in told
    assert "did you mean 'vit-tiny'" in told and "'vllm'" in told and "'training'" in told
    contended = next(case for case in cases_of("contention") if case.beside)
    row = {name: getattr(contended, name) for name in (*CONFIGURED, "hardware", "options")}
    row |= {"config_id": "c", "model_name": contended.model_name}
    tests = [row, row | {"options": "beside the sea", "config_id": "d"}]
    plan.write_text(json.dumps({"recommendations": tests}))
    found = planned(plan, Here())
    assert list(found.cases) == [contended]
    assert "options 'beside the sea'" in found.others[0]
    for content in ("", "[]", '{"recommendations": [7]}'):
        plan.write_text(content)
        with pytest.raises(InputError, match="no plan of this program"):
            planned(plan, Here())


@pytest.mark.parametrize(
    ("stated", "fault"),
    [
        (
            {"batch_size": "4"},
            "test 2 has a batch_size that is no number of 1, 2, 3 and so on: '4'",
        ),
        ({"batch_size": 1.5}, "test 2 has a batch_size that is no number"),
        ({"device_count": 0}, "test 2 has a device_count that is no number"),
        ({"device_count": True}, "test 2 has a device_count that is no number"),
        ({"hardware": []}, r"test 2 has a hardware that is no text: \[\]"),
        ({"precision": 16}, "test 2 has a precision that is no text: 16"),
        ({"model_name": None}, "test 2 has no model_name"),
        ({"config_id": "a"}, "test 2 has the config_id of test 1: 'a'"),
    ],
)
def test_a_test_of_a_plan_is_a_configuration(tmp_path, stated: dict, fault: str):
    test = {"model_name": "bert-mini", "hardware": hardware_name(1), "batch_size": 4}
    tests = [test | {"config_id": "a"}, test | {"config_id": "b"} | stated]
    (tmp_path / "plan.json").write_text(json.dumps({"recommendations": tests}))
    with pytest.raises(InputError, match=fault):
        plan_file.tests_of(tmp_path / "plan.json")


@needs_torch
def test_real_models_are_timed_failures_become_rows_and_a_second_run_adds_nothing(tmp_path):
    bert = Case(ARCHITECTURES["bert-mini"], "pytorch", "fp32", 1, 1, input_length=16)
    vision = Case(ARCHITECTURES["resnet-18"], "onnxruntime", "fp32", 1, 1, image_size=160)
    # its pooling is not OpenVINO's, which returns nothing rather than say so
    silent = Case(ARCHITECTURES["efficientnet-b0"], "openvino", "fp32", 1, 1, image_size=160)
    cases = {
        bert: "7",
        replace(bert, concurrency=2): None,
        replace(bert, beside=vision): None,
        replace(bert, framework="torch.compile"): None,
        Case(ARCHITECTURES["pythia-14m"], "pytorch", "int8", 1, 1, 8, 4): None,
        vision: None,
        replace(vision, framework="openvino", precision="int8"): None,
        replace(vision, framework="pytorch", precision="int8"): None,
        silent: None,
        **{
            replace(vision, framework=framework, batch_size=1_000_000): None
            for framework in ("pytorch", "onnxruntime", "openvino")
        },
    }
    output = tmp_path / "new" / "small.csv"
    summary = runner.run_cases(cases, output, on_event=lambda text: None)
    assert (summary.ok, summary.oom, summary.error) == (7, 3, 2)
    with output.open(newline="") as handle:
        found = {identity(row): row for row in csv.DictReader(handle)}
    rows = {case: found[identity(described(case))] for case in cases}
    assert rows[bert]["config_id"] == "7"
    assert "AvgPool" in rows[silent]["notes"]
    for row in rows.values():
        if row["status"] == "ok":
            latency = float(row["latency_ms"])
            assert float(row["latency_low_ms"]) <= latency <= float(row["latency_high_ms"])
            assert latency <= float(row["latency_p99_ms"])
            assert int(row["executions"]) == 3 and int(row["repeats"]) >= 9
            assert float(row["reference_ms"]) > 0
    generated = rows[Case(ARCHITECTURES["pythia-14m"], "pytorch", "int8", 1, 1, 8, 4)]
    assert float(generated["itl_ms"]) < float(generated["ttft_ms"]) < float(generated["latency_ms"])
    assert generated["throughput_unit"] == "output_tokens/s"
    assert rows[replace(bert, beside=vision)]["options"] == f"beside {vision}"
    before = output.read_bytes()
    again = runner.run_cases(cases, output, on_event=lambda text: None)
    assert (again.known, again.left) == (len(cases), 0)
    assert output.read_bytes() == before


@needs_torch
def test_what_was_killed_goes_on_without_loss_or_repetition(commands: Commands, tmp_path):
    test = {"hardware": hardware_name(1), "batch_size": 1, "precision": "fp32"}
    tests = [
        test
        | {"model_name": name, "framework": framework, "config_id": f"{name} {framework}"}
        | size
        for name, size in (("bert-mini", {"input_length": 16}), ("vit-tiny", {"image_size": 224}))
        for framework in ("pytorch", "onnxruntime")
    ]
    plan, output = tmp_path / "plan.json", tmp_path / "results.csv"
    plan.write_text(json.dumps({"recommendations": tests}))
    arguments = ("measure", "--plan", plan, "--output", output)
    process = commands.start(*arguments)
    while not output.exists() or output.read_bytes().count(b"\n") < 2:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.kill()
    process.communicate()
    survived = output.read_bytes()
    commands.succeed(*arguments)
    assert output.read_bytes().startswith(survived.rpartition(b"\n")[0])
    with output.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["status"] for row in rows} == {"ok"}
    measured = [row["config_id"] for row in rows]
    assert sorted(measured) == sorted(test["config_id"] for test in tests)
