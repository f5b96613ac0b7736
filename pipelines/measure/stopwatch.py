"""Moments of a run, by the clock of what it runs on."""

from __future__ import annotations

import time


class Stopwatch:
    """Started when made.

    An accelerator works through a queue: its moments are events in that queue, between which it says
    how long it took, so that nobody waits for it between two tokens. Those of a processor are the time.

    Parameters
    ----------
    kind
        Type of the device, cpu or another.
    """

    def __init__(self, kind: str = "cpu") -> None:
        self.on_processor = kind == "cpu"
        self.moments = [self._now()]

    def mark(self) -> None:
        """Note this moment."""
        self.moments.append(self._now())

    def seconds(self) -> tuple[float, ...]:
        """From the start to each moment, once the last one has come."""
        first, *others = self.moments
        if self.on_processor:
            return tuple(moment - first for moment in others)
        others[-1].synchronize()
        return tuple(first.elapsed_time(moment) / 1e3 for moment in others)

    def _now(self):
        if self.on_processor:
            return time.perf_counter()
        import torch

        event = torch.Event(enable_timing=True)
        event.record()
        return event
