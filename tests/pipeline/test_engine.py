"""Builds and backtests on a Dask cluster: real processes, one of them killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from distributed import Client

from pipelines import engine
from pipelines.engine import engine_of, in_turn
from pipelines.errors import BenchmartError, InputError
from pipelines.settings import Settings
from tests.support import DEADLINE, Commands, wait_for

DASK = Path(sys.executable).with_name("dask")
TABLES = ("predictions", "hardware_options", "pareto_front", "scored_candidates", "calibration")


class Cluster:
    """A scheduler and workers of one thread, each a process of its own."""

    def __init__(self, home: Path, workers: int) -> None:
        self.file = home / "scheduler.json"
        self.processes = [self._start("scheduler", "--port", "0", "--host", "127.0.0.1")]
        wait_for(self.file.is_file)
        for _ in range(workers):
            self.processes.append(self._start("worker", "--nthreads", "1", "--no-nanny"))
        self.address = json.loads(self.file.read_text())["address"]

    def _start(self, kind: str, *arguments: str) -> subprocess.Popen:
        command = [DASK, kind, "--scheduler-file", self.file, "--no-dashboard", *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Callable[[int], Cluster]]:
    started = []

    def start(workers: int) -> Cluster:
        started.append(Cluster(tmp_path, workers))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def _tables(small: Commands) -> dict:
    return {name: small.query(f"select * from ml.{name} order by all") for name in TABLES}


def test_a_cluster_builds_the_same_tables_though_a_worker_is_killed(small: Commands, cluster):
    expected, before = _tables(small), small.current
    two = cluster(2)
    with Client(two.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=DEADLINE)
        pids = client.run(os.getpid)
        build = small.start(
            *("build", "--raw", small.home / "raw", "--full-refresh"),
            *("--engine", "dask", "--scheduler", two.address),
        )

        def busy() -> list[str]:
            return [worker for worker, tasks in client.processing().items() if tasks]

        os.kill(pids[wait_for(busy)[0]], signal.SIGKILL)
        said = build.communicate(timeout=10 * DEADLINE)
        assert build.returncode == 0, said
        wait_for(lambda: len(client.scheduler_info()["workers"]) == 1)
    assert small.current != before
    for name, found in _tables(small).items():
        different = [column for column in found if not found[column].equals(expected[name][column])]
        assert set(different) <= {"model"}, name  # its version counts the fits


@pytest.mark.slow
def test_a_cluster_replays_as_this_machine_does(small: Commands, cluster):
    """Curves are compared to what sums of several threads leave open."""
    small.succeed("backtest", "--seeds", 2)
    path = small.warehouse / "backtests" / "throughput.parquet"
    here = small.home / "here.parquet"
    path.rename(here)
    two = cluster(2)
    small.succeed("backtest", "--seeds", 2, "--engine", "dask", "--scheduler", two.address)
    columns = "policy, seed, tests, rmse"
    found, expected = (
        small.query(f"select {columns} from '{each}' order by all") for each in (path, here)
    )
    assert found["rmse"].to_numpy() == pytest.approx(expected["rmse"].to_numpy(), rel=1e-9)


def test_what_is_missing_is_said_in_one_line(small: Commands, cluster):
    before = small.current
    asked = ("build", "--raw", small.home / "raw", "--full-refresh")
    assert "needs --scheduler" in small.refused(*asked, "--engine", "dask")
    said = small.refused(*asked, "--scheduler", "nowhere")
    assert "expected an address as tcp://host:8786, got 'nowhere'" in said
    assert small.current == before


def test_no_more_items_are_taken_ahead_than_allowed():
    taken, done, release = [], [], threading.Event()

    def items():
        for item in range(20):
            taken.append(item)
            yield item

    def work(item):
        release.wait(10)
        return item

    with ThreadPoolExecutor(2) as pool:
        threading.Timer(0.2, release.set).start()
        for result in in_turn(lambda item: pool.submit(work, item), items(), ahead=3):
            done.append(result)
            assert len(taken) <= len(done) + 3
    assert done == list(range(20))


def test_what_waits_is_called_off_where_one_fails():
    begun = []

    def work(item):
        begun.append(item)
        time.sleep(0.05)
        raise ValueError(item)

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError):
        list(in_turn(lambda item: pool.submit(work, item), range(20), ahead=20))
    assert len(begun) < 5


def test_a_cluster_without_workers_is_not_waited_for(cluster, monkeypatch):
    monkeypatch.setattr(engine, "PATIENCE", "2s")
    one = cluster(1)
    asked = Settings(engine="dask", scheduler=one.address)
    with pytest.raises(BenchmartError, match="no workers any more"), engine_of(asked) as found:
        task = found.submit(time.sleep, DEADLINE)
        one.processes[-1].kill()
        task.result()


def test_what_a_worker_fails_with_is_raised_here(cluster):
    one = cluster(1)
    with engine_of(Settings(engine="dask", scheduler=one.address)) as found:
        with pytest.raises(InputError, match="as it was told"):
            found.submit(_fail).result()
        with pytest.raises(BenchmartError, match="another version"):
            found.client.submit(engine._alone, "other code", _fail).result()


def _fail() -> None:
    raise InputError("as it was told")


@pytest.mark.parametrize(
    ("engine", "scheduler", "expected"),
    [
        (None, None, False),
        (None, "tcp://host:8786", True),
        ("dask", "tcp://host:8786", True),
        ("local", "tcp://host:8786", False),
    ],
)
def test_a_scheduler_is_used_unless_work_is_to_be_done_here(engine, scheduler, expected):
    assert Settings(engine=engine, scheduler=scheduler).on_cluster is expected
