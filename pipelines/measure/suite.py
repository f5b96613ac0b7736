"""Which cases a suite runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.measure.architectures import ARCHITECTURES, Architecture


@dataclass(frozen=True)
class Case:
    """One configuration to time."""

    model_name: str
    framework: str
    precision: str
    threads: int
    batch_size: int
    input_length: int | None = None
    output_length: int | None = None
    image_size: int | None = None

    @property
    def group(self) -> tuple[str, str, str, int]:
        """Cases of one group share a process, a model and its preparation."""
        return self.model_name, self.framework, self.precision, self.threads

    @property
    def size(self) -> int:
        """Samples times length: what memory grows with."""
        return self.batch_size * (self.input_length or (self.image_size or 1))


MODES = (
    ("pytorch", "fp32"),
    ("pytorch", "bf16"),
    ("pytorch", "int8"),
    ("onnxruntime", "fp32"),
    ("onnxruntime", "int8"),
)
COMPILED = ("bert-mini", "vit-tiny")
THREADS = (1, 2)
TOO_LARGE = 65_536


def quick_suite() -> Iterator[Case]:
    """Eighteen models of five types: threads, precisions and frameworks crossed."""
    for architecture in ARCHITECTURES.values():
        for framework, precision in _modes(architecture):
            for threads in THREADS:
                for sizes in _sizes(architecture, framework):
                    yield Case(architecture.name, framework, precision, threads, **sizes)
    # how much memory there is, is worth knowing too
    for name in ("resnet-18", "vit-tiny"):
        for threads in THREADS:
            yield Case(name, "pytorch", "fp32", threads, TOO_LARGE, image_size=224)


def _modes(architecture: Architecture) -> list[tuple[str, str]]:
    compiled = [("torch.compile", "fp32")] if architecture.name in COMPILED else []
    return [*MODES, *compiled]


def _sizes(architecture: Architecture, framework: str) -> list[dict[str, int]]:
    """Batch sizes and lengths of a model, up to about a second of work."""
    match architecture.model_type:
        case "text_embedding":
            found = [
                {"batch_size": batch, "input_length": length}
                for length in (16, 64, 256)
                for batch in (1, 4, 16, 64)
                if batch * length <= architecture.largest
            ]
        case "text_generation":
            found = [
                {"batch_size": batch, "input_length": length, "output_length": output}
                for length, output in ((32, 16), (128, 16), (128, 48))
                for batch in (1, 4, 16)
                if batch * length <= architecture.largest
            ]
        case "vision":
            found = [
                {"batch_size": batch, "image_size": image}
                for image in architecture.image_sizes
                for batch in (1, 4, 16)
            ]
        case "audio":
            found = [
                {"batch_size": batch} for batch in (1, 2, 4, 8) if batch <= architecture.largest
            ]
        case _:
            found = [
                {"batch_size": batch, "input_length": 32, "image_size": 224} for batch in (1, 4, 16)
            ]
    # a decoder with its cache is not exported: one row says so
    unsupported = architecture.model_type == "text_generation" and framework == "onnxruntime"
    return found[:1] if unsupported else found


SUITES = {"quick": quick_suite}
