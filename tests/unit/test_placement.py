"""Placing workloads on nodes: against brute force, and what no placement may violate."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_py.colocation import Columns, Values
from models_py.fleet import Fleet
from models_py.groups import Rooms, groups_of, on_groups
from models_py.highs import solve_integer
from models_py.placement import (
    Placement,
    TooManyReplicasError,
    place,
    place_with_headroom,
)
from models_py.programme import Programme
from models_py.search import ENUMERATED
from models_py.ways import Ways

GROUPS = (("abacus", 1), ("abacus", 2), ("sextant", 1))
INVENTORY = pd.DataFrame(
    [("abacus", 1, 9.0, 1.0), ("abacus", 2, 9.0, 1.7), ("sextant", 1, 9.0, 1.3)],
    columns=["hardware", "device_count", "nodes", "price_per_hour"],
)


def random_points(seed: int, workloads: int, groups: tuple = GROUPS) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = [
        (workload, *group, generator.uniform(0.5, 2) * group[1], generator.uniform(0.1, 0.9))
        for workload in range(workloads)
        for group in groups
    ]
    return pd.DataFrame(rows, columns=["workload", "hardware", "device_count", "rate", "memory"])


def random_demands(seed: int, workloads: int) -> np.ndarray:
    return np.random.default_rng(seed + 1).uniform(0.1, 2.5, workloads)


def fleet_of(points: pd.DataFrame, demands: np.ndarray) -> Fleet:
    groups = groups_of(points, INVENTORY)
    return Fleet(on_groups(points, groups), demands, groups, INVENTORY)


def require_sound(
    found: Placement, points: pd.DataFrame, demands: np.ndarray, inventory: pd.DataFrame
) -> None:
    """No device is given away twice, no memory or time exceeded, and every demand is carried."""
    copies = found.copies
    assert (found.nodes <= inventory["nodes"]).all()
    assert copies["node"].to_numpy() == pytest.approx(
        np.minimum(copies["node"], found.nodes[copies["kind"].to_numpy(int)])
    )
    group = ["kind", "node", "first_device"]
    used = copies.groupby(group)[["share", "memory"]].sum()
    assert (used <= 1 + 1e-6).all().all()
    assert not copies.duplicated([*group, "workload"]).any()
    taken = [
        (kind, node, device)
        for (kind, node, first), count in copies.groupby(group)["device_count"].max().items()
        for device in range(first, first + count)
    ]
    assert len(taken) == len(set(taken))
    for kind, _, device in taken:
        assert device < inventory["device_count"].iat[kind]
    run = points.loc[copies["point"].to_numpy(int)].reset_index(drop=True)
    assert (run["workload"].to_numpy() == copies["workload"]).all()
    assert (run["device_count"].to_numpy() == copies["device_count"]).all()
    assert (copies["carried"] <= run["rate"] * copies["share"] + 1e-9).all()
    carried = copies.groupby("workload")["carried"].sum()
    for workload, demand in enumerate(demands):
        if workload not in found.unserved:
            assert carried[workload] == pytest.approx(demand, rel=1e-5, abs=1e-5)
        else:
            own = points[points["workload"] == workload]
            assert most_carried_by_idle(own, taken, inventory) < demand


def most_carried_by_idle(
    own: pd.DataFrame, taken: list[tuple[int, int, int]], inventory: pd.DataFrame
) -> float:
    """What devices that nothing runs on carry of one workload, by full groups of every size."""
    busy = pd.DataFrame(taken, columns=["kind", "node", "device"]).groupby(["kind", "node"]).size()
    carried = 0.0
    for kind, row in enumerate(inventory.itertuples()):
        points = own[own["hardware"] == row.hardware]
        best = [0.0]  # by number of devices
        for devices in range(1, row.device_count + 1):
            with_last = [
                point.rate + best[devices - point.device_count]
                for point in points.itertuples()
                if point.device_count <= devices
            ]
            best.append(max([best[-1], *with_last]))
        for node in range(1, int(row.nodes) + 1):
            carried += best[row.device_count - busy.get((kind, node), 0)]
    return carried


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
@settings(max_examples=25, deadline=None)
def test_no_placement_exceeds_what_there_is(seed, workloads, nodes):
    points, demands = random_points(seed, workloads), random_demands(seed, workloads) * 2
    inventory = INVENTORY.assign(nodes=float(nodes))
    found = place(points, demands, inventory, seconds=2)
    require_sound(found, points, demands, inventory)
    assert found.bound is None or found.bound <= found.cost + 1e-9


def test_generated_columns_find_what_all_columns_do(monkeypatch):
    points, demands = random_points(5, 7), random_demands(5, 7)
    exact = place(points, demands, INVENTORY, gap=1e-6)
    assert exact.gap == pytest.approx(0, abs=1e-6)
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    generated = place(points, demands, INVENTORY, seconds=3, gap=1e-6)
    require_sound(generated, points, demands, INVENTORY)
    assert generated.bound <= exact.cost + 1e-6
    assert exact.cost - 1e-6 <= generated.cost <= 1.03 * exact.cost


def test_the_best_column_is_found_and_nothing_is_worth_more():
    points, demands = random_points(3, 8), random_demands(3, 8) / 4
    groups = groups_of(points, INVENTORY)
    rooms = Rooms(groups, INVENTORY)
    ways = Ways(on_groups(points, groups), demands, rooms, np.ones(len(groups)))
    ways.allow(rooms.limits(INVENTORY["nodes"].to_numpy()))
    every = Columns(ways)
    assert every.enumerate_all(ENUMERATED)
    worth = np.random.default_rng(0).uniform(0, 1, 8)[ways.workload]
    own = ways.group
    best = [
        max(worth[list(column)].sum() for column in every.members if own[column[0]] == group)
        for group in range(len(groups))
    ]
    some = Columns(ways)
    for group, value in enumerate(best):
        column, excess = some.best(group, Values(worth, np.zeros(len(groups))))
        assert excess == pytest.approx(value, rel=1e-3)
        assert worth[list(column)].sum() == pytest.approx(value, rel=1e-3)


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


def test_the_solver_says_nothing_on_standard_output(capfd, monkeypatch):
    points, demands = random_points(1, 6), random_demands(1, 6)
    fleet_of(points, demands).solve(INVENTORY["nodes"].to_numpy(), 5, 0.01)
    monkeypatch.setattr("models_py.highs.milp", lambda: os.write(1, b"as HiGHS does, past Python"))
    solve_integer()
    assert capfd.readouterr().out == ""


def test_the_bound_holds_of_columns_that_were_not_found(monkeypatch):
    points, demands = random_points(11, 5), random_demands(11, 5) / 3
    exact = place(points, demands, INVENTORY, gap=1e-6)
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    monkeypatch.setattr(Columns, "price", lambda *_: 0)
    fleet = fleet_of(points, demands)
    fleet.ways.allow(fleet.rooms.limits(INVENTORY["nodes"].to_numpy()))
    fleet.columns.refresh()
    monkeypatch.setattr(fleet.columns, "add", lambda _: False)
    found = fleet.solve(INVENTORY["nodes"].to_numpy(), 1, 1e-6)
    assert found.cost > exact.cost + 0.1  # nothing is shared
    assert 0.5 * exact.cost < found.bound <= exact.cost + 1e-6


def kinds(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["hardware", "device_count", "nodes", "price_per_hour"])


def runs(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["workload", "hardware", "device_count", "rate", "memory"])


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


def test_without_a_solution_of_the_solver_workloads_are_placed_one_by_one(monkeypatch):
    points, demands = random_points(4, 8), random_demands(4, 8)
    exact = place(points, demands, INVENTORY)
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    monkeypatch.setattr(Programme, "whole", lambda *_: None)
    found = place(points, demands, INVENTORY, seconds=1)
    require_sound(found, points, demands, INVENTORY)
    assert not found.unserved
    assert found.bound <= exact.cost + 1e-6 <= found.cost + 1e-5 <= 2 * exact.cost


def test_the_best_round_counts_and_not_the_last(monkeypatch):
    points, demands = random_points(4, 8), random_demands(4, 8)
    exact, rounds = place(points, demands, INVENTORY, gap=1e-6), []
    whole = Programme.whole

    def only_once(*arguments: object) -> object:
        rounds.append(1)
        return whole(*arguments) if len(rounds) == 1 else None

    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    monkeypatch.setattr(Programme, "whole", only_once)
    found = place(points, demands, INVENTORY, seconds=2, gap=0.0)
    assert len(rounds) > 1
    assert found.cost <= 1.03 * exact.cost


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


def test_more_replicas_than_can_be_told_are_refused():
    points = runs((0, "abacus", 1, 1.0, 0.5), (1, "abacus", 1, 1.0, 0.5))
    inventory = kinds(("abacus", 8, math.inf, 1.0))
    with pytest.raises(TooManyReplicasError, match="1000000 of 1000004 replicas") as error:
        place(points, [3.5, 1e6], inventory)
    assert error.value.workload == 1


def test_a_node_of_a_kind_of_which_there_is_none_is_asked_about():
    inventory = kinds(("abacus", 1, 0.0, 1.0), ("sextant", 1, 5.0, 9.0))
    points = runs((0, "abacus", 1, 1.0, 0.5), (0, "sextant", 1, 1.0, 0.5))
    changes = place(points, [0.5], inventory, what_if=True).changes
    assert changes[["kind", "change", "cost"]].to_numpy().tolist() == [[0, 1, 1.0]]


def test_many_small_workloads_share_nodes_better_than_by_first_fit():
    generator = np.random.default_rng(0)
    points = runs(*((w, "abacus", 1, 1.0, generator.uniform(0.01, 0.2)) for w in range(100)))
    demands, inventory = generator.uniform(0.001, 0.1, 100), kinds(("abacus", 1, math.inf, 1.0))
    found = place(points, demands, inventory, seconds=2)
    require_sound(found, points, demands, inventory.assign(nodes=100.0))
    groups = groups_of(points, inventory)
    fleet = Fleet(on_groups(points.assign(point=points.index), groups), demands, groups, inventory)
    fleet.ways.allow(fleet.rooms.limits(inventory["nodes"].to_numpy()))
    assert found.cost <= fleet.completed(inventory["nodes"].to_numpy(), []).cost
    assert points["memory"].sum() <= found.cost <= points["memory"].sum() + 2


def test_groups_of_one_device_share_its_nodes():
    inventory = kinds(("abacus", 4, 1.0, 2.0), ("abacus", 2, 1.0, 1.0), ("abacus", 1, 1.0, 1.0))
    sizes = {1: 1.0, 2: 2.5, 4: 6.0}
    points = runs(*((0, "abacus", size, rate, 0.9) for size, rate in sizes.items()))
    found = place(points, [9.4], inventory)
    require_sound(found, points, np.array([9.4]), inventory)
    assert (found.unserved, found.nodes.tolist()) == ([], [1, 1, 1])
    assert place(points, [9.6], inventory).unserved == [0]


def test_fewer_full_groups_are_tried_where_the_rest_runs_better_elsewhere():
    inventory = kinds(("abacus", 1, 9.0, 1.0), ("sextant", 1, 9.0, 1.2))
    points = runs((0, "abacus", 1, 1.0, 0.9), (0, "sextant", 1, 1.6, 0.9))
    assert place(points, [2.5], inventory, gap=1e-6).cost == pytest.approx(2.2)


def test_headroom_leaves_out_no_more_than_it_has_to():
    memory = [0.4, 0.4, 0.3, 0.3, 0.3, 0.3] * 6
    points = runs(
        *((w, "abacus", 1, 1.0, share) for w, share in enumerate(memory)),
        (36, "sextant", 1, 1.0, 0.5),
    )
    inventory = kinds(("abacus", 1, 12.0, 1.0), ("sextant", 1, 0.0, 1.0))
    found = place_with_headroom(points, [0.01] * 37, inventory, seconds=4)
    assert found.unserved == [36]
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


def test_the_bound_is_below_what_any_placement_costs_also_when_time_is_short(monkeypatch):
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    points, demands = random_points(8, 12), random_demands(8, 12) / 4
    good = place(points, demands, INVENTORY, seconds=4)
    hasty = place(points, demands, INVENTORY, seconds=0.05, gap=0)
    require_sound(hasty, points, demands, INVENTORY)
    assert hasty.bound is None or 0.3 * good.cost < hasty.bound <= good.cost + 1e-6
