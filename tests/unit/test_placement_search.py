"""How placements are looked for: columns, bounds, and what is there when time is short."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from models_py.colocation import Columns, Values
from models_py.fleet import Fleet
from models_py.groups import Rooms, groups_of, on_groups
from models_py.highs import solve_integer
from models_py.placement import (
    place,
)
from models_py.programme import Programme
from models_py.search import ENUMERATED
from models_py.ways import Ways
from tests.unit.placements import (
    INVENTORY,
    fleet_of,
    kinds,
    random_demands,
    random_points,
    require_sound,
    runs,
)


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
    assert 0.8 * exact.cost < found.bound <= exact.cost + 1e-6


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


def test_the_bound_is_below_what_any_placement_costs_also_when_time_is_short(monkeypatch):
    monkeypatch.setattr("models_py.search.ENUMERATED", 0)
    points, demands = random_points(8, 12), random_demands(8, 12) / 4
    good = place(points, demands, INVENTORY, seconds=4)
    hasty = place(points, demands, INVENTORY, seconds=0.05, gap=0)
    require_sound(hasty, points, demands, INVENTORY)
    assert hasty.bound is None or 0.3 * good.cost < hasty.bound <= good.cost + 1e-6
