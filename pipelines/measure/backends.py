"""A model made ready to run in a framework and precision. Imports PyTorch: for worker processes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import transformers

from pipelines.measure.architectures import Architecture
from pipelines.measure.suite import Case

Run = Callable[[], tuple[float, ...]]
OPSET = 17


class Unsupported(Exception):
    """The framework cannot run this model in this precision."""


def build_model(architecture: Architecture) -> torch.nn.Module:
    """The model with random weights, in evaluation mode."""
    transformers.logging.set_verbosity_error()
    model_class = getattr(transformers, architecture.model_class)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = model_class(model_class.config_class(**architecture.configuration))
    model = getattr(model, architecture.part) if architecture.part else model
    return model.eval().requires_grad_(False)


def make_inputs(architecture: Architecture, case: Case, vocabulary: int) -> dict[str, torch.Tensor]:
    """A batch of random samples."""
    inputs = {}
    for name, shape in architecture.inputs.items():
        sizes = [getattr(case, size) if isinstance(size, str) else size for size in shape]
        if name == "input_ids":
            inputs[name] = torch.randint(0, vocabulary, (case.batch_size, *sizes))
        elif name == "attention_mask":
            inputs[name] = torch.ones((case.batch_size, *sizes), dtype=torch.long)
        else:
            inputs[name] = torch.randn(case.batch_size, *sizes)
    return inputs


def vocabulary_size(model: torch.nn.Module) -> int:
    """Number of token ids, 1 for a model without text."""
    configuration = model.config
    text = getattr(configuration, "text_config", configuration)
    return getattr(text, "vocab_size", 1)


class TorchBackend:
    """PyTorch, eager or compiled."""

    def __init__(self, architecture: Architecture, precision: str, compiled: bool) -> None:
        self.architecture = architecture
        model = build_model(architecture)
        self.vocabulary = vocabulary_size(model)
        if precision == "bf16":
            model = model.to(torch.bfloat16)
        elif precision == "int8":
            model = _quantized(model)
        self.floats = torch.bfloat16 if precision == "bf16" else torch.float32
        self.model = torch.compile(model, dynamic=True) if compiled else model

    def prepare(self, case: Case) -> Run:
        """A callable that runs the case once."""
        made = make_inputs(self.architecture, case, self.vocabulary)
        inputs = {
            name: value.to(self.floats) if value.is_floating_point() else value
            for name, value in made.items()
        }
        if case.output_length:
            return lambda: self._generate(inputs, case.output_length)
        return lambda: self._forward(inputs)

    @torch.inference_mode()
    def _forward(self, inputs: dict[str, torch.Tensor]) -> tuple[float, ...]:
        self.model(**inputs)
        return (time.perf_counter(),)

    @torch.inference_mode()
    def _generate(self, inputs: dict[str, torch.Tensor], tokens: int) -> tuple[float, ...]:
        """Greedy decoding with a key-value cache: moments of the first and the last token."""
        output = self.model(**inputs, use_cache=True, logits_to_keep=1)
        token = output.logits[:, -1:].argmax(-1)
        first = time.perf_counter()
        mask = inputs["attention_mask"]
        for _ in range(tokens - 1):
            mask = torch.cat([mask, torch.ones_like(token)], dim=1)
            output = self.model(
                input_ids=token,
                attention_mask=mask,
                past_key_values=output.past_key_values,
                use_cache=True,
                logits_to_keep=1,
            )
            token = output.logits[:, -1:].argmax(-1)
        return first, time.perf_counter()


class OnnxBackend:
    """ONNX Runtime on the exported graph."""

    def __init__(self, architecture: Architecture, case: Case) -> None:
        import onnxruntime

        if case.output_length:
            raise Unsupported("export of a decoder with its key-value cache")
        self.architecture = architecture
        model = build_model(architecture)
        self.vocabulary = vocabulary_size(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = case.threads
        options.log_severity_level = 3
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            _export(model, make_inputs(architecture, case, self.vocabulary), path)
            if case.precision == "int8":
                path = _quantized_graph(path)
            self.session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )

    def prepare(self, case: Case) -> Run:
        """A callable that runs the case once."""
        made = make_inputs(self.architecture, case, self.vocabulary)
        used = {entry.name for entry in self.session.get_inputs()}
        inputs = {name: value.numpy() for name, value in made.items() if name in used}

        def run() -> tuple[float, ...]:
            self.session.run(None, inputs)
            return (time.perf_counter(),)

        return run


class _FirstOutput(torch.nn.Module):
    """Positional inputs and one output: what the exporter wants."""

    def __init__(self, model: torch.nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, values, strict=True)), return_dict=False)[0]


def _export(model: torch.nn.Module, inputs: dict[str, torch.Tensor], path: Path) -> None:
    names = list(inputs)
    text = {"input_ids", "attention_mask"}
    axes = {name: {0: "batch"} | ({1: "length"} if name in text else {}) for name in names}
    if "pixel_values" in axes and not text & set(names):
        axes["pixel_values"] |= {2: "height", 3: "width"}
    torch.onnx.export(
        _FirstOutput(model, names),
        tuple(inputs.values()),
        path,
        input_names=names,
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )


def _quantized_graph(path: Path) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = path.with_name("quantized.onnx")
    quantize_dynamic(path, target, weight_type=QuantType.QUInt8)
    return target


def _quantized(model: torch.nn.Module) -> torch.nn.Module:
    """Dynamic int8 quantisation of linear layers, where they hold most of the weights."""
    embedded = {m.weight for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    linear = {m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)} - embedded
    others = set(model.parameters()) - embedded
    if 2 * _numbers(linear) < _numbers(others):
        raise Unsupported("dynamic quantisation covers less than half of the weights")
    return torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)


def _numbers(parameters: set[torch.nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)
