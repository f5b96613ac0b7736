"""How many replicas carry a demand: small cases by hand, and properties."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_py.constraints import Constraints
from models_py.requirements import parse_requirements
from models_py.shapes import _why_not_carried
from models_py.sizing import Demand, rent, size_platforms

OFFERS = pd.DataFrame(
    {
        "hardware": ["abacus", "abacus", "sextant"],
        "device_count": [1, 4, 2],
        "price_per_hour": [1.0, 3.0, 5.0],
    }
)


def points(*rows: tuple[str, int, float]) -> pd.DataFrame:
    """Platforms at a batch, of 10 units of work a request."""
    frame = pd.DataFrame(rows, columns=["hardware", "batch_size", "prob_feasible"])
    return frame.assign(
        platform_id=frame["hardware"],
        device_count=1,
        concurrency=1,
        batch_work=10.0 * frame["batch_size"],
    )


def certain(*values: float) -> np.ndarray:
    return np.log(np.array(values))[:, None] + np.zeros((1, 5))


def test_replicas_carry_the_demand_and_no_fewer_would():
    asked = points(("abacus", 1, 1.0), ("sextant", 1, 1.0))
    drawn = {"throughput": certain(100, 1000)}  # 10 and 100 requests a second
    sized = size_platforms(asked, drawn, Demand(35), offers=OFFERS).set_index("hardware")
    assert sized["replicas"].to_dict() == {"abacus": 4, "sextant": 1}
    assert sized["cost_per_hour"].to_dict() == {"abacus": 3.0, "sextant": 5.0}
    assert sized.index[0] == "abacus"
    planned = size_platforms(asked, drawn, Demand(35, utilisation=0.5), offers=OFFERS)
    assert planned.set_index("hardware")["replicas"].to_dict() == {"abacus": 7, "sextant": 1}


def test_the_batch_is_the_cheapest_that_keeps_what_was_promised():
    asked = points(("abacus", 1, 1.0), ("abacus", 8, 1.0), ("abacus", 64, 1.0))
    drawn = {"throughput": certain(100, 500, 900), "latency_ms": certain(100, 160, 711)}
    free = size_platforms(asked, drawn, Demand(90), offers=OFFERS)
    assert free[["batch_size", "replicas"]].to_numpy().tolist() == [[64, 1]]
    kept = size_platforms(asked, drawn, Demand(90), parse_requirements("latency<=200"))
    assert kept[["batch_size", "replicas"]].to_numpy().tolist() == [[8, 2]]
    assert size_platforms(asked, drawn, Demand(90), parse_requirements("latency<=50")).empty


def test_latency_does_not_fall_with_the_batch():
    asked = points(("abacus", 1, 1.0), ("abacus", 8, 1.0))
    drawn = {"throughput": certain(100, 500), "latency_ms": certain(300, 160)}
    assert size_platforms(asked, drawn, Demand(9), parse_requirements("latency<=200")).empty


def test_a_demand_has_to_be_one():
    with pytest.raises(ValueError, match="arrivals or requests in flight"):
        size_platforms(points(("abacus", 1, 1.0)), {"throughput": certain(100)}, Demand())


def test_the_latency_that_binds_is_named_where_a_small_batch_is_slow():
    asked = points(("abacus", 1, 1.0), ("abacus", 8, 1.0)).assign(
        workload_id="w", platform="abacus x1", fits_in_memory=True, memory_share=0.1
    )
    margins = {
        "throughput": pd.DataFrame({"p50": [100.0, 500.0]}),
        "latency_ms": pd.DataFrame({"p50": [300.0, 160.0]}),
    }
    drawn = {"throughput": certain(100, 500), "latency_ms": certain(300, 160)}
    constraints = Constraints(requirements=parse_requirements("latency<=200"), confidence=0.6)
    reason = _why_not_carried(asked, drawn, margins, constraints, 0.5)
    assert reason.binding == "latency_ms<=200 with a probability of 60 %"


def test_requests_in_flight_need_places_not_speed():
    asked = points(("abacus", 8, 1.0))
    sized = size_platforms(asked, {}, Demand(in_flight=20), offers=OFFERS)
    assert sized["replicas"].tolist() == [3]


def test_the_probability_of_running_is_part_of_the_promise():
    asked = points(("abacus", 1, 0.9), ("sextant", 1, 0.5))
    drawn = {"throughput": np.log(np.linspace(10, 100, 100))[None].repeat(2, axis=0)}
    sized = size_platforms(asked, drawn, Demand(10), confidence=0.8, offers=OFFERS)
    assert sized["hardware"].tolist() == ["abacus"]
    assert 0.8 <= sized["prob_carried"].iloc[0] <= 0.9


def test_what_has_no_price_is_ranked_by_its_devices():
    asked = points(("abacus", 1, 1.0), ("sextant", 1, 1.0))
    sized = size_platforms(asked, {"throughput": certain(100, 1000)}, Demand(35))
    assert sized["hardware"].tolist() == ["sextant", "abacus"]
    assert sized["cost_per_hour"].isna().all()
    assert math.isnan(rent("nothing", 1, 1, OFFERS))


@given(
    st.floats(0.1, 1e4),
    st.floats(1.0, 3.0),
    st.floats(0.05, 0.9),
    st.integers(0, 2**31),
)
def test_more_demand_and_more_confidence_cost_no_less(demand, more, confidence, seed):
    asked = points(("abacus", 1, 1.0), ("abacus", 8, 1.0), ("sextant", 1, 1.0))
    drawn = {"throughput": np.random.default_rng(seed).normal(5, 1, (3, 40))}
    base, larger, surer = (
        size_platforms(asked, drawn, Demand(rate), confidence=share, offers=OFFERS).set_index(
            "hardware"
        )["cost_per_hour"]
        for rate, share in (
            (demand, confidence),
            (demand * more, confidence),
            (demand, confidence + 0.1),
        )
    )
    assert (larger >= base.reindex(larger.index) - 1e-9).all()
    assert (surer >= base.reindex(surer.index) - 1e-9).all()
    carried = size_platforms(asked, drawn, Demand(demand), confidence=confidence, offers=OFFERS)
    assert (carried["prob_carried"] >= confidence - 1e-9).all()


@pytest.mark.parametrize("replicas", [1, 3, 4, 5, 8, 9])
def test_rent_is_the_cheapest_way_to_have_so_many(replicas):
    assert rent("abacus", 1, replicas, OFFERS) == min(replicas * 1.0, -(-replicas // 4) * 3.0)
    assert rent("abacus", 3, replicas, OFFERS) == replicas * 3.0
