"""Times cases, each in several processes one after another: a row for each once it is known."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from pipelines.measure.cases import Case
from pipelines.measure.output import described
from pipelines.measure.processes import Processes
from pipelines.measure.results import EXECUTIONS, Execution, Failure, result_columns

Item = TypeVar("Item")


def rows(
    cases: Sequence[Case],
    processes: Processes,
    ends: float = math.inf,
    on_event: Callable[[str], None] = lambda text: None,
) -> Iterator[tuple[Case, dict]]:
    """Rows of cases: of one model in one framework after the other, so that few are open at a time.

    On an accelerator of one precision after the other as well: large models take minutes, and what is
    open when the time is over has to begin anew.

    Parameters
    ----------
    ends
        No case is started after the monotonic clock reads this.
    """
    for block in _grouped(cases, _block):
        yield from _rows_of_block(block, processes, ends, on_event)


def _block(case: Case) -> Hashable:
    return case.group if case.accelerator else (case.model_name, case.framework)


def _rows_of_block(
    cases: Sequence[Case],
    processes: Processes,
    ends: float,
    on_event: Callable[[str], None],
) -> Iterator[tuple[Case, dict]]:
    """Round by round: what disturbs a process may be over in the next one of the same case."""
    found: dict[Case, list[Execution]] = defaultdict(list)
    groups = _grouped(cases, lambda case: case.group)
    for number in range(1, EXECUTIONS + 1):
        for group in filter(None, groups):
            if time.monotonic() >= ends:
                return
            on_event(f"{_words(group)}, {number} of {EXECUTIONS}")
            for case, result in processes.execute(sorted(group, key=lambda case: case.size), ends):
                if isinstance(result, Failure):
                    group.remove(case)
                    yield case, described(case) | result.columns()
                    continue
                found[case].append(result)
                if number == EXECUTIONS:
                    yield case, described(case) | result_columns(case, found[case])


def _grouped(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Items of one key together, in the order of the first ones."""
    found: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return list(found.values())


def _words(group: Sequence[Case]) -> str:
    case = group[0]
    told = f"{case.model_name} {case.framework} {case.precision}, {case.threads} threads"
    told += f", {case.concurrency} requests at a time" if case.concurrency > 1 else ""
    told += f", {case.options}" if case.options else ""
    return f"{told}: {len(group)} cases"
