"""Accelerators: what is said of them without one, and real timings where there is one."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import time
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from pipelines.errors import InputError
from pipelines.measure.accelerators import Accelerator, warehouse_name
from pipelines.measure.architectures import ARCHITECTURES, LARGE
from pipelines.measure.cases import Case
from pipelines.measure.output import COLUMNS, described, read
from pipelines.measure.planned import Here, planned
from pipelines.measure.power import Meter, Power
from pipelines.measure.processes import Processes
from pipelines.measure.results import Execution, result_columns
from pipelines.measure.runner import accelerator_here, run_cases
from pipelines.measure.stopwatch import Stopwatch
from pipelines.measure.suite import cases_of
from pipelines.measure.timing import Repeat
from tests.support import Commands, needs_torch

H100 = Accelerator("nvidia-h100-80gb", "cuda", 85.0, ("fp32", "tf32", "bf16", "fp16"))


def has_accelerator() -> bool:
    if not importlib.util.find_spec("torch"):
        return False
    import torch

    return torch.accelerator.is_available()


needs_accelerator = pytest.mark.skipif(
    not has_accelerator(), reason="PyTorch finds no accelerator on this machine"
)


def test_a_plan_is_for_the_accelerator_too():
    test = {"model_name": "bert-base", "hardware": H100.name, "batch_size": 8, "input_length": 128}
    test |= {"framework": "pytorch", "precision": "bf16"}
    assert "there are fp32, tf32, bf16, fp16" in Here(H100).why_not(test | {"precision": "int8"})
    assert Here().why_not(test).startswith(f"needs {H100.name}; this is ")
    here = Here(H100)
    assert here.why_not(test) is None
    case = here.case_of(test)
    assert (case.device, case.hardware, case.threads) == ("cuda", H100.name, 1)
    assert "there are pytorch, torch.compile" in here.why_not(test | {"framework": "onnxruntime"})
    # the processor is still there
    on_processor = test | {"hardware": next(iter(here.platforms)), "framework": "onnxruntime"}
    assert here.why_not(on_processor) is None
    assert here.case_of(on_processor).device == "cpu"


def test_an_accelerator_is_looked_for_where_a_plan_needs_one(tmp_path):
    asked, plan = [], tmp_path / "plan.json"
    test = {"model_name": "bert-base", "batch_size": 8, "input_length": 128}
    test |= {"framework": "pytorch", "precision": "fp32", "config_id": "a"}

    def found(hardware: str) -> list[Case]:
        plan.write_text(json.dumps({"recommendations": [test | {"hardware": hardware}]}))
        return list(planned(plan, Here(), lambda: asked.append(hardware) or H100).cases)

    assert [case.device for case in found(next(iter(Here().platforms)))] == ["cpu"]
    assert asked == []
    assert [case.device for case in found(H100.name)] == ["cuda"]
    assert asked == [H100.name]


@needs_torch
def test_a_row_says_what_it_ran_on():
    case = Case(ARCHITECTURES["bert-mini"], "pytorch", "bf16", 1, 4, 16, accelerator=H100)
    row = described(case)
    assert row["hardware"] == H100.name
    assert row["processor"] == described(replace(case, accelerator=None))["processor"]
    power = Power(watts=300.0, joules=0.5)
    one = Execution([Repeat((0.01,), False)] * 3, None, 900.0, 0.0, 0.001, 400.0, power, "heat")
    row |= result_columns(case, [one, one, one._replace(slowed_by="")])
    assert (row["power_w"], row["energy_j"], row["slowed_by"]) == (300.0, 0.5, "heat")
    assert (row["memory_mb"], row["host_memory_mb"]) == (900.0, 400.0)
    assert set(row) <= set(COLUMNS)
    together = one._replace(repeats=[Repeat((0.01,), None)] * 3, power=None)
    unknown = result_columns(case, [one, one, together])
    assert (row["interrupted_repeats"], unknown["interrupted_repeats"]) == (0, None)
    assert "power_w" not in unknown and "energy_j" not in unknown


def test_its_suite_is_of_its_precisions_and_larger_than_a_processor_is_asked():
    cases = list(cases_of("accelerator", accelerator=H100))
    assert {case.precision for case in cases} == set(H100.precisions)
    assert {case.model.model_type for case in cases} >= {
        *("text_generation", "text_embedding", "vision", "audio"),
    }
    assert {case.model_name for case in cases} == set(LARGE)
    assert not {case.model_name for case in cases_of("quick")} & set(LARGE)
    with pytest.raises(InputError, match="finds no accelerator"):
        cases_of("accelerator")


def test_moments_are_in_order():
    watch = Stopwatch()
    for _ in range(3):
        watch.mark()
    seconds = watch.seconds()
    assert len(seconds) == 3 and list(seconds) == sorted(seconds) and seconds[0] >= 0


class Moment:
    """An event of a device's queue; ten milliseconds pass between two."""

    recorded = 0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        self.waited_for = False

    def record(self) -> None:
        Moment.recorded += 1
        self.at = 10.0 * Moment.recorded

    def synchronize(self) -> None:
        self.waited_for = True

    def elapsed_time(self, other: Moment) -> float:
        return other.at - self.at


@needs_torch
def test_moments_of_a_device_are_events_and_only_the_last_is_waited_for(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "Event", Moment)
    watch = Stopwatch("cuda")
    for _ in range(3):
        watch.mark()
    assert watch.seconds() == pytest.approx((0.01, 0.02, 0.03))
    assert [moment.waited_for for moment in watch.moments] == [False, False, False, True]


class Nvml(ModuleType):
    """A device that draws two joules a run, and is hot while something runs on it."""

    NVMLError = RuntimeError
    nvmlClocksEventReasonSwPowerCap = 4
    nvmlClocksEventReasonHwSlowdown = 8
    nvmlClocksEventReasonSwThermalSlowdown = 32
    nvmlClocksEventReasonHwThermalSlowdown = 64
    nvmlClocksEventReasonHwPowerBrakeSlowdown = 128
    joules = busy_until = 0.0

    def run(self) -> tuple[float, ...]:
        time.sleep(0.01)
        self.joules, self.busy_until = self.joules + 2.0, time.perf_counter() + 0.005
        return (0.01,)

    def nvmlInit(self) -> None: ...

    def nvmlDeviceGetHandleByUUID(self, name: str) -> str:
        return name

    def nvmlDeviceGetTotalEnergyConsumption(self, device: str) -> float:
        return 1e3 * self.joules

    def nvmlDeviceGetCurrentClocksEventReasons(self, device: str) -> int:
        return 32 if time.perf_counter() < self.busy_until else 1

    def nvmlDeviceGetComputeRunningProcesses(self, device: str) -> list[str]:
        return ["this one"]


@needs_torch
def test_what_slows_a_device_is_seen_while_it_is_at_work(monkeypatch):
    import torch

    device = Nvml("pynvml")
    monkeypatch.setitem(sys.modules, "pynvml", device)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda: SimpleNamespace(uuid="7"))
    meter = Meter()
    assert meter.slowed_by() == ""
    power = meter.measure(device.run)
    assert power.joules == pytest.approx(2.0) and 50 < power.watts < 201
    time.sleep(0.01)
    assert meter.slowed_by() == "heat"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("NVIDIA H200", "nvidia-h200-sxm-141gb"),
        ("NVIDIA H200 NVL", "nvidia-h200-nvl-141gb"),
        ("NVIDIA GH200 480GB", "nvidia-gh200-96gb"),  # of which 480 GB are the processor's
        ("NVIDIA H100 80GB HBM3", "nvidia-h100-80gb"),
        ("NVIDIA A100-SXM4-80GB", "nvidia-a100-80gb"),
        ("NVIDIA A100 80GB PCIe", "nvidia-a100-80gb-pcie"),  # slower than the other's data sheet
    ],
)
def test_devices_are_called_as_the_warehouse_does(told: str, name: str):
    assert warehouse_name(told) == name


@needs_torch
@pytest.mark.skipif(has_accelerator(), reason="there is an accelerator on this machine")
def test_without_one_that_is_said(commands: Commands):
    assert accelerator_here() is None
    assert "finds no accelerator" in commands.refused("measure", "--suite", "accelerator")
    with pytest.raises(OSError, match=r"nvml|NVML"):
        Meter()


@needs_torch
def test_large_models_are_counted_without_being_made():
    from pipelines.measure.facts import model_facts

    def facts(name: str) -> dict:
        return model_facts(ARCHITECTURES[name], ARCHITECTURES[name].image_sizes[-1])

    # as published: Llama 3 has 8.03 billion parameters, ViT-B/16 86.6 million and 17.6 GMACs
    assert facts("llama-8b")["parameters_million"] == pytest.approx(8030, rel=0.01)
    vision = facts("vit-base")
    assert vision["parameters_million"] == pytest.approx(86.6, rel=0.01)
    assert vision["gmacs"] == pytest.approx(17.6, rel=0.05)
    assert facts("whisper-small-encoder")["gmacs"] > 0


@needs_torch
@pytest.mark.parametrize("name", sorted(LARGE))
def test_large_models_are_made_in_the_precision_that_they_have(name: str, monkeypatch):
    import torch

    from pipelines.measure import models

    made, make = [], models._made
    monkeypatch.setattr(models, "_made", lambda each: made.append(make(each)) or made[-1])
    # all weights move to the type of the last line: what they were made in is asked before
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *_: self)
    for floats in (torch.bfloat16, torch.float16):
        models.build_model(ARCHITECTURES[name], "meta", floats)
        assert {each.dtype for each in made[-1].parameters()} == {floats}
    assert torch.get_default_dtype() == torch.float32


@needs_torch
def test_rounding_is_read_by_either_interface():
    import torch

    from pipelines.measure.torch_backend import use_tf32

    backends = torch.backends
    before = torch.get_float32_matmul_precision(), backends.cudnn.allow_tf32
    try:
        for wanted in (True, False):
            use_tf32(wanted)
            assert backends.cuda.matmul.allow_tf32 is backends.cudnn.allow_tf32 is wanted
            told = backends.cuda.matmul.fp32_precision, backends.cudnn.conv.fp32_precision
            assert [each == "tf32" for each in told] == [wanted, wanted]
    finally:
        torch.set_float32_matmul_precision(before[0])
        backends.cudnn.allow_tf32 = before[1]


@needs_torch
@pytest.mark.skipif(has_accelerator(), reason="there is an accelerator on this machine")
def test_what_fails_on_it_leaves_its_process_to_no_other(tmp_path):
    nowhere = replace(H100, kind="meta")
    case = Case(ARCHITECTURES["bert-mini"], "pytorch", "fp32", 1, 4, 16, accelerator=nowhere)
    cases = [case, replace(case, batch_size=8)]
    found = dict(Processes(tmp_path, timeout=60.0).execute(cases, math.inf))
    assert list(found) == cases
    assert [(each.status, each.ended) for each in found.values()] == [("error", True)] * 2


@needs_torch
@pytest.mark.parametrize("library", ["CUBLAS", "CUDNN"])
def test_libraries_that_get_no_memory_are_out_of_memory(library: str):
    from pipelines.measure.worker import failure_of

    told = RuntimeError(f"CUDA error: {library}_STATUS_ALLOC_FAILED when calling `cublasCreate`")
    assert failure_of(told).status == "oom"


@needs_accelerator
def test_real_models_are_timed_on_it(tmp_path):
    accelerator = accelerator_here()
    bert = Case(ARCHITECTURES["bert-base"], "pytorch", "fp32", 1, 8, 128, accelerator=accelerator)
    llama = Case(
        ARCHITECTURES["llama-15m"], "pytorch", "fp16", 1, 2, 32, 8, accelerator=accelerator
    )
    vit = Case(ARCHITECTURES["vit-base"], "pytorch", "fp32", 1, 10**6, accelerator=accelerator)
    cases = [
        *(replace(bert, precision=precision) for precision in accelerator.precisions),
        llama,
        replace(llama, concurrency=2),
        replace(bert, framework="torch.compile"),
        replace(vit, image_size=224),
    ]
    output = tmp_path / "results.csv"
    summary = run_cases(dict.fromkeys(cases), output)
    assert (summary.ok, summary.oom, summary.error) == (len(cases) - 1, 1, 0)
    rows = [row for row in read(output) if row["status"] == "ok"]
    for row in rows:
        assert row["hardware"] == accelerator.name
        assert 0 < float(row["latency_low_ms"]) <= float(row["latency_ms"])
        assert float(row["memory_mb"]) > 0 and float(row["host_memory_mb"]) > 0
        if row["power_w"]:
            assert float(row["energy_j"]) > 0
