"""PyTorch, eager or compiled. For worker processes."""

from __future__ import annotations

import torch

from pipelines.measure.cases import Case
from pipelines.measure.models import Unsupported, build_model, make_inputs, vocabulary_size
from pipelines.measure.processor import PRECISIONS
from pipelines.measure.stopwatch import Stopwatch
from pipelines.measure.timing import Run

FLOATS = {
    "fp32": torch.float32,
    "tf32": torch.float32,  # products alone
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": torch.float32,  # what is not quantised
}


class TorchBackend:
    """A model in a precision, made once.

    Raises
    ------
    Unsupported
        For a precision that the device does not have, or that would leave most of the model as it is.
    """

    def __init__(self, case: Case) -> None:
        known = case.accelerator.precisions if case.accelerator else PRECISIONS
        if case.precision not in known:
            raise Unsupported(f"{case.precision} on {case.hardware}; there are {', '.join(known)}")
        if case.accelerator:
            use_tf32(case.precision == "tf32")
        self.device, self.floats = case.device, FLOATS[case.precision]
        model = build_model(case.model, self.device, self.floats)
        self.vocabulary = vocabulary_size(model)
        model = _quantized(model) if case.precision == "int8" else model
        compiled = case.framework == "torch.compile"
        self.model = torch.compile(model, dynamic=True) if compiled else model

    def prepare(self, case: Case) -> Run:
        """A callable that runs the case once."""
        with torch.device(self.device):
            made = make_inputs(case, self.vocabulary)
        inputs = {
            name: value.to(self.floats) if value.is_floating_point() else value
            for name, value in made.items()
        }
        if case.output_length:
            return lambda: self._generate(inputs, case.output_length)
        return lambda: self._forward(inputs)

    @torch.inference_mode()
    def _forward(self, inputs: dict[str, torch.Tensor]) -> tuple[float, ...]:
        watch = Stopwatch(self.device)
        self.model(**inputs)
        watch.mark()
        return watch.seconds()

    @torch.inference_mode()
    def _generate(self, inputs: dict[str, torch.Tensor], tokens: int) -> tuple[float, ...]:
        """Greedy decoding with a key-value cache: the moment of each token."""
        watch = Stopwatch(self.device)
        output = self.model(**inputs, use_cache=True, logits_to_keep=1)
        token = output.logits[:, -1:].argmax(-1)
        watch.mark()
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
            watch.mark()
        return watch.seconds()


def use_tf32(wanted: bool) -> None:
    """Round what products and convolutions of single precision read, or not.

    By the older of two interfaces: the compiler reads settings through it too, which fails once the
    newer one has been used (pytorch/pytorch#166387).
    """
    torch.set_float32_matmul_precision("high" if wanted else "highest")
    torch.backends.cudnn.allow_tf32 = wanted


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
