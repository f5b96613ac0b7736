"""A build of more measurements than models are to learn from."""

from __future__ import annotations

import pytest

from tests.support import Commands


@pytest.mark.slow
def test_what_models_learn_from_is_said_and_every_measurement_counts(small: Commands):
    done = small.build(BENCHMART_TRAINING_ROWS="100")
    ((every, configurations),) = small.query(
        "select count(*), count(distinct config_id) from core.runs where status = 'ok'"
    ).to_numpy()
    assert every > 100
    warning = f"models learn from 100 of {every} measurements"
    assert f"warning: {warning}" in done.stderr
    assert "throughput: fitted anew, fitted by other code, facts or settings" in done.stderr
    said = small.query("select unnest(warnings) as said from analytics.builds order by started_at")
    assert said["said"].iloc[-1].startswith(warning)
    sample = small.query("select * from analytics.training_sample order by all")
    assert sample["measurements"].sum() == every
    assert sample["measurements_learned"].sum() == 100
    # devices take turns: of one with few measurements none is left out for one with many
    assert sample["measurements_learned"].max() - sample["measurements_learned"].min() <= 1
    known = small.query(
        "select count(*) as found from analytics.predictions"
        " where metric = 'throughput' and measured_value is not null"
    )
    assert known["found"].item() == configurations
    again = small.build(BENCHMART_TRAINING_ROWS="100")
    assert "nothing changed" in again.stderr
