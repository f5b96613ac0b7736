"""Times cases, each in several processes one after another: a row for each once it is known."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from pipelines.measure.cases import Case
from pipelines.measure.output import described
from pipelines.measure.processes import Processes
from pipelines.measure.results import EXECUTIONS, Execution, Failure, result_columns


class Session:
    """Measurements of one machine, which go on from model to model.

    Parameters
    ----------
    ends
        No case is started after the monotonic clock reads this.
    """

    def __init__(
        self,
        processes: Processes,
        ends: float = math.inf,
        on_event: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.processes, self.ends, self.on_event = processes, ends, on_event
        self.fastest = math.inf  # seconds of the reference work, so far

    def rows(self, cases: Sequence[Case]) -> Iterator[tuple[Case, dict]]:
        """Rows of the cases, model by model."""
        by_model: dict[str, list[Case]] = defaultdict(list)
        for case in cases:
            by_model[case.model_name].append(case)
        for members in by_model.values():
            yield from self._rows_of_model(members)

    def _rows_of_model(self, cases: Sequence[Case]) -> Iterator[tuple[Case, dict]]:
        """Round by round: what disturbs a process is over in the next one of the same case."""
        found: dict[Case, list[Execution]] = defaultdict(list)
        waiting = sorted(cases, key=lambda case: (str(case.group), case.size))
        for number in range(1, EXECUTIONS + 1):
            for group, members in groupby(list(waiting), key=lambda case: case.group):
                if time.monotonic() >= self.ends:
                    return
                members = list(members)
                self.on_event(f"{_words(group)}: {len(members)} cases, {number} of {EXECUTIONS}")
                for case, result in self.processes.execute(members, self.ends):
                    if isinstance(result, Failure):
                        waiting.remove(case)
                        yield case, described(case) | result._asdict()
                        continue
                    found[case].append(result)
                    self.fastest = min(self.fastest, result.reference_s)
                    if number == EXECUTIONS:
                        result = result_columns(case, found[case], self.fastest)
                        yield case, described(case) | result


def _words(group: tuple[object, ...]) -> str:
    model, framework, precision, threads, beside = group
    told = f"{model} {framework} {precision}, {threads} thread{'s' if threads > 1 else ''}"
    return f"{told}, beside {beside}" if beside else told
