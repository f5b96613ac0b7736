"""Which cases a suite runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from pipelines.errors import InputError
from pipelines.measure.accelerators import Accelerator
from pipelines.measure.architectures import ARCHITECTURES, LARGE, SMALL, TEXT_ONLY, Architecture
from pipelines.measure.cases import Case
from pipelines.measure.conditions import require_cores, usable_cores
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
SERVED = ("bert-mini", "minilm-l6", "resnet-18", "vit-tiny")
NEIGHBOUR = Case(ARCHITECTURES["resnet-18"], "onnxruntime", "fp32", 1, 4, image_size=224)
FILLING, TOO_LARGE = ("resnet-18", "vit-tiny"), 65_536


def quick_suite(
    models: Sequence[Architecture] = (), thread_counts: Sequence[int] = THREADS
) -> Iterator[Case]:
    """Threads, precisions, frameworks and sizes crossed, of eighteen models or others."""
    models = models or list(SMALL.values())
    for architecture in models:
        for framework, precision in _modes(architecture):
            for threads in thread_counts:
                for sizes in _sizes(architecture, framework):
                    yield Case(architecture, framework, precision, threads, **sizes)
    # how much memory there is, is worth knowing too
    for architecture in models:
        if architecture.name in FILLING:
            for threads in thread_counts:
                yield Case(architecture, "pytorch", "fp32", threads, TOO_LARGE, image_size=224)


def _modes(architecture: Architecture) -> list[tuple[str, str]]:
    compiled = [("torch.compile", "fp32")] if architecture.name in COMPILED else []
    return [*MODES, *compiled]


def _sizes(architecture: Architecture, framework: str) -> list[dict[str, int]]:
    """Batch sizes and lengths of a model, up to about a second of work; the smallest at least."""
    found = _grid(architecture)
    text = architecture.model_type in TEXT_ONLY
    within = [
        sizes
        for sizes in found
        if sizes["batch_size"] * (sizes["input_length"] if text else 1) <= architecture.largest
    ]
    found = _those_it_takes(within or found[:1], architecture)
    # a decoder with its cache is not exported: one row says so
    exported = framework in ("onnxruntime", "openvino")
    unsupported = architecture.model_type == "text_generation" and exported
    return found[:1] if unsupported else found


def _grid(architecture: Architecture) -> list[dict[str, int]]:
    match architecture.model_type:
        case "text_embedding":
            return [
                {"batch_size": batch, "input_length": length}
                for length in (16, 64, 256)
                for batch in (1, 4, 16, 64)
            ]
        case "text_generation":
            return [
                {"batch_size": batch, "input_length": length, "output_length": output}
                for length, output in ((32, 16), (128, 16), (128, 48))
                for batch in (1, 4, 16)
            ]
        case "vision":
            return [
                {"batch_size": batch, "image_size": image}
                for image in architecture.image_sizes
                for batch in (1, 4, 16)
            ]
        case "audio":
            return [{"batch_size": batch} for batch in (1, 2, 4, 8)]
        case _:
            return [
                {"batch_size": batch, "input_length": 32, "image_size": image}
                for image in architecture.image_sizes
                for batch in (1, 4, 16)
            ]


def contention_suite(models: Sequence[Architecture] = ()) -> Iterator[Case]:
    """Several requests at a time, and another model beside: what sharing a machine costs."""
    for architecture in models or [ARCHITECTURES[name] for name in SERVED]:
        for framework in ("pytorch", "onnxruntime", "openvino"):
            for sizes in _served(_sizes(architecture, framework)):
                case = Case(architecture, framework, "fp32", 1, **sizes)
                yield replace(case, concurrency=2)
                yield replace(case, concurrency=4)
                yield replace(case, beside=NEIGHBOUR)


def _served(sizes: list[dict[str, int]]) -> list[dict[str, int]]:
    """Batches of one and four, of a middle length or resolution."""
    lengths = [{**size, "batch_size": 1} for size in sizes]
    lengths = [length for place, length in enumerate(lengths) if length not in lengths[:place]]
    middle = lengths[len(lengths) // 2]
    return [size for batch in (1, 4) if (size := middle | {"batch_size": batch}) in sizes]


def accelerator_suite(
    models: Sequence[Architecture] = (), accelerator: Accelerator | None = None
) -> Iterator[Case]:
    """What an accelerator is for: large models, large batches, and what its memory does not hold.

    Raises
    ------
    InputError
        Where there is none.
    """
    if accelerator is None:
        raise InputError("--suite accelerator: PyTorch finds no accelerator on this machine")
    for architecture in models or LARGE.values():
        for precision in accelerator.precisions:
            for sizes in _large_sizes(architecture):
                yield Case(architecture, "pytorch", precision, 1, **sizes, accelerator=accelerator)


def _large_sizes(architecture: Architecture) -> list[dict[str, int]]:
    match architecture.model_type:
        case "text_generation":
            lengths = [(128, 32), (2048, 32)]
            found = [
                {"batch_size": batch, "input_length": length, "output_length": output}
                for length, output in lengths
                for batch in (1, 16, 128)
            ]
        case "text_embedding":
            found = [
                {"batch_size": batch, "input_length": length}
                for length in (128, 512)
                for batch in (1, 32, 256)
            ]
        case _:
            (image,) = architecture.image_sizes[-1:]
            found = [
                {"batch_size": batch, "input_length": 32, "image_size": image}
                for batch in (1, 32, 256, 16_384)
            ]
    return _those_it_takes(found, architecture)


def _those_it_takes(found: list[dict], architecture: Architecture) -> list[dict[str, int]]:
    """Without sizes that a sample of the model does not have."""
    depends_on = architecture.sizes | {"batch_size", "output_length"}
    return [{name: sizes[name] for name in sizes if name in depends_on} for sizes in found]


QUICK, ON_ACCELERATOR = "quick", "accelerator"


def cases_of(
    suite: str,
    models: Sequence[Architecture] = (),
    accelerator: Accelerator | None = None,
    thread_counts: Sequence[int] = (),
) -> dict[Case, None]:
    """Cases of a suite, in order, in the precisions that there are instructions for.

    Parameters
    ----------
    models
        Of which, where not of those that the suite has itself.
    accelerator
        What that of accelerators runs on.
    thread_counts
        Of the quick suite, one and two if there are none.

    Raises
    ------
    InputError
        For an unknown suite, that of accelerators where there is none, more threads than cores, or
        thread counts of a suite that has its own.
    """
    require_cores(thread_counts)
    ours = [count for count in THREADS if count <= len(usable_cores())]
    suites = {
        QUICK: partial(quick_suite, thread_counts=thread_counts or ours),
        "contention": contention_suite,
        ON_ACCELERATOR: partial(accelerator_suite, accelerator=accelerator),
    }
    if suite not in suites:
        raise InputError(f"--suite: unknown suite '{suite}'{did_you_mean(suite, suites, 5)}")
    if thread_counts and suite != QUICK:
        raise InputError(f"--threads: the suite {suite} has its own")
    native = native_precisions()
    cases = suites[suite](models)
    return dict.fromkeys(case for case in cases if case.accelerator or case.precision in native)
