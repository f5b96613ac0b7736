"""What a build predicts anew, and what it takes from the build before."""

from __future__ import annotations

import copy

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_py.boosting import LEVELS
from models_py.metric_model import MetricModel
from models_py.predict import PerformancePredictor
from pipelines.rescoring import PREDICTED, Rescoring, earlier_predictions
from pipelines.write_back import replace

NAME = "3 of a recipe"


class Counting:
    """A model that counts the rows that it is asked about."""

    def __init__(self, model: MetricModel) -> None:
        self.metric, self.inputs, self.digest = model.metric, model.inputs, model.digest
        self.model, self.asked = model, 0

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        self.asked += len(frame)
        return self.model.predict(frame)


@pytest.fixture(scope="module")
def fitted(frames) -> MetricModel:
    return MetricModel.fit(frames[0].iloc[::4], "throughput", LEVELS, seed=0, light=True)


@pytest.fixture
def model(fitted) -> Counting:
    return Counting(fitted)


@pytest.fixture
def asked(frames) -> pd.DataFrame:
    training, candidates = frames
    measured = training.drop_duplicates("config_id").iloc[:40]
    return pd.concat([measured, candidates], ignore_index=True)


@pytest.fixture
def con(fitted, asked) -> duckdb.DuckDBPyConnection:
    """The tables of a build that predicted what is asked."""
    with duckdb.connect() as con:
        first = _again(con, fitted, asked)
        _keep(con, asked, first)
        yield con


def _keep(con, asked: pd.DataFrame, predicted: pd.DataFrame) -> None:
    keys = asked[["config_id", "workload_id"]]
    rows = predicted.join(keys).assign(metric="throughput", model=NAME)
    replace(con, "previous_predictions", rows)


def _again(con, model, frame, name: str = NAME) -> pd.DataFrame:
    earlier = earlier_predictions(con, "", "~").to_pandas()
    return Rescoring({"throughput": name}, earlier).predict(model, frame)


def test_nothing_is_predicted_twice(con, model, asked):
    found = _again(con, model, asked.sample(frac=1, random_state=0))
    assert model.asked == 0
    expected = model.model.predict(asked)
    pd.testing.assert_frame_equal(found.sort_index()[list(expected)], expected, rtol=1e-12)
    assert set(PREDICTED) == set(expected)


def test_what_is_new_or_described_otherwise_is_predicted(con, model, asked):
    changed = asked.copy()
    changed.loc[[3, 50], "batch_size"] *= 2
    new = asked.iloc[[7, 8]].assign(config_id=["new", "newer"], batch_size=3.0)
    both = pd.concat([changed, new], ignore_index=True)
    found = _again(con, model, both)
    assert model.asked == 4
    expected = model.model.predict(both)
    pd.testing.assert_frame_equal(found[list(expected)], expected, rtol=1e-9)


def test_what_the_model_does_not_read_changes_nothing(con, model, asked):
    _again(
        con,
        model,
        asked.assign(workload="said otherwise", image_size=asked["image_size"].astype("Int64")),
    )
    assert model.asked == 0


def test_another_model_predicts_everything(con, model, asked):
    _again(con, model, asked, "4 of a recipe")
    assert model.asked == len(asked)


def test_a_model_without_a_name_predicts_everything(con, model, asked):
    Rescoring({}, earlier_predictions(con, "", "~").to_pandas()).predict(model, asked)
    assert model.asked == len(asked)


@pytest.mark.parametrize("column", ["inputs", "workload_id"])
def test_a_build_of_an_older_version_is_no_help(con, model, asked, column):
    con.execute(f"alter table ml.previous_predictions drop column {column}")
    _again(con, model, asked)
    assert model.asked == len(asked)


def test_kept_predictions_are_those_of_their_configuration(con, model, asked):
    con.execute(
        "update ml.previous_predictions set p50 = 7 where config_id = ?", [asked["config_id"][5]]
    )
    found = _again(con, model, asked)
    assert np.flatnonzero(found["p50"] == 7).tolist() == [5]


def test_a_mirror_is_predicted_by_what_was_found_of_its_own_source_alone(frames, monkeypatch):
    runs = frames[0].assign(latency_ms_is_derived=True)
    predictor = PerformancePredictor(("throughput", "latency_ms"), light=True).fit(runs)
    source, mirror = predictor.models["throughput"], predictor.models["latency_ms"]
    asked = runs.drop_duplicates("config_id").head(50)
    expected = mirror.predict(asked)
    none = earlier_predictions(duckdb.connect(), "", "~").to_pandas()
    other = copy.copy(source)
    vars(other).pop("digest", None)
    other.held_out = other.held_out.assign(log_value=other.held_out["log_value"] + 1)
    for first, again in ((source, 0), (other, 1)):
        rescoring, asks = Rescoring({}, none), []
        rescoring.predict(first, asked)
        with monkeypatch.context() as patch:
            usual = MetricModel.predict
            patch.setattr(
                MetricModel,
                "predict",
                lambda *given: asks.append(1) or usual(*given),  # noqa: B023
            )
            found = rescoring.predict(mirror, asked)
        assert len(asks) == again
        pd.testing.assert_frame_equal(found[list(expected)], expected, rtol=1e-9)
