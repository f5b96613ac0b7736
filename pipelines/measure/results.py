"""What processes found of a case, and the row that becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles
from typing import NamedTuple

from pipelines.measure.cases import Case
from pipelines.measure.power import Power
from pipelines.measure.timing import Repeat, interval_of_another, medians_of, typical

EXECUTIONS = 3
DIGITS = "{:.6g}"


class Execution(NamedTuple):
    """One process's repeats of a case.

    Attributes
    ----------
    rate
        Runs that were done a second, where several were at work at the same time.
    memory_mb
        The most that was in use where the model is; resident memory beyond what was before it was made.
    other_cores
        Cores that other processes kept busy meanwhile.
    reference_s
        Seconds of the reference work just before, see `conditions.reference_seconds`.
    host_memory_mb
        The most that was resident beyond what was before, where the model is on an accelerator.
    power
        What that drew, if its counter can be read.
    slowed_by
        What kept its clock down, in words.
    """

    repeats: list[Repeat]
    rate: float | None
    memory_mb: float
    other_cores: float | None
    reference_s: float
    host_memory_mb: float | None = None
    power: Power | None = None
    slowed_by: str = ""


class Failure(NamedTuple):
    """A case that did not run.

    Attributes
    ----------
    status
        oom or error.
    notes
        Why.
    ended
        Whether its process is of no more use.
    """

    status: str
    notes: str
    ended: bool = False

    def columns(self) -> dict[str, str]:
        """Columns of a row with it."""
        return {"status": self.status, "notes": self.notes}


def result_columns(case: Case, executions: Sequence[Execution]) -> dict:
    """Columns of a row with the result of a case."""
    marks = [medians_of(each.repeats) for each in executions]
    ends = [each[-1] for each in marks]
    latency = typical(ends)
    low, high = interval_of_another(ends)
    every = [repeat.marks[-1] for each in executions for repeat in each.repeats]
    first_quarter, _, last_quarter = quantiles(every, n=4, method="inclusive")
    rates = [each.rate or 1 / end for each, end in zip(executions, ends, strict=True)]
    row = {
        "status": "ok",
        "throughput": case.batch_size * (case.output_length or 1) * typical(rates),
        "latency_ms": 1e3 * latency,
        # of fewer than 100 repeats close to the longest
        "latency_p99_ms": 1e3 * quantiles(every, n=100, method="inclusive")[-1],
        "latency_low_ms": 1e3 * low,
        "latency_high_ms": 1e3 * high,
        "memory_mb": median(each.memory_mb for each in executions),
        "executions": len(executions),
        "repeats": len(every),
        "latency_relative_iqr": (last_quarter - first_quarter) / median(every),
        "interrupted_repeats": _interrupted(executions),
        "reference_ms": 1e3 * max(each.reference_s for each in executions),
        "other_cores": _highest(each.other_cores for each in executions),
        "host_memory_mb": _highest(each.host_memory_mb for each in executions),
        "slowed_by": "; ".join(
            dict.fromkeys(filter(None, (each.slowed_by for each in executions)))
        ),
    }
    if all(each.power for each in executions):
        row["power_w"] = typical([each.power.watts for each in executions])
        row["energy_j"] = typical([each.power.joules for each in executions])
    if case.output_length:
        row |= _tokens(case.output_length, marks, executions)
    return {
        name: float(DIGITS.format(value)) if isinstance(value, float) else value
        for name, value in row.items()
    }


def _tokens(
    tokens: int, marks: Sequence[tuple[float, ...]], executions: Sequence[Execution]
) -> dict[str, float]:
    """Times to the first token and between the others."""
    first = typical([each[0] for each in marks])
    if tokens == 1:
        return {"ttft_ms": 1e3 * first}
    between = typical([(each[-1] - each[0]) / (tokens - 1) for each in marks])
    gaps = [
        after - before
        for each in executions
        for repeat in each.repeats
        for before, after in zip(repeat.marks, repeat.marks[1:], strict=False)
    ]
    slow = quantiles(gaps, n=100, method="inclusive")[-1]
    return {"ttft_ms": 1e3 * first, "itl_ms": 1e3 * between, "itl_p99_ms": 1e3 * slow}


def _interrupted(executions: Sequence[Execution]) -> int | None:
    found = [repeat.interrupted for each in executions for repeat in each.repeats]
    return None if None in found else sum(found)


def _highest(found: Sequence[float | None]) -> float | None:
    known = [each for each in found if each is not None]
    return max(known, default=None)
