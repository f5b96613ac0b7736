"""`benchmart place`: which workloads run on which nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.place import ISOLATION, Plan, place_file
from pipelines.placement_words import as_json, in_words
from pipelines.settings import load_settings
from tests.support import Commands

FAST, SLOW = "amd-epyc-genoa-2-threads", "amd-epyc-genoa-1-thread"
DEMAND = """\
workload,model_name,precision,input_length,image_size,requests_per_second,slo
search,bert-mini,fp32,64,,1500,latency<=50
photos,resnet-18,fp32,,224,8,
tags,efficientnet-b0,fp32,,160,5,latency<=400
"""
INVENTORY = f"hardware,nodes,price_per_hour\n{SLOW},9,0.04\n{FAST},9,0.09\n"


@pytest.fixture
def files(tmp_path):
    def written(demand: str = DEMAND, inventory: str = INVENTORY) -> tuple[Path, Path]:
        paths = tmp_path / "demand.csv", tmp_path / "inventory.csv"
        for path, text in zip(paths, (demand, inventory), strict=True):
            path.write_text(text)
        return paths

    return written


@pytest.fixture
def placed(published: Commands, files):
    def plan(demand: str = DEMAND, inventory: str = INVENTORY, **search: object) -> Plan:
        settings = load_settings(warehouse=published.warehouse)
        return place_file(settings, *files(demand, inventory), **search)

    return plan


def test_everything_is_carried_and_nothing_is_given_twice(published: Commands, files, tmp_path):
    demand, inventory = files()
    answer = tmp_path / "plan.json"
    flags = ("--demand", demand, "--inventory", inventory)
    published.succeed("place", *flags, "--output", answer)
    plan = json.loads(answer.read_text())
    carried = {
        each["workload"]: sum(copy["carried"] for copy in each["copies"])
        for each in plan["workloads"]
    }
    assert carried == pytest.approx({"search": 1500, "photos": 8, "tags": 5})
    groups: dict[tuple, list[float]] = {}
    for each in plan["workloads"]:
        for copy in each["copies"]:
            groups.setdefault((copy["node"], copy["devices"]), []).append(copy["share"])
    assert all(sum(shares) <= 1 + 1e-6 for shares in groups.values())
    used = {node["hardware"]: node["used"] for node in plan["nodes"]}
    assert plan["cost_per_hour"] == pytest.approx(0.04 * used[SLOW] + 0.09 * used[FAST])
    assert plan["gap"] <= 0.01
    assert ISOLATION in plan["notes"]


def test_words_say_where_why_and_what_one_node_would_change(placed):
    tight = f"hardware,nodes,price_per_hour\n{SLOW},2,0.04\n{FAST},9,0.09\n"
    plan = placed(inventory=tight)
    lines = in_words(plan)
    assert lines[0] == f"note: {ISOLATION}"
    assert lines[1].startswith(f"2 x {SLOW} x1, ")
    assert "USD an hour; " in lines[1]
    assert any(line.startswith("search: ") and "per million requests" in line for line in lines)
    (more,) = [line for line in lines if line.startswith(f"what if one more {SLOW} x1: ")]
    (fewer,) = [line for line in lines if line.startswith(f"what if one fewer {SLOW} x1: ")]
    assert float(more.split(": ")[1].split()[0]) <= 0 <= float(fewer.split(": ")[1].split()[0])


def test_a_workload_without_room_is_left_out_and_the_reason_said(placed):
    plan = placed(inventory=f"hardware,nodes,price_per_hour\n{SLOW},1,0.04\n")
    assert [plan.wanted[position].name for position in plan.placement.unserved] == ["search"]
    lines = in_words(plan)
    after = lines[lines.index("search: not placed") + 1]
    assert after == f"  no room was found for it beside the others on {SLOW}"


def test_a_promise_that_nothing_keeps_is_named(placed):
    plan = placed(DEMAND.replace("latency<=50", "latency<=0.01"))
    assert plan.unsatisfied[0].binding == "latency_ms<=0.01 with a probability of 60 %"
    assert not plan.placement.unserved
    assert set(plan.placement.copies["workload"]) == {1, 2}


def test_headroom_takes_all_that_there_is(placed):
    plan = placed(objective="headroom", seconds=4)
    assert plan.placement.headroom > 1
    carried = plan.placement.copies.groupby("workload")["carried"].sum()
    assert carried.tolist() == pytest.approx([1500, 8, 5])
    assert f"carries {plan.placement.headroom:.2f} times the demand" in in_words(plan)[1]


def test_without_prices_the_fewest_devices_are_sought(placed):
    plan = placed(inventory=f"hardware,nodes\n{SLOW},9\n{FAST},9\n")
    assert plan.placement.cost == plan.placement.nodes.sum()
    assert "no price is known: the fewest devices are sought" in plan.notes
    assert not any("USD" in line for line in in_words(plan))


def test_one_price_that_is_not_known_is_asked_for(placed):
    with pytest.raises(InputError, match="line 3, column price_per_hour: no price is known"):
        placed(inventory=INVENTORY.replace("0.09", ""))


@pytest.mark.parametrize(
    ("demand", "inventory", "message"),
    [
        (DEMAND.replace(",8,", ",0,"), INVENTORY, "line 3, column requests_per_second: expected a"),
        (DEMAND.replace(",8,", ",,"), INVENTORY, "line 3: either requests_per_second or in_flight"),
        (
            DEMAND.replace("tags", "photos"),
            INVENTORY,
            "line 4, column workload: 'photos' was named",
        ),
        (
            DEMAND.replace("resnet-18", "resnt-18"),
            INVENTORY,
            "line 3, column model_name: nothing is",
        ),
        (DEMAND.replace("latency<=50", "latncy<=50"), INVENTORY, "line 2, column slo: "),
        (
            DEMAND.replace("bert-mini,fp32,64", "bert-mini,fp32,"),
            INVENTORY,
            "line 2, column input_length: state one of ",
        ),
        (
            DEMAND.replace("slo", "sla"),
            INVENTORY,
            "line 1, column sla: unknown; did you mean 'slo'?",
        ),
        (
            DEMAND,
            INVENTORY.replace("0.04", "-1"),
            "line 2, column price_per_hour: expected a number",
        ),
        (
            DEMAND,
            INVENTORY.replace("-2-t", "-3-t"),
            "line 3, column hardware: nothing was measured",
        ),
        (DEMAND, INVENTORY.replace(",9,", ",x,"), "line 2, column nodes: expected a whole number"),
    ],
)
def test_bad_files_are_refused_in_one_line(placed, demand, inventory, message):
    with pytest.raises(InputError) as error:
        placed(demand, inventory)
    assert message in str(error.value)
    assert "demand.csv" in str(error.value) or "inventory.csv" in str(error.value)


def test_headroom_needs_to_know_how_much_there_is(placed):
    with pytest.raises(InputError, match="column nodes: headroom needs a number"):
        placed(inventory=INVENTORY.replace(",9,", ",,"), objective="headroom")


def test_nodes_of_two_prices_are_told_apart(placed):
    inventory = f"hardware,nodes,price_per_hour\n{SLOW},1,0.01\n{SLOW},9,0.04\n"
    lines = in_words(placed(inventory=inventory))
    assert f"1 x {SLOW} x1 at 0.01, " in next(line for line in lines if "USD an hour" in line)
    assert any(f"{SLOW} x1 at 0.04 #1" in line for line in lines)
    with pytest.raises(InputError, match="line 3: the same kind of node, at the same price"):
        placed(inventory=f"hardware,nodes,price_per_hour\n{SLOW},1,0.04\n{SLOW},9,0.04\n")


def test_why_nothing_is_placed_is_said_as_it_is(placed):
    none = placed(inventory=f"hardware,nodes,price_per_hour\n{SLOW},0,0.04\n")
    lines = in_words(none)
    assert lines.count(f"  there is no node of {SLOW} with as many devices as it needs") == 3
    assert "no node is used" in lines
    assert f"what if one more {SLOW} x1: 1 left out instead of 3" in lines
    never = placed(DEMAND.splitlines()[0] + "\n" + "a,bert-mini,fp32,64,,1,latency<=0.001\n")
    assert "no node is used" in in_words(never)
    assert as_json(never)["headroom"] is None


def test_headroom_of_what_can_be_placed(placed):
    plan = placed(DEMAND.replace("latency<=400", "latency<=0.001"), objective="headroom", seconds=4)
    assert set(plan.placement.copies["workload"]) == {0, 1}
    assert plan.placement.headroom > 1


def test_rows_without_a_name_that_are_of_one_model_are_to_be_named(placed):
    demand = "model_name,precision,input_length,requests_per_second\n"
    with pytest.raises(InputError, match="'bert-mini' was named before; name each row"):
        placed(demand + "bert-mini,fp32,64,1\n" * 2)


def test_a_demand_of_more_replicas_than_can_be_told_is_refused(placed):
    inventory = f"hardware,price_per_hour\n{SLOW},0.04\n"
    with pytest.raises(InputError, match=r"demand.csv: line 2: \d+ of \d+ replicas; at most"):
        placed(DEMAND.replace("1500", "1e9"), inventory, what_if=False)


def test_what_ifs_can_be_left_out(placed):
    tight = f"hardware,nodes,price_per_hour\n{SLOW},2,0.04\n{FAST},9,0.09\n"
    assert not any("what if" in line for line in in_words(placed(inventory=tight, what_if=False)))
