"""A process around physics: which share of it, and what is said of rows that are held out."""

import numpy as np
import pandas as pd
import pytest

from models_py.base import Base
from models_py.belief import Belief, Rows
from models_py.features import Encoder
from models_py.process import Process


@pytest.fixture(scope="module")
def rows(frames) -> Rows:
    """Bundled runs, two of them repeated."""
    training, _ = frames
    runs = training[training["throughput"].notna()].sample(60, random_state=1)
    runs = pd.concat([runs, runs.head(2).assign(throughput=runs["throughput"].head(2) * 1.1)])
    encoder = Encoder.fit(runs)
    log_value = np.log(runs["throughput"].to_numpy(float))
    anchor = np.log(runs["bound_throughput"].to_numpy(float)) - 1
    configurations = pd.factorize(runs["config_id"])[0]
    return Rows(encoder.transform(runs), anchor, encoder, log_value, configurations)


@pytest.fixture(scope="module")
def fitted(rows) -> tuple[Process, Belief]:
    return Process.fit(rows, seed=0)


@pytest.fixture(scope="module")
def process(fitted) -> Process:
    return fitted[0]


def test_no_other_share_of_physics_has_a_smaller_held_out_error(process, rows):
    def error(share: float) -> float:
        target = rows.log_value - share * rows.anchor
        other = Process(process.remainder.of(target, float(np.median(target))), share)
        return float(np.abs(other.held_out(rows).mean - rows.log_value).mean())

    best = error(process.physics_share)
    assert all(best <= 1.002 * error(share) for share in np.linspace(0, 1, 21))


def test_a_metric_that_physics_says_all_of_is_a_share_of_one(rows):
    told = Rows(rows.features, rows.anchor, rows.encoder, rows.anchor + 0.3, rows.configurations)
    process, _ = Process.fit(told, seed=0)
    assert process.physics_share >= 0.99
    # also where physics says otherwise than of any row that was seen
    beyond = Rows(rows.features, rows.anchor + 5, rows.encoder)
    np.testing.assert_allclose(process.predict(beyond).mean, rows.anchor + 5.3, atol=0.1)


def test_physics_that_is_the_same_for_all_rows_is_not_trusted(rows):
    alike = Rows(
        rows.features,
        np.full(len(rows), 2.0),
        rows.encoder,
        rows.log_value,
        rows.configurations,
    )
    assert Process.fit(alike, seed=0)[0].physics_share == 0


def test_held_out_is_what_the_others_predict(fitted, rows):
    process, told = fitted
    whole = process.held_out(rows)
    np.testing.assert_allclose(told, whole, rtol=1e-9)
    for configuration in (0, 7, 31):
        here = rows.configurations == configuration
        expected = process.without(here).predict(rows.take(here))
        np.testing.assert_allclose(whole.mean[here], expected.mean, rtol=1e-6)
        np.testing.assert_allclose(whole.epistemic[here], expected.epistemic, rtol=1e-4)


def test_what_another_version_saved_lacks_something(tmp_path):
    """A registered model of another version is told from one whose files are gone."""
    (tmp_path / "base.json").write_text(
        '{"residual_share": 0.5, "bag_share": 0.1, "boosts": false}'
    )
    with pytest.raises(KeyError, match="physics_share"):
        Base.load(tmp_path)
