"""Best rates of plain work on a device: the ceilings of an empirical roofline (Lo et al. 2014).

Imports PyTorch: for worker processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from pipelines.measure.stopwatch import Stopwatch

MATRIX_SIZES = (1024, 2048)
READ_BYTES = 2**29
READ_BYTES_OF_ACCELERATOR = 2**32  # else starting the sum counts
REPEATS = 40
REPEAT_SECONDS = 1.0


def product_rate(
    dtype: torch.dtype, kind: str = "cpu", sizes: Sequence[int] = MATRIX_SIZES
) -> float:
    """Operations a second of matrix products."""
    rates = []
    for size in sizes:
        left, right = (torch.randn(size, size, device=kind).to(dtype) for _ in range(2))
        rates.append(2 * size**3 / _fastest(lambda a=left, b=right: a @ b, kind))
    return max(rates)


def quantized_rate() -> float:
    """Operations a second of a linear layer that is quantised dynamically, on the processor."""
    size = MATRIX_SIZES[-1]
    linear = torch.nn.Sequential(torch.nn.Linear(size, size))
    quantized = torch.ao.quantization.quantize_dynamic(linear, dtype=torch.qint8)
    values = torch.randn(size, size)
    with torch.inference_mode():
        return 2 * size**3 / _fastest(lambda: quantized(values))


def read_rate(kind: str = "cpu") -> float:
    """Bytes a second of a sum over 512 MB, or 4 GB on an accelerator."""
    size = READ_BYTES if kind == "cpu" else READ_BYTES_OF_ACCELERATOR
    values = torch.ones(size // 4, device=kind)
    return size / _fastest(values.sum, kind)


def _fastest(run: Callable[[], object], kind: str = "cpu") -> float:
    """Seconds, of forty times or as many as fit into a second: what a device lacks takes long."""
    run()
    seconds: list[float] = []
    while len(seconds) < REPEATS and sum(seconds) < REPEAT_SECONDS:
        watch = Stopwatch(kind)
        run()
        watch.mark()
        seconds += watch.seconds()
    return min(seconds)
