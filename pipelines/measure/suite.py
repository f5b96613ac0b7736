"""Which cases a suite runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipelines.errors import InputError
from pipelines.measure.architectures import ARCHITECTURES, Architecture
from pipelines.measure.cases import Case
from pipelines.measure.processor import native_precisions
from pipelines.suggest import did_you_mean

MODES = (
    ("pytorch", "fp32"),
    ("pytorch", "bf16"),
    ("pytorch", "int8"),
    ("onnxruntime", "fp32"),
    ("onnxruntime", "int8"),
    ("openvino", "fp32"),
    ("openvino", "int8"),
)
COMPILED = ("bert-mini", "vit-tiny")
THREADS = (1, 2)
SERVED = {
    "bert-mini": {"input_length": 64},
    "minilm-l6": {"input_length": 64},
    "resnet-18": {"image_size": 224},
    "vit-tiny": {"image_size": 224},
}
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
    exported = framework in ("onnxruntime", "openvino")
    unsupported = architecture.model_type == "text_generation" and exported
    return found[:1] if unsupported else found


def contention_suite() -> Iterator[Case]:
    """Several requests at a time, and another model beside: what sharing a machine costs."""
    other = Case("resnet-18", "onnxruntime", "fp32", 1, 4, image_size=224)
    for name, sizes in SERVED.items():
        for framework in ("pytorch", "onnxruntime", "openvino"):
            for batch in (1, 4):
                case = Case(name, framework, "fp32", 1, batch, **sizes)
                yield replace(case, concurrency=2)
                yield replace(case, concurrency=4)
                yield replace(case, beside=other)


SUITES = {"quick": quick_suite, "contention": contention_suite}


def cases_of(suite: str) -> dict[Case, None]:
    """Cases of a suite, in order, in the precisions that this processor has.

    Raises
    ------
    InputError
        For an unknown suite.
    """
    if suite not in SUITES:
        raise InputError(f"--suite: unknown suite '{suite}'{did_you_mean(suite, SUITES, 5)}")
    native = native_precisions()
    return dict.fromkeys(case for case in SUITES[suite]() if case.precision in native)
