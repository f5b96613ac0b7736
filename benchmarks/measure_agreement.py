"""The harness beside two others on the same models: do they agree within noise?

    python benchmarks/measure_agreement.py [--rounds 3]

Needs the extra `measure`. Each way times each case in a process of its own, round after round, the
ways in turn: benchmart's (a row of three processes), `torch.utils.benchmark` (its blocked_autorange,
median of the blocks), and a plain loop as optimum-benchmark has it (ten runs to warm up, then runs for a
second, their mean). Ratios are to benchmart's; in brackets their 95 % interval over rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.stats import t

from pipelines.measure.architectures import ARCHITECTURES
from pipelines.measure.cases import Case
from pipelines.measure.conditions import pin
from pipelines.measure.processes import Processes
from pipelines.measure.session import rows

CASES = (
    Case(ARCHITECTURES["bert-mini"], "pytorch", "fp32", 1, 4, input_length=64),
    Case(ARCHITECTURES["minilm-l6"], "pytorch", "int8", 1, 4, input_length=64),
    Case(ARCHITECTURES["resnet-18"], "pytorch", "fp32", 2, 4, image_size=224),
    Case(ARCHITECTURES["vit-tiny"], "pytorch", "fp32", 1, 4, image_size=224),
    Case(ARCHITECTURES["whisper-tiny-encoder"], "pytorch", "fp32", 2, 1),
    Case(ARCHITECTURES["pythia-14m"], "pytorch", "fp32", 1, 1, input_length=32, output_length=16),
)
WARM_UP, LOOP_SECONDS = 10, 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print("| case | benchmart, ms | torch.utils.benchmark | plain loop |\n|---|---|---|---|")
    for case in CASES:
        found = [
            (_benchmart(case), _alone(_torch, case), _alone(_loop, case)) for _ in range(rounds)
        ]
        logs = np.log(np.array(found))
        ours = np.exp(logs[:, 0].mean())
        others = (_ratio(logs[:, column] - logs[:, 0]) for column in (1, 2))
        print(
            f"| {case}, {case.threads} threads | {1e3 * ours:.3g} | {' | '.join(others)} |",
            flush=True,
        )


def _ratio(logs: np.ndarray) -> str:
    half = t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    middle, low, high = np.exp(logs.mean() + half * np.array([0, -1, 1]))
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def _benchmart(case: Case) -> float:
    with tempfile.TemporaryDirectory() as folder:
        ((_, row),) = rows([case], Processes(Path(folder), 180))
    return row["latency_ms"] / 1e3


def _alone(way: Callable[[Case], float], case: Case) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(way, case).result()


def _prepared(case: Case) -> Callable[[], object]:
    import torch

    from pipelines.measure.torch_backend import TorchBackend

    warnings.filterwarnings("ignore", message="torch.quantize_per")  # to be replaced, some day
    pin(case.threads)
    torch.set_num_threads(case.threads)
    return TorchBackend(case).prepare(case)


def _torch(case: Case) -> float:
    from torch.utils.benchmark import Timer

    run = _prepared(case)
    timer = Timer("run()", globals={"run": run}, num_threads=case.threads)
    return timer.blocked_autorange(min_run_time=LOOP_SECONDS).median


def _loop(case: Case) -> float:
    run = _prepared(case)
    for _ in range(WARM_UP):
        run()
    seconds: list[float] = []
    while sum(seconds) < LOOP_SECONDS:
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return float(np.mean(seconds))


if __name__ == "__main__":
    main()
