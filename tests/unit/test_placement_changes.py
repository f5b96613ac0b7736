"""Placements that may grow, and what one node more or fewer would change."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models_py.placement import (
    TooManyReplicasError,
    place,
    place_with_headroom,
)
from tests.unit.placements import (
    INVENTORY,
    kinds,
    random_demands,
    random_points,
    runs,
)


def test_headroom_uses_what_there_is():
    inventory = INVENTORY.assign(nodes=[3.0, 0.0, 0.0])
    points = random_points(2, 1).query("hardware == 'abacus' and device_count == 1")
    demand = points["rate"].iat[0]
    found = place_with_headroom(points, [demand], inventory)
    assert found.headroom == pytest.approx(3, rel=0.01)
    assert found.copies["carried"].sum() == pytest.approx(demand)
    short = place_with_headroom(points, [6 * demand], inventory)
    assert short.headroom == pytest.approx(0.5, rel=0.01)
    assert short.copies["carried"].sum() == pytest.approx(6 * demand * short.headroom)


def test_one_node_more_never_costs_more_and_one_fewer_never_less():
    points, demands = random_points(7, 4), random_demands(7, 4)
    free = place(points, demands, INVENTORY)
    tight = INVENTORY.assign(nodes=np.maximum(free.nodes - 1, 0).astype(float))
    inventory = tight.assign(nodes=tight["nodes"] + (tight.index == 2))
    found = place(points, demands, inventory, what_if=True)
    changes = found.changes
    used_up = np.flatnonzero(found.nodes == inventory["nodes"])
    assert changes["kind"].unique().tolist() == used_up.tolist()
    more, fewer = changes[changes["change"] > 0], changes[changes["change"] < 0]
    assert (more["unserved"] <= len(found.unserved)).all()
    assert (fewer["unserved"] >= len(found.unserved)).all()
    same = more[more["unserved"] == len(found.unserved)]
    assert (same["cost"] <= found.cost).all()


def test_what_ifs_cost_what_placing_on_other_nodes_costs():
    points, demands = random_points(6, 4), random_demands(6, 4)
    nodes = place(points, demands, INVENTORY).nodes
    inventory = INVENTORY.assign(nodes=np.maximum(nodes, 1).astype(float))
    found = place(points, demands, inventory, what_if=True)
    changes = found.changes
    served = changes[changes["unserved"] == 0]
    assert sorted(served["change"]) == [-1, 1, 1]
    for row in served.itertuples():
        changed = inventory["nodes"] + row.change * (inventory.index == row.kind)
        other = place(points, demands, inventory.assign(nodes=changed), gap=1e-6)
        assert row.cost == pytest.approx(other.cost)
        assert row.cost > found.cost if row.change < 0 else row.cost <= found.cost


def test_headroom_leaves_out_what_never_finds_room():
    inventory = kinds(("abacus", 1, 3.0, 1.0), ("sextant", 1, 0.0, 1.0))
    points = runs((0, "sextant", 1, 1.0, 0.5), (1, "abacus", 1, 1.0, 0.5))
    found = place_with_headroom(points, [1.0, 1.0], inventory)
    assert found.unserved == [0]
    assert found.headroom == pytest.approx(3, rel=0.01)
    assert found.copies["workload"].unique().tolist() == [1]
    assert found.copies["carried"].sum() == pytest.approx(1)
    none = place_with_headroom(points.head(1), [1.0], inventory)
    assert (none.unserved, none.headroom, none.cost) == ([0], None, 0)


def test_headroom_needs_numbers_of_nodes():
    with pytest.raises(ValueError, match="headroom needs a number of nodes"):
        place_with_headroom(random_points(1, 1), [1.0], INVENTORY.assign(nodes=math.inf))


def test_a_node_of_a_kind_of_which_there_is_none_is_asked_about():
    inventory = kinds(("abacus", 1, 0.0, 1.0), ("sextant", 1, 5.0, 9.0))
    points = runs((0, "abacus", 1, 1.0, 0.5), (0, "sextant", 1, 1.0, 0.5))
    changes = place(points, [0.5], inventory, what_if=True).changes
    assert changes[["kind", "change", "cost"]].to_numpy().tolist() == [[0, 1, 1.0]]


def test_headroom_leaves_out_no_more_than_it_has_to():
    memory = [0.4, 0.4, 0.3, 0.3, 0.3, 0.3] * 2
    points = runs(
        *((w, "abacus", 1, 1.0, share) for w, share in enumerate(memory)),
        (12, "sextant", 1, 1.0, 0.5),
    )
    inventory = kinds(("abacus", 1, 4.0, 1.0), ("sextant", 1, 0.0, 1.0))
    found = place_with_headroom(points, [0.01] * 13, inventory, seconds=30)
    assert found.unserved == [12]
    assert found.headroom > 1


def test_headroom_stops_where_replicas_cannot_be_told_any_more():
    points = runs((0, "sextant", 1, 1.0, 0.5), (1, "abacus", 1, 1.0, 0.5))
    inventory = kinds(("abacus", 8, 20_000.0, 1.0), ("sextant", 1, 0.0, 1.0))
    found = place_with_headroom(points, [1.0, 1000.0], inventory)
    assert found.unserved == [0]
    assert found.headroom == pytest.approx(100, rel=0.02)
    with pytest.raises(TooManyReplicasError) as error:
        place_with_headroom(points, [1.0, 150_000.0], inventory)
    assert error.value.workload == 1


def test_what_ifs_are_never_better_with_less():
    for seed in range(6):
        points, demands = random_points(seed, 9), random_demands(seed, 9) * 2
        inventory = INVENTORY.assign(nodes=[2.0, 2.0, 3.0])
        found = place(points, demands, inventory, seconds=0.2, what_if=True)
        plan = (len(found.unserved), found.cost)
        for row in found.changes.itertuples():
            other = (row.unserved, row.cost)
            assert other <= plan if row.change > 0 else other >= plan
