"""Other processes of this machine at work: what they are told, one of them killed, and left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from copy import copy
from pathlib import Path

import pytest

from pipelines.engine import in_turn, require_address
from pipelines.errors import BenchmartError, FieldError, InputError
from pipelines.processes import processes
from tests.support import DEADLINE, PROJECT, wait_for

# at its top level, where a process that imported it would start others
ASKS = """
import os, signal, time
from pipelines.processes import processes

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever this was started by ignores

with processes(2) as two:
    first = [two.submit(time.sleep, 1) for _ in range(2)]
    assert all(each.result() is None for each in first)
    print(*(each.process.pid for each in two.workers), flush=True)
    two.submit(time.sleep, 1)
    time.sleep(600)
"""


class DiesOnArrival:
    """Ends the process that it is sent to."""

    def __reduce__(self) -> tuple:
        return _kill, (bytes(10**6),)


class Counted:
    """Counts how often it was asked."""

    asked = 0

    def ask(self) -> tuple[int, int]:
        self.asked += 1
        return os.getpid(), self.asked


def _kill(_: bytes) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # ended, and nobody has asked how


def test_results_come_in_turn():
    with processes(2) as two:
        shared, other = two.share([1, 2, 3]), two.share(5)
        assert list(in_turn(lambda own: two.submit(divmod, own, other), range(9), 3)) == [
            divmod(own, 5) for own in range(9)
        ]
        assert two.submit(len, shared).result() == 3


def test_every_process_is_given_what_is_shared_once():
    with processes(2) as two:
        shared = two.share(Counted())
        found = [each.result() for each in [two.submit(Counted.ask, shared) for _ in range(20)]]
        for process in {process for process, _ in found}:
            asked = [count for other, count in found if other == process]
            assert asked == list(range(1, len(asked) + 1))
        with pytest.raises(RuntimeError, match="would not know"):
            two.share(5)


def test_files_that_lie_around_are_not_taken_for_modules(tmp_path: Path, monkeypatch):
    (tmp_path / "subprocess.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    with processes(1) as one:
        assert one.submit(len, "looked for elsewhere").result() == 20


def test_what_a_process_fails_with_is_raised_here():
    with processes(1) as one:
        with pytest.raises(InputError, match="expected an address"):
            one.submit(require_address, "nowhere").result()
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            one.submit(divmod, 1, 0).result()
        with pytest.raises(RuntimeError, match="pickle"):  # no code can be sent
            one.submit(compile, "(i for i in ())", "", "eval").result()
        assert one.submit(len, "goes on").result() == 7


def test_errors_arrive_as_they_were_raised():
    error = FieldError("model_name", "unheard of")
    assert str(copy(error)) == str(error)  # as it is sent: made anew of what it was made of


@pytest.mark.parametrize("busy", [True, False])
def test_a_process_that_is_killed_is_told_in_one_line(busy):
    with pytest.raises(BenchmartError, match="was killed") as told, processes(2) as two:
        two.submit(len, "").result()
        waiting = [two.submit(time.sleep, 0.1 if busy else 0) for _ in range(50)]
        os.kill(two.workers[0].process.pid, signal.SIGKILL)
        for each in [*waiting, *(two.submit(time.sleep, 0.1) for _ in range(4))]:
            each.result()
    assert "\n" not in str(told.value)


def test_a_process_may_die_of_what_it_is_given():
    with pytest.raises(BenchmartError, match="was killed"), processes(2) as two:
        shared = two.share(DiesOnArrival())
        two.submit(id, shared).result()


@pytest.mark.parametrize("at_work", [0, 2])
def test_what_is_not_done_is_given_up(at_work):
    with pytest.raises(ZeroDivisionError), processes(2) as two:
        waiting = [two.submit(time.sleep, DEADLINE) for _ in range(3)]
        wait_for(lambda: len(two.workers) >= at_work)
        raise ZeroDivisionError
    assert all(each.cancelled() or each.exception() for each in waiting)
    assert not any(_runs(each.process.pid) for each in two.workers)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_what_it_does_for_one_that_is_ended(tmp_path: Path, number):
    script = tmp_path / "asks.py"
    script.write_text(ASKS)
    asked = {"cwd": PROJECT, "env": os.environ | {"PYTHONPATH": str(PROJECT)}, "text": True}
    command = [sys.executable, script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, start_new_session=True, **asked
    ) as asking:
        workers = [int(each) for each in asking.stdout.readline().split()]
        try:
            assert len(workers) == 2 and all(map(_runs, workers))
            assert asking.pid not in map(os.getsid, workers)  # an interrupt is not for them
            os.killpg(asking.pid, number)
            asking.wait(DEADLINE)
        finally:
            asking.kill()
    wait_for(lambda: not any(map(_runs, workers)))
