"""Cases in processes of their own, some of which do not survive theirs."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import BenchmartError
from pipelines.measure.accelerators import Accelerator
from pipelines.measure.architectures import Architecture
from pipelines.measure.cases import Case
from pipelines.measure.processes import Processes
from pipelines.measure.results import Execution, Failure
from pipelines.measure.session import rows
from pipelines.measure.timing import Repeat


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path, timeout=5.0, worker="tests.measure.troubled_worker")


def cases(*names: str) -> list[Case]:
    models = (Architecture(name, "audio", "none") for name in names)
    return [Case(model, "pytorch", "fp32", 1, number + 1) for number, model in enumerate(models)]


@pytest.mark.parametrize(
    ("trouble", "failure"),
    [
        ("exits", Failure("error", "the process ended with code 3", True)),
        ("is-killed", Failure("oom", "killed by the system, as it does for memory", True)),
    ],
)
def test_a_process_that_dies_fails_one_case(processes: Processes, trouble: str, failure: Failure):
    todo = cases("fine", trouble, "fine", "fine")
    results = dict(processes.execute(todo, math.inf))
    assert list(results) == todo
    assert results[todo[1]] == failure
    assert all(isinstance(results[case], Execution) for case in todo if case is not todo[1])


def test_a_case_that_never_ends_is_given_up(processes: Processes):
    todo = cases("fine", "hangs", "fine")
    results = dict(processes.execute(todo, math.inf))
    assert results[todo[1]] == Failure("error", "took longer than 5 s", True)
    assert isinstance(results[todo[0]], Execution) and isinstance(results[todo[2]], Execution)


def test_what_cannot_be_prepared_fails_all_that_need_it(processes: Processes):
    todo = cases("unprepared", "fine")
    results = dict(processes.execute(todo, math.inf))
    assert set(results.values()) == {Failure("error", "not supported: so it is")}


def test_what_is_to_run_beside_does(processes: Processes, tmp_path: Path):
    (case,) = cases("fine")
    beside = replace(case, beside=replace(case, model=Architecture("neighbour", "audio", "none")))
    assert isinstance(dict(processes.execute([beside], math.inf))[beside], Execution)
    assert (tmp_path / "neighbour.txt").exists()


@pytest.mark.parametrize("trouble", ["gone", "never-at-work"])
def test_without_what_is_to_run_beside_all_that_need_it_fail(
    processes: Processes, tmp_path: Path, monkeypatch, trouble: str
):
    monkeypatch.setattr("pipelines.measure.processes.PREPARATION_SECONDS", 2)
    neighbour = Architecture(trouble, "audio", "none")
    lonely = [
        replace(case, beside=replace(case, model=neighbour)) for case in cases("fine", "fine")
    ]
    found = dict(processes.execute(lonely, math.inf))
    assert found == dict.fromkeys(lonely, Failure("error", "what runs beside it does not"))
    assert trouble == "gone" or not (tmp_path / "started.txt").exists()


def test_on_an_accelerator_one_precision_is_through_before_the_next_begins(monkeypatch):
    monkeypatch.setattr("pipelines.measure.session.described", lambda case: {})
    card = Accelerator("card", "cuda", 80.0, ("fp32", "bf16"))
    (case,) = cases("fine")
    on_card = replace(case, accelerator=card)
    sizes = [replace(on_card, batch_size=number) for number in (1, 2)]
    wanted = [replace(size, precision=name) for name in card.precisions for size in sizes]
    asked = []

    class Instant:
        def execute(self, group, ends):
            asked.append(group[0].precision)
            result = Execution([Repeat((0.01,), False)] * 3, None, 1.0, 0.0, 0.001)
            return [(case, result) for case in group]

    found = [(case.precision, len(asked)) for case, _ in rows(wanted, Instant())]
    assert asked == 3 * ["fp32"] + 3 * ["bf16"]
    assert found == [("fp32", 3), ("fp32", 3), ("bf16", 6), ("bf16", 6)]


def test_no_case_is_started_when_time_is_over(processes: Processes, tmp_path: Path):
    assert list(processes.execute(cases("fine"), time.monotonic())) == []
    assert not (tmp_path / "started.txt").exists()


def test_what_cannot_even_start_is_no_fault_of_a_case(tmp_path: Path):
    processes = Processes(tmp_path, timeout=2.0, worker="tests.measure.no_such_module")
    with pytest.raises(BenchmartError, match=r"do_nothing: the process ended with code 1"):
        processes.check()
