"""Placing workloads on nodes: against brute force, and what no placement may violate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_py.groups import groups_of, on_groups
from models_py.placement import (
    TooManyReplicasError,
    place,
)
from tests.unit.placements import (
    GROUPS,
    INVENTORY,
    kinds,
    random_demands,
    random_points,
    require_sound,
    runs,
)


def cheapest(points: pd.DataFrame, demands: np.ndarray) -> float:
    """The least cost, by trying every way of every workload and every sharing of groups."""
    rate = points.set_index(["workload", "hardware", "device_count"])["rate"].to_dict()
    memory = points.set_index(["workload", "hardware", "device_count"])["memory"].to_dict()

    def ways(workload: int) -> Iterator[tuple]:
        most = [math.floor(demands[workload] / rate[workload, *group]) for group in GROUPS]
        for full in itertools.product(*(range(number + 1) for number in most)):
            carried = sum(
                number * rate[workload, *group] for number, group in zip(full, GROUPS, strict=True)
            )
            for other in GROUPS:
                share = (demands[workload] - carried) / rate[workload, *other]
                if 0 <= share <= 1:
                    yield full, other, share, memory[workload, *other]

    best = math.inf
    for chosen in itertools.product(*(list(ways(w)) for w in range(len(demands)))):
        for parts in partitions(list(range(len(chosen)))):
            if all(fit([chosen[w] for w in part]) for part in parts):
                number = dict.fromkeys(GROUPS, 0)
                for full, *_ in chosen:
                    for group, each in zip(GROUPS, full, strict=True):
                        number[group] += each
                for part in parts:
                    number[chosen[part[0]][1]] += 1
                best = min(best, cost_of(number))
    return best


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, *others = items
    for parts in partitions(others):
        yield [[first], *parts]
        for position in range(len(parts)):
            yield [*parts[:position], [first, *parts[position]], *parts[position + 1 :]]


def fit(ways: list[tuple]) -> bool:
    """Whether rests can share a group."""
    same = len({way[1] for way in ways}) == 1
    return same and sum(way[2] for way in ways) <= 1 and sum(way[3] for way in ways) <= 1


def cost_of(number: dict) -> float:
    singles, pairs = number["abacus", 1], number["abacus", 2]
    costs = [
        ones + 1.7 * twos
        for ones, twos in itertools.product(range(10), repeat=2)
        if pairs <= twos and singles <= ones + 2 * (twos - pairs)
    ]
    return min(costs) + 1.3 * number["sextant", 1]


@pytest.mark.parametrize("seed", range(12))
def test_small_placements_cost_what_brute_force_finds(seed):
    points, demands = random_points(seed, 3), random_demands(seed, 3) / 2
    found = place(points, demands, INVENTORY, gap=1e-6)
    assert found.cost == pytest.approx(cheapest(points, demands))
    assert found.gap == pytest.approx(0, abs=1e-6)
    require_sound(found, points, demands, INVENTORY)


@given(st.integers(0, 10_000), st.integers(1, 10), st.integers(0, 4))
@settings(max_examples=25)
def test_no_placement_exceeds_what_there_is(seed, workloads, nodes):
    points, demands = random_points(seed, workloads), random_demands(seed, workloads) * 2
    inventory = INVENTORY.assign(nodes=float(nodes))
    found = place(points, demands, inventory, seconds=2)
    require_sound(found, points, demands, inventory)
    assert found.bound is None or found.bound <= found.cost + 1e-9


def test_memory_decides_what_shares_a_device():
    inventory = pd.DataFrame(
        [("abacus", 1, math.inf, 1.0)],
        columns=["hardware", "device_count", "nodes", "price_per_hour"],
    )
    points = pd.DataFrame(
        {"workload": [0, 1], "hardware": "abacus", "device_count": 1, "rate": 10.0, "memory": 0.5}
    )
    together = place(points, [4, 4], inventory)
    assert together.cost == 1
    assert together.copies["share"].tolist() == pytest.approx([0.4, 0.4])
    assert place(points.assign(memory=0.51), [4, 4], inventory).cost == 2
    assert place(points, [4, 7], inventory).cost == 2


def test_a_demand_that_one_kind_cannot_carry_is_split():
    inventory = INVENTORY.assign(nodes=[2.0, 0.0, 3.0])
    points = pd.DataFrame(
        [(0, "abacus", 1, 10.0, 0.5), (0, "sextant", 1, 5.0, 0.5)],
        columns=["workload", "hardware", "device_count", "rate", "memory"],
    )
    found = place(points, [31.0], inventory)
    require_sound(found, points, np.array([31.0]), inventory)
    assert found.nodes.tolist() == [2, 0, 3]
    assert place(points, [36.0], inventory).unserved == [0]


def test_groups_of_devices_nest():
    points = pd.DataFrame({"hardware": "abacus", "device_count": [1, 2, 3, 4, 6, 8]})
    inventory = pd.DataFrame({"hardware": ["abacus", "sextant"], "device_count": [6, 8]})
    assert groups_of(points, inventory)["device_count"].tolist() == [1, 3, 6]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"demands": [0.0, 1.0]}, "demands have to be numbers above zero"),
        ({"rate": 0.0}, "rates have to be numbers above zero"),
        ({"memory": 1.2}, "shares of memory"),
        ({"price_per_hour": -1.0}, "prices have to be numbers from zero on"),
        ({"nodes": -1.0}, "numbers of nodes"),
    ],
)
def test_what_makes_no_sense_is_refused(change, words):
    points, inventory = random_points(0, 2), INVENTORY
    demands = change.pop("demands", [1.0, 1.0])
    points = points.assign(**{k: v for k, v in change.items() if k in points})
    inventory = inventory.assign(**{k: v for k, v in change.items() if k in inventory})
    with pytest.raises(ValueError, match=words):
        place(points, demands, inventory)


@pytest.mark.parametrize("demand", [1e-12, 1e-7, 1 + 1e-12, 2 - 1e-12, 3 + 1e-7])
def test_demands_of_nearly_a_whole_number_of_replicas_are_carried(demand):
    points = runs((0, "abacus", 1, 1.0, 0.5), (1, "abacus", 1, 1.0, 0.5))
    found = place(points, [demand, 0.3], kinds(("abacus", 1, 9.0, 1.0)))
    require_sound(found, points, np.array([demand, 0.3]), kinds(("abacus", 1, 9.0, 1.0)))
    assert not found.unserved


def test_a_dear_node_of_many_devices_is_used_rather_than_a_workload_left_out():
    inventory = kinds(("abacus", 32, 2.0, 500.0), ("sextant", 1, 1.0, 0.1))
    points = runs(*((w, "abacus", 32, 1.0, 0.9) for w in range(3)), (0, "sextant", 1, 1.0, 0.9))
    found = place(points, [0.5, 0.5, 0.5], inventory)
    assert (found.unserved, found.nodes.tolist()) == ([], [2, 1])


def test_a_demand_may_need_all_kinds_that_there_are():
    names = ("abacus", "sextant", "octant")
    inventory = kinds(*((name, 1, 2.0, 1.0) for name in names))
    points = runs(*((0, name, 1, 1.0, 0.5) for name in names))
    found = place(points, [5.5], inventory)
    require_sound(found, points, np.array([5.5]), inventory)
    assert found.nodes.tolist() == [2, 2, 2]


def test_full_groups_of_one_kind_can_be_shared_between_workloads(monkeypatch):
    inventory = kinds(("abacus", 1, 12.0, 1.0), ("sextant", 1, 12.0, 5.0))
    points = runs(
        (0, "abacus", 1, 1.0, 0.9), (0, "sextant", 1, 1.0, 0.9), (1, "abacus", 1, 1.0, 0.9)
    )
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    found = place(points, [10.0, 5.0], inventory, seconds=2, gap=1e-6)
    require_sound(found, points, np.array([10.0, 5.0]), inventory)
    assert (found.nodes.tolist(), found.cost) == ([12, 3], 27.0)


@pytest.mark.parametrize("sizes", [(3, 4), (4, 6), (2, 3, 8)])
def test_sizes_that_do_not_nest_are_placed_too(sizes):
    inventory = kinds(("abacus", 8, 3.0, 1.0))
    points = runs(*((w, "abacus", size, 1.0, 0.9) for w, size in enumerate(sizes)))
    demands = np.ones(len(sizes))
    found = place(points, demands, inventory)
    require_sound(found, points, demands, inventory)
    assert not found.unserved


def test_points_that_take_less_memory_are_kept_beside_the_fastest():
    points = runs(
        *((0, "abacus", 1, rate, memory) for rate, memory in ((9, 0.5), (8, 0.45), (7, 0.39)))
    )
    placed = on_groups(points, groups_of(points, kinds(("abacus", 1, 1.0, 1.0))))
    assert placed["memory"].tolist() == [0.5, 0.39]


def test_nodes_that_cost_nothing_are_used_where_something_runs():
    inventory = kinds(("abacus", 8, 500.0, 0.0), ("sextant", 1, math.inf, 0.0))
    points = runs((0, "abacus", 1, 1.0, 0.5), (1, "sextant", 1, 1.0, 0.5))
    found = place(points, [9.5, 2.0], inventory, what_if=True)
    require_sound(found, points, np.array([9.5, 2.0]), inventory)
    assert (found.nodes.tolist(), found.cost, found.gap) == ([2, 2], 0.0, 0.0)


@pytest.mark.parametrize("currency", [1e-7, 1.0, 1e7])
def test_the_unit_of_prices_does_not_matter(currency, monkeypatch):
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    points, demands = random_points(5, 6), random_demands(5, 6)
    inventory = INVENTORY.assign(price_per_hour=INVENTORY["price_per_hour"] * currency)
    found = place(points, demands, inventory, seconds=5, gap=0.05)
    assert found.cost == pytest.approx(currency * place(points, demands, INVENTORY).cost, rel=0.05)
    assert 0 <= found.gap <= 0.1


def test_more_replicas_than_can_be_told_are_refused():
    points = runs((0, "abacus", 1, 1.0, 0.5), (1, "abacus", 1, 1.0, 0.5))
    inventory = kinds(("abacus", 8, math.inf, 1.0))
    with pytest.raises(TooManyReplicasError, match="1000000 of 1000004 replicas") as error:
        place(points, [3.5, 1e6], inventory)
    assert error.value.workload == 1


def test_groups_of_one_device_share_its_nodes():
    inventory = kinds(("abacus", 4, 1.0, 2.0), ("abacus", 2, 1.0, 1.0), ("abacus", 1, 1.0, 1.0))
    sizes = {1: 1.0, 2: 2.5, 4: 6.0}
    points = runs(*((0, "abacus", size, rate, 0.9) for size, rate in sizes.items()))
    found = place(points, [9.4], inventory)
    require_sound(found, points, np.array([9.4]), inventory)
    assert (found.unserved, found.nodes.tolist()) == ([], [1, 1, 1])
    assert place(points, [9.6], inventory).unserved == [0]


@pytest.mark.parametrize("few", [0, 64])
def test_fewer_full_groups_are_tried_where_the_rest_runs_better_elsewhere(few, monkeypatch):
    monkeypatch.setattr("models_py.ways.FEW", few)
    inventory = kinds(("abacus", 1, 9.0, 1.0), ("sextant", 1, 9.0, 1.2))
    points = runs((0, "abacus", 1, 1.0, 0.9), (0, "sextant", 1, 1.6, 0.9))
    assert place(points, [2.5], inventory, gap=1e-6).cost == pytest.approx(2.2)
    # one full abacus, and most of a sextant that another workload needs too
    points = runs(
        (0, "abacus", 1, 1.0, 0.4), (0, "sextant", 1, 1.9, 0.4), (1, "sextant", 1, 1.0, 0.4)
    )
    assert place(points, [2.5, 0.2], inventory, gap=1e-6).cost == pytest.approx(2.2)


@pytest.mark.parametrize("price", [1.0, 1e4, 1e7])
def test_a_kind_that_is_not_used_does_not_matter(price, monkeypatch):
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    points, demands = random_points(5, 6), random_demands(5, 6)
    plain = place(points, demands, INVENTORY, seconds=3)
    dear = pd.concat([INVENTORY, kinds(("octant", 8, 0.0, price))], ignore_index=True)
    found = place(points, demands, dear, seconds=3)
    assert (found.cost, found.gap) == (pytest.approx(plain.cost), pytest.approx(plain.gap))


@pytest.mark.parametrize("demands", [[math.inf, 1.0], [math.nan, 1.0]])
def test_demands_that_are_no_numbers_are_refused(demands):
    with pytest.raises(ValueError, match="demands have to be numbers"):
        place(random_points(0, 2), demands, INVENTORY)


def test_nothing_to_place_takes_nothing():
    found = place(random_points(0, 1).head(0), [], INVENTORY)
    assert (found.cost, found.unserved, len(found.copies)) == (0, [], 0)
