"""Power and energy of an NVIDIA device, by the counter that it has itself (NVML)."""

from __future__ import annotations

import time
from typing import NamedTuple

from pipelines.measure.timing import Run

SECONDS = 1.0  # the counter moves some ten times a second
LEAD_SECONDS = 0.2  # after which it speaks of the load
LOOK_SECONDS = 0.05
SLOWED_BY = {
    "SwPowerCap": "its power limit",
    "HwPowerBrakeSlowdown": "the power supply",
    "SwThermalSlowdown": "heat",
    "HwThermalSlowdown": "heat, in hardware",
    "HwSlowdown": "a slowdown in hardware",
}


class Power(NamedTuple):
    """What a device drew while something ran again and again.

    Attributes
    ----------
    watts
        On average.
    joules
        Of one run.
    """

    watts: float
    joules: float


class Meter:
    """The counters of the device that PyTorch uses.

    Raises
    ------
    OSError
        In words, where they cannot be read: the extra `nvml` is not installed, there is no driver of
        NVIDIA's, or the device (before Volta, 2017) or the driver is older than the counters.
    """

    def __init__(self) -> None:
        import torch

        try:
            import pynvml
        except ImportError:
            raise OSError("the extra `nvml` is not installed") from None
        self.nvml = pynvml
        self.reasons = 0
        try:
            pynvml.nvmlInit()
            name = f"GPU-{torch.cuda.get_device_properties().uuid}"
            self.device = pynvml.nvmlDeviceGetHandleByUUID(name)
            self.joules()
            self.slowed_by()
        except pynvml.NVMLError as error:
            raise OSError(f"NVML: {error}") from None

    def joules(self) -> float:
        """Since the driver was loaded."""
        return self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.device) / 1e3

    def look(self) -> None:
        """Note what keeps its clock down just now: that is over as soon as the load is."""
        self.reasons |= self.nvml.nvmlDeviceGetCurrentClocksEventReasons(self.device)

    def slowed_by(self) -> str:
        """What was seen to keep its clock down, or shares it, in words; empty where nothing does."""
        self.look()
        found = [
            words
            for name, words in SLOWED_BY.items()
            if self.reasons & getattr(self.nvml, f"nvmlClocksEventReason{name}")
        ]
        if len(self.nvml.nvmlDeviceGetComputeRunningProcesses(self.device)) > 1:
            found.append("other processes")
        return ", ".join(found)

    def measure(self, run: Run) -> Power | None:
        """Run again and again for a second; `None` where the counter stands still meanwhile."""
        self._repeat(run, LEAD_SECONDS)
        before, began = self.joules(), time.perf_counter()
        runs = self._repeat(run, SECONDS)
        joules, seconds = self.joules() - before, time.perf_counter() - began
        return Power(joules / seconds, joules / runs) if joules > 0 else None

    def _repeat(self, run: Run, seconds: float) -> int:
        """How often it ran."""
        runs, looked, began = 0, 0.0, time.perf_counter()
        while (now := time.perf_counter()) - began < seconds:
            run()
            runs += 1
            if now - looked > LOOK_SECONDS:
                self.look()
                looked = now
        return runs
