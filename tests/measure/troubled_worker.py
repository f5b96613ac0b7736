"""In place of what times models: does to its process what the model's name says."""

import os
import signal
import time

from pipelines.measure.results import Execution, Failure
from pipelines.measure.timing import time_repeats


def _sleep(seconds: float) -> tuple[float, ...]:
    started = time.perf_counter()
    time.sleep(seconds)
    return (time.perf_counter() - started,)


def time_cases(pipe, cases, memory_limit, folder) -> None:
    if cases[0].model_name == "unprepared":
        pipe.send(Failure("error", "not supported: so it is"))
        return
    pipe.send(True)
    for case in cases:
        (folder / "started.txt").touch()
        match case.model_name:
            case "exits":
                os._exit(3)
            case "is-killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs":
                time.sleep(600)
        repeats = time_repeats(lambda n=case.batch_size: _sleep(n / 1000))
        pipe.send(Execution(repeats, None, 1.0, 0.0, 0.001))


def run_beside(pipe, case, after, folder) -> None:
    if case.model_name == "never-at-work":
        time.sleep(600)
    pipe.send(True)
    (folder / "neighbour.txt").touch()
    if case.model_name == "gone":
        os._exit(1)
    time.sleep(600)
