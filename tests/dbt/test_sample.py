"""Which measurements come first where there are more than models learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from models_py.measured import MOST_REPEATS
from pipelines.dbt import DBT_PROJECT, Dbt
from pipelines.ingest import find_files, land
from pipelines.published import connect, training_frame


def nightly(devices: dict[str, int], versions: int) -> pd.DataFrame:
    """So many configurations of each device, each measured with so many versions."""
    rows = [
        (device, batch, f"2.{version}")
        for device, count in devices.items()
        for batch in range(1, count + 1)
        for version in range(versions)
    ]
    frame = pd.DataFrame(rows, columns=["hardware", "batch_size", "framework_version"])
    known = {"model_name": "nightly", "model_type": "vision", "framework": "vllm"}
    return frame.assign(**known, throughput=100 + np.arange(len(frame)) / 7)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample")


@pytest.fixture
def ranked(home: Path, parsed: Path):
    """Training rows in the order of the sample, of tables by the name of their file.

    The database is the same for all tests: files that go and come are what it is for.
    """
    dbt = Dbt(home, parsed)
    dbt.database.unlink(missing_ok=True)

    def rows(**tables: pd.DataFrame) -> pd.DataFrame:
        for name, table in tables.items():
            folder = home / ("recorded" if name == "recorded" else "raw")
            folder.mkdir(exist_ok=True)
            table.to_csv(folder / f"{name}.csv", index=False)
        folders = [folder for folder in (home / "raw", home / "recorded") if folder.exists()]
        with connect(dbt.database) as con:
            land(con, find_files(folders))
        dbt.build(["+training_features"])
        with connect(dbt.database, read_only=True) as con:
            return training_frame(con, 10**9).sort_values("sample_rank", ignore_index=True)

    yield rows
    for path in home.glob("*/*.csv"):
        path.unlink()


def test_devices_give_equally_many_and_rare_ones_all(ranked):
    sample = ranked(runs=nightly({"common": 60, "usual": 40, "rare": 3}, versions=3))[:60]
    shares = sample["hardware"].value_counts()
    assert shares["rare"] == 9 and abs(shares["common"] - shares["usual"]) <= 1
    assert (sample.drop_duplicates("config_id")["framework_version"] == "2.2").all()


def test_some_configurations_bring_a_repeat_to_tell_the_noise(ranked):
    runs = pd.concat([nightly({"common": 300}, versions=1)] * 4)
    sample = ranked(runs=runs.assign(throughput=100 + np.arange(len(runs)) / 7))[:200]
    assert 2 <= 200 - sample["config_id"].nunique() <= 40


@pytest.mark.parametrize(
    ("devices", "cut"),
    [({"common": 120, "usual": 120}, 100), ({f"device {n}": 1 for n in range(60)}, 30)],
    ids=["within devices", "between devices"],
)
def test_a_new_night_replaces_older_runs_of_its_configurations_and_of_no_others(
    ranked, devices, cut
):
    before = nightly(devices, versions=3)
    night = before[(before["framework_version"] == "2.2") & (before["batch_size"] <= 12)]
    night = night.assign(framework_version="2.3", throughput=night["throughput"] + 1)
    first, second = ranked(runs=before)[:cut], ranked(more=night)[:cut]
    new = second[~second["measurement_id"].isin(first["measurement_id"])]
    assert len(new) and (new["framework_version"] == "2.3").all()
    assert set(second["config_id"]) == set(first["config_id"])


def test_recorded_results_are_learned_first(ranked):
    result = nightly({"common": 1}, versions=1).assign(batch_size=999)
    every = ranked(runs=nightly({"common": 30, "rare": 2}, versions=2), recorded=result)
    assert every["batch_size"][0] == 999


def test_one_configuration_repeated_without_end_takes_no_place_of_others(ranked):
    often = nightly({"rare": 1}, versions=60)
    every = ranked(runs=pd.concat([often, nightly({"common": 40}, versions=1)]))
    assert (every[:60]["hardware"] == "rare").sum() == MOST_REPEATS
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["vars"]["most_repeats"] == MOST_REPEATS
