"""ONNX Runtime and OpenVINO, on the graph that PyTorch exports. For worker processes."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from pipelines.measure.architectures import Architecture
from pipelines.measure.cases import Case
from pipelines.measure.models import Unsupported, build_model, make_inputs, vocabulary_size
from pipelines.measure.timing import Run

OPSET = 17


class GraphBackend:
    """What both have in common: the graph, made once for all processes that time it."""

    precisions = ("fp32", "int8")

    def __init__(self, case: Case, folder: Path) -> None:
        if case.output_length:
            raise Unsupported("export of a decoder with its key-value cache")
        if case.accelerator:
            raise Unsupported(f"{case.framework} on {case.hardware}")
        if case.precision not in self.precisions:
            raise Unsupported(f"{case.precision}; there are {', '.join(self.precisions)}")
        model = build_model(case.model)
        self.vocabulary = vocabulary_size(model)
        path = folder / f"{hashlib.sha256(case.model_name.encode()).hexdigest()}.onnx"
        if not path.exists():
            one = replace(case, batch_size=1)  # what is traced has to fit
            _export(model, one, make_inputs(one, self.vocabulary), path)
        self.path = _quantized_graph(path) if case.precision == "int8" else path

    def prepare(self, case: Case) -> Run:
        """A callable that runs the case once."""
        made = make_inputs(case, self.vocabulary)
        inputs = {name: value.numpy() for name, value in made.items() if name in self.used}
        infer = self.caller()
        if len(infer(inputs)) != case.batch_size:
            self.raise_cause(inputs)

        def run() -> tuple[float, ...]:
            started = time.perf_counter()
            infer(inputs)
            return (time.perf_counter() - started,)

        return run

    def raise_cause(self, inputs: dict) -> None:
        """Raise what kept the graph from a result for each sample."""
        raise RuntimeError("no result for the whole batch")


class OnnxBackend(GraphBackend):
    """ONNX Runtime."""

    def __init__(self, case: Case, folder: Path) -> None:
        import onnxruntime

        super().__init__(case, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = case.threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            self.path, options, providers=["CPUExecutionProvider"]
        )
        self.used = {entry.name for entry in self.session.get_inputs()}

    def caller(self):
        """What runs the graph on inputs by name, for its output."""
        return lambda inputs: self.session.run(None, inputs)[0]


class OpenVinoBackend(GraphBackend):
    """OpenVINO's plugin for processors."""

    def __init__(self, case: Case, folder: Path) -> None:
        import openvino

        super().__init__(case, folder)
        core = openvino.Core()
        properties = {
            "INFERENCE_NUM_THREADS": case.threads,
            "NUM_STREAMS": min(case.concurrency, case.threads),
            "ENABLE_CPU_PINNING": False,  # the process is pinned
            "INFERENCE_PRECISION_HINT": "f32",  # else bf16, where there are instructions for it
        }
        self.compiled = core.compile_model(core.read_model(self.path), "CPU", properties)
        self.used = {name for entry in self.compiled.inputs for name in entry.get_names()}

    def caller(self):
        """What runs the graph on inputs by name, for its output."""
        request = self.compiled.create_infer_request()
        return lambda inputs: request.infer(inputs, share_inputs=True)[0]

    def raise_cause(self, inputs: dict) -> None:
        """`infer` may return nothing in place of failing; asked so, it says why."""
        request = self.compiled.create_infer_request()
        request.start_async(inputs, share_inputs=True)
        request.wait()
        super().raise_cause(inputs)


class _FirstOutput(torch.nn.Module):
    """Positional inputs and one output: what the exporter wants."""

    def __init__(self, model: torch.nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names
        self.asked = {"return_dict": False} if isinstance(model, PreTrainedModel) else {}

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        output = self.model(**dict(zip(self.names, values, strict=True)), **self.asked)
        if isinstance(output, dict):
            output = tuple(output.values())
        return output if isinstance(output, torch.Tensor) else output[0]


def _export(
    model: torch.nn.Module, case: Case, inputs: dict[str, torch.Tensor], path: Path
) -> None:
    names = list(inputs)
    part = path.with_suffix(".part")
    torch.onnx.export(
        _FirstOutput(model, names),
        tuple(inputs.values()),
        part,
        input_names=names,
        dynamic_axes={name: _axes(case.model, name) for name in names},
        opset_version=OPSET,
        dynamo=False,
    )
    part.replace(path)  # whole or not at all: the next process reads it


def _axes(model: Architecture, name: str) -> dict[int, str]:
    """Dimensions of an input that may change; images beside text often have one size."""
    one_size = "input_length" in model.sizes and len(model.image_sizes) == 1
    changing = model.sizes - {"image_size"} if one_size else model.sizes
    sizes = enumerate(model.inputs[name], start=1)
    return {0: "batch"} | {place: f"{size}_{place}" for place, size in sizes if size in changing}


def _quantized_graph(path: Path) -> Path:
    target = path.with_suffix(".int8.onnx")
    if not target.exists():
        from onnxruntime.quantization import QuantType, quantize_dynamic

        part = target.with_suffix(".part")
        quantize_dynamic(path, part, weight_type=QuantType.QUInt8)
        part.replace(target)
    return target
