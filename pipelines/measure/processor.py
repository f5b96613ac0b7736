"""What this machine is, and the ceilings of its roofline."""

from __future__ import annotations

import functools
import os
import platform
import re
from pathlib import Path
from typing import NamedTuple


class Core(NamedTuple):
    """Published limits of a core: highest boost clock of the series, operations a cycle."""

    codename: str
    ghz: float
    fp32: int
    bf16: int
    int8: int


# by vendor, family and model of `/proc/cpuinfo`: virtual machines hide the name and the clock
CORES = {
    ("AuthenticAMD", 23, 49): Core("rome", 3.9, 32, 32, 64),
    ("AuthenticAMD", 25, 1): Core("milan", 4.1, 32, 32, 64),
    ("AuthenticAMD", 25, 17): Core("genoa", 4.4, 32, 64, 128),
    ("AuthenticAMD", 26, 2): Core("turin", 5.0, 64, 128, 256),
    ("GenuineIntel", 6, 85): Core("skylake", 4.4, 64, 64, 256),
    ("GenuineIntel", 6, 106): Core("icelake", 4.1, 64, 64, 256),
    ("GenuineIntel", 6, 143): Core("sapphire-rapids", 4.2, 64, 1024, 2048),
    ("GenuineIntel", 6, 207): Core("emerald-rapids", 4.2, 64, 1024, 2048),
}
KINDS = ("fp32", "bf16", "int8")
# that PyTorch runs, natively or emulated
PRECISIONS = ("fp32", "bf16", "fp16", "int8")
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def processor_name() -> str:
    """Name of the processor as a slug, for instance `amd-epyc-genoa`."""
    name = _cpuinfo().get("model name", platform.machine())
    words = re.findall(r"[a-z0-9]+", re.sub(r"\(.*?\)|@.*| \d+-core processor", "", name.lower()))
    core = _core()
    return "-".join([*words, *([core.codename] if core and core.codename not in words else [])])


def hardware_name(threads: int) -> str:
    """Name of this machine with so many threads, as a hardware platform."""
    return f"{processor_name()}-{threads}-thread{'s' if threads > 1 else ''}"


def native_precisions() -> tuple[str, ...]:
    """Precisions that the processor has instructions for; emulated, others are tens of times slower."""
    flags = _cpuinfo().get("flags", _cpuinfo().get("Features", "")).split()
    return tuple(kind for kind in KINDS if kind != "bf16" or BF16_FLAGS & set(flags))


def memory_bytes() -> int:
    """Physical memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def describe(threads: int) -> dict[str, object]:
    """A row of `hardware.csv`.

    The ceilings of operations are the published ones of the processor or, where it is not known or
    they are exceeded, the best rate of plain matrix products (an empirical roofline, Lo et al.
    2014). Convolutions by Winograd's method do more than plain products.
    """
    import torch

    from pipelines.measure.ceilings import product_rate, quantized_rate, read_rate

    torch.set_num_threads(threads)
    core = _core()
    measured = {"fp32": product_rate(torch.float32), "int8": quantized_rate()}
    if "bf16" in native_precisions():
        measured["bf16"] = product_rate(torch.bfloat16)
    published = {
        kind: 1e9 * core.ghz * getattr(core, kind) * threads if core else 0 for kind in KINDS
    }
    peaks = {kind: max(measured.get(kind, 0), published[kind]) / 1e12 for kind in KINDS}
    rates = ", ".join(f"{kind} {rate / 1e12:.3f}" for kind, rate in measured.items())
    return {
        "hardware": hardware_name(threads),
        "vendor": _cpuinfo().get("vendor_id", ""),
        "kind": "cpu",
        "memory_gb": round(memory_bytes() / 1e9, 1),
        "memory_bandwidth_gbs": round(read_rate() / 1e9, 1),
        "fp32_tflops": round(peaks["fp32"], 4),
        "fp16_tflops": round(peaks["bf16"] or peaks["fp32"], 4),
        "int8_tops": round(peaks["int8"], 4),
        "cache_mb": _last_level_cache_mb(),
        "cores": threads,
        "notes": f"{'published' if core else 'measured'} peaks (fp16: bf16); bandwidth: best sum over"
        f" 512 MB; best matrix products measured (Tflop/s): {rates}",
    }


def _last_level_cache_mb() -> float | None:
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    kilobytes = [int(path.read_text(encoding="ascii").strip().removesuffix("K")) for path in sizes]
    return round(max(kilobytes) * 1024 / 1e6, 3) if kilobytes else None


def _core() -> Core | None:
    facts = _cpuinfo()
    key = (facts.get("vendor_id"), int(facts.get("cpu family", 0)), int(facts.get("model", 0)))
    return CORES.get(key)


@functools.cache
def _cpuinfo() -> dict[str, str]:
    """Facts of the first core; empty where the system does not tell."""
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    pairs = (line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
