"""Tests of a plan on a Dask cluster: real workers that announce what they are, one of them killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.dispatch import dispatch
from pipelines.errors import BenchmartError
from pipelines.measure.output import sole_writer
from pipelines.measure.processor import hardware_name
from tests.measure.remote_measure import measure
from tests.support import COMMAND, DEADLINE, PROJECT, Commands, needs_torch, wait_for

ONE, TWO, ELSEWHERE = hardware_name(1), hardware_name(2), "nvidia-h100"
# as `benchmart worker`, where nothing is to be measured that needs the extra `measure`
WORKER = (
    *(sys.executable, "-c"),
    "import sys; from pipelines.measure import remote;"
    " remote.accelerator_here = lambda say: None;"
    " models = remote.ARCHITECTURES | dict.fromkeys(sys.argv[3:]);"
    " remote.work(sys.argv[1], [int(sys.argv[2])], models)",
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    started = []

    def begin(*command: object) -> subprocess.Popen:
        path = (str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            list(map(str, command)),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield begin
    for process in reversed(started):
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(tmp_path: Path, start) -> str:
    file = tmp_path / "scheduler.json"
    dask = Path(sys.executable).with_name("dask")
    local = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    process = start(dask, "scheduler", *local, "--scheduler-file", file)
    (tmp_path / "scheduler.pid").write_text(str(process.pid))
    wait_for(file.is_file)
    return json.loads(file.read_text())["address"]


def write_plan(folder: Path, **hardware: str) -> Path:
    log = folder / "log.txt"
    log.touch()
    test = {"model_name": "vit-tiny", "batch_size": 1, "log": str(log), "seconds": 1.0}
    tests = [test | {"config_id": name, "hardware": device} for name, device in hardware.items()]
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"recommendations": tests}))
    return plan


def logged(plan: Path) -> list[list[str]]:
    return [line.split() for line in (plan.parent / "log.txt").read_text().splitlines()]


def results(output: Path) -> list[str]:
    with output.open(newline="") as handle:
        return [row["config_id"] for row in csv.DictReader(handle)]


def test_a_plan_is_measured_though_a_worker_is_killed(tmp_path: Path, scheduler: str, start):
    for threads in (1, 1, 2):
        start(*WORKER, scheduler, threads)
    plan = write_plan(tmp_path, a=ONE, b=ONE, c=ONE, d=TWO, e=TWO, refused=TWO, elsewhere=ELSEWHERE)
    output, said = tmp_path / "new" / "results.csv", []
    with ThreadPoolExecutor() as pool:
        running = pool.submit(dispatch, plan, output, scheduler, 60, 15, said.append, measure)

        def begun() -> list[int]:
            return [int(pid) for what, name, pid in logged(plan) if name in "abc"]

        killed = wait_for(begun)[0]
        os.kill(killed, signal.SIGKILL)
        summary = running.result(timeout=DEADLINE)
    assert (summary.ok, summary.known, summary.left) == (5, 0, 2)
    assert sorted(results(output)) == list("abcde")
    assert any("refused" not in line and "does not run here" in line for line in said)
    assert f"vit-tiny on {ELSEWHERE}: no worker announces hardware={ELSEWHERE}" in said
    began = Counter(name for what, name, pid in logged(plan) if what == "begins")
    lost = {name for what, name, pid in logged(plan) if int(pid) == killed}
    lost -= {name for what, name, pid in logged(plan) if what == "ends" and int(pid) == killed}
    assert all(count == 1 + (name in lost) for name, count in began.items())
    # by whom
    on_two = {pid for what, name, pid in logged(plan) if name in ("d", "e", "refused")}
    assert len(on_two) == 1 and not on_two & {
        pid for what, name, pid in logged(plan) if name in "abc"
    }

    before = output.read_bytes()
    again = dispatch(plan, output, scheduler, 60, 0, said.append, measure)
    assert (again.ok, again.known, again.left) == (0, 5, 2)
    assert output.read_bytes() == before


def test_a_model_of_the_users_is_measured_where_it_is(tmp_path: Path, scheduler: str, start):
    start(*WORKER, scheduler, 1)
    start(*WORKER, scheduler, 2, "ours")  # neither is both
    plan, output, said = write_plan(tmp_path, a=ONE), tmp_path / "results.csv", []
    plan.write_text(plan.read_text().replace("vit-tiny", "ours"))
    assert dispatch(plan, output, scheduler, 60, 5, said.append, measure).left == 1
    assert said == [f"ours on {ONE}: no worker announces hardware={ONE} and model=ours"]
    start(*WORKER, scheduler, 1, "ours")
    assert dispatch(plan, output, scheduler, 60, 60, said.append, measure).ok == 1


def test_what_two_ask_for_is_run_once(tmp_path: Path, scheduler: str, start):
    start(*WORKER, scheduler, 1)
    plan = write_plan(tmp_path, a=ONE, b=ONE)
    outputs = [tmp_path / "one.csv", tmp_path / "two.csv"]
    with ThreadPoolExecutor() as pool:
        asked = [
            pool.submit(dispatch, plan, output, scheduler, 60, 30, lambda text: None, measure)
            for output in outputs
        ]
        assert [each.result(timeout=DEADLINE).ok for each in asked] == [2, 2]
    assert [sorted(results(output)) for output in outputs] == [["a", "b"]] * 2
    assert Counter(what for what, name, pid in logged(plan)) == {"begins": 2, "ends": 2}


@needs_torch
def test_real_models_are_measured_by_a_worker(tmp_path: Path, scheduler: str, start):
    models = PROJECT / "examples" / "models.toml"
    start(COMMAND, "worker", "--scheduler", scheduler, "--models", models)
    test = {"model_name": "bert-mini", "hardware": ONE, "batch_size": 1, "input_length": 16}
    frameworks = ("pytorch", "onnxruntime", "vllm")
    tests = [test | {"config_id": name, "framework": name} for name in frameworks]
    own = {"model_name": "mixer-small", "config_id": "own", "image_size": 224}
    tests.append(test | own | {"framework": "pytorch"})
    plan, output = tmp_path / "plan.json", tmp_path / "results.csv"
    plan.write_text(json.dumps({"recommendations": tests}))
    summary = dispatch(plan, output, scheduler, 60, 60, print)
    assert (summary.ok, summary.left) == (3, 1)
    with output.open(newline="") as handle:
        rows = {row["config_id"]: row for row in csv.DictReader(handle)}
    assert {name: row["framework"] for name, row in rows.items()} == {
        "pytorch": "pytorch",
        "onnxruntime": "onnxruntime",
        "own": "pytorch",
    }
    assert all(float(row["latency_ms"]) > 0 for row in rows.values())


def test_a_scheduler_that_is_gone_is_said(tmp_path: Path, scheduler: str, start):
    start(*WORKER, scheduler, 1)
    plan = write_plan(tmp_path, a=ONE, elsewhere=ELSEWHERE)
    with ThreadPoolExecutor() as pool:
        asked = (plan, tmp_path / "results.csv", scheduler, 60, 600, lambda text: None, measure)
        running = pool.submit(dispatch, *asked)
        wait_for((tmp_path / "results.csv").exists)
        os.kill(int(Path(tmp_path / "scheduler.pid").read_text()), signal.SIGKILL)
        with pytest.raises(BenchmartError, match="the scheduler of the cluster is gone"):
            running.result(timeout=DEADLINE)
    assert results(tmp_path / "results.csv") == ["a"]


def test_two_do_not_write_to_one_file(tmp_path: Path):
    output = tmp_path / "results.csv"
    with sole_writer(output), pytest.raises(BenchmartError, match="another command is writing"):
        dispatch(write_plan(tmp_path, a=ONE), output, "tcp://127.0.0.1:1", 1, 1, print, measure)
    with sole_writer(output):
        pass


def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, commands: Commands):
    plan = write_plan(tmp_path, a=ONE)
    told = ("dispatch", "--plan", plan, "--scheduler")
    for address in ("nowhere", "tcp://127.0.0.1"):
        assert "expected an address" in commands.refused(*told, address)
    plan.write_text('{"recommendations": [{"model_name": "vit-tiny", "hardware": "h100"}]}')
    assert "test 1 has no config_id" in commands.refused(*told, "tcp://127.0.0.1:1")
    plan.write_text("[]")
    assert "no plan of this program" in commands.refused(*told, "tcp://127.0.0.1:1")
    assert not (tmp_path / "measured").exists()
