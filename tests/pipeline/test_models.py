"""Which model serves: compared, promoted, rolled back, released; and a registry that was moved."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from pipelines.tracking import Tracker
from tests.support import Commands, bundled_rows, write_csv


def _newest(commands: Commands) -> dict:
    found = json.loads(
        commands.succeed("models", "compare", "--metric", "throughput", "--json").stdout
    )
    return found[0]


def _champion(commands: Commands) -> str:
    client = MlflowClient(f"sqlite:///{commands.home / 'mlruns' / 'mlflow.db'}")
    return str(client.get_model_version_by_alias("benchmart-throughput", "champion").version)


def _fit_another(commands: Commands) -> None:
    """A second build fits, and serves, a second model."""
    write_csv(commands.home / "raw" / "more.csv", list(bundled_rows(model_name="vit-tiny")))
    commands.build()
    assert _newest(commands)["serving_version"] == _champion(commands) == "2"


def test_a_person_chooses_which_model_serves(small: Commands):
    _fit_another(small)
    done = small.succeed("models", "rollback", "throughput")
    assert "throughput: version 1 is champion" in done.stdout
    assert _champion(small) == "1"
    small.succeed("models", "release", "throughput")
    assert _champion(small) == "2"
    small.succeed("models", "promote", "throughput", "1")
    assert _champion(small) == "1"


@pytest.mark.slow
def test_what_a_person_chose_serves_in_builds_until_it_is_released(small: Commands):
    before = small.query("select * from analytics.predictions where metric = 'throughput'")
    _fit_another(small)
    small.succeed("models", "promote", "throughput", "1")
    small.build()
    newest = _newest(small)
    assert (newest["model_version"], newest["serving_version"]) == ("3", "1")
    assert newest["reason"] == "version 1 is pinned" and not newest["is_champion"]
    # the first model, on the rows that it knows, says what it said before
    again = small.query("select * from analytics.predictions where metric = 'throughput'")
    known = small.query("select distinct config_id from analytics.measurements")["config_id"]
    before = before[before["config_id"].isin(known)]
    both = before.merge(again, on="config_id", suffixes=("", "_again"))
    assert len(both) == len(before)
    pd.testing.assert_series_equal(both["p50"], both["p50_again"], check_names=False)
    assert "nothing changed" in small.build().stderr
    assert "no version served before version 1" in small.refused("models", "rollback", "throughput")

    small.succeed("models", "release", "throughput")
    small.build()
    newest = _newest(small)
    assert newest["serving_version"] == newest["model_version"] == _champion(small) == "4"


def test_bad_choices_are_named(small: Commands):
    said = small.refused("models", "promote", "thruput", "1")
    assert "no model of 'thruput'; did you mean 'throughput'?" in said
    said = small.refused("models", "promote", "throughput", "9")
    assert "throughput: no version '9'; newest: 1" in said
    assert "no version served before version 1" in small.refused("models", "rollback", "throughput")
    assert "throughput: no version is pinned" in small.refused("models", "release", "throughput")
    table = small.succeed("models", "compare").stdout
    assert "serves" in table and "latency_ms" in table


def test_a_moved_registry_finds_its_models_again(small: Commands, tmp_path):
    home = tmp_path / "elsewhere"
    shutil.move(small.home, home)
    moved = Commands(home)
    done = moved.run("build", "--raw", home / "raw", "--full-refresh")
    assert done.returncode == 1
    assert "was moved here; run `benchmart models relocate`" in done.stderr
    said = moved.succeed("models", "relocate").stdout
    assert "addresses changed" in said and not said.endswith(": 0 addresses changed\n")
    assert moved.succeed("models", "relocate").stdout.endswith(": 0 addresses changed\n")
    tracker = Tracker(home / "mlruns")
    assert tracker.load("throughput", "1").rows > 0
    entry = tracker.client.get_model_version("benchmart-throughput", "1")
    run = tracker.client.get_run(entry.run_id)
    assert run.info.artifact_uri.startswith((home / "mlruns").as_uri())
    moved.succeed("models", "promote", "throughput", "1")
    shutil.rmtree(home / "mlruns" / "artifacts" / "models")
    done = moved.run("models", "promote", "throughput", "1")
    assert done.returncode == 1
    assert "version 1 cannot be loaded" in done.stderr and "Traceback" not in done.stderr
