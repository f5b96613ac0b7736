"""Accelerators, by the interface that PyTorch has for all of them: CUDA, ROCm, XPU."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import partial

from pipelines.dbt import DBT_PROJECT

ALIASES = DBT_PROJECT / "seeds" / "hardware_aliases.csv"
SPECIFICATIONS = DBT_PROJECT / "seeds" / "hardware_specs.csv"
TF32_SINCE = (8, 0)  # compute capability
MATRIX_SIZES = (8192,)


@dataclass(frozen=True)
class Accelerator:
    """What models are timed on in place of the processor.

    Attributes
    ----------
    name
        As the warehouse calls it, for instance nvidia-h100-80gb.
    kind
        As PyTorch calls its type: cuda, also of ROCm, or xpu.
    precisions
        Floating-point formats that it has instructions for.
    """

    name: str
    kind: str
    memory_gb: float
    precisions: tuple[str, ...]


def find_accelerator() -> Accelerator | None:
    """That of this machine, the first where there are several; starts its driver in this process."""
    import torch

    device = torch.accelerator.current_accelerator(check_available=True)
    if device is None:
        return None
    told = torch.get_device_module(device).get_device_name()
    _, memory = torch.accelerator.get_memory_info()
    return Accelerator(
        warehouse_name(told), device.type, round(memory / 1e9, 1), _precisions(device.type)
    )


def warehouse_name(told: str) -> str:
    """Name of a device as the warehouse knows it, or will.

    Examples
    --------
    >>> warehouse_name("NVIDIA H100 80GB HBM3"), warehouse_name("Some Other (TM) 7")
    ('nvidia-h100-80gb', 'some-other-7')
    """
    key = " ".join(re.findall(r"[^\s_/,-]+", re.sub(r"\((r|tm)\)|®|™", "", told.lower())))
    with ALIASES.open(encoding="utf-8", newline="") as handle:
        known = {
            row["alias"]: row["hardware"] for row in csv.DictReader(handle) if not row["source"]
        }
    return known.get(key, key.replace(" ", "-"))


def with_data_sheet() -> set[str]:
    """Devices whose published ceilings the warehouse has."""
    with SPECIFICATIONS.open(encoding="utf-8", newline="") as handle:
        return {row["hardware"] for row in csv.DictReader(handle)}


def describe_accelerator(accelerator: Accelerator) -> dict[str, object]:
    """A row of `hardware.csv`; ceilings are measured: best rates of matrix products and of a sum."""
    import torch

    from pipelines.measure.ceilings import product_rate, read_rate

    rate = partial(product_rate, kind=accelerator.kind, sizes=MATRIX_SIZES)
    half = torch.bfloat16 if "bf16" in accelerator.precisions else torch.float16
    return {
        "hardware": accelerator.name,
        "kind": "gpu",
        "memory_gb": accelerator.memory_gb,
        "memory_bandwidth_gbs": round(read_rate(accelerator.kind) / 1e9, 1),
        "fp32_tflops": round(rate(torch.float32) / 1e12, 4),
        "fp16_tflops": round(rate(half) / 1e12, 4),
        "notes": "measured: best products of large matrices, best sum over 4 GB",
    }


def _precisions(kind: str) -> tuple[str, ...]:
    import torch

    if kind != "cuda":
        kinds = torch.accelerator.get_device_capability()["supported_dtypes"]
        return ("fp32", *(["bf16"] if torch.bfloat16 in kinds else []), "fp16")
    nvidia = torch.version.hip is None
    tf32 = nvidia and torch.cuda.get_device_capability() >= TF32_SINCE
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return ("fp32", *(["tf32"] if tf32 else []), *(["bf16"] if bf16 else []), "fp16")
