"""A placement for people and for machines: what runs where, why, and what one node would change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd

from models_py.placement import SCALED
from pipelines.place import COST, Plan

HOUR, MILLION = 3_600, 1e6


def as_json(plan: Plan) -> dict:
    """For machines."""
    found, reasons, copies = plan.placement, _reasons(plan), _copies(plan)
    return {
        "objective": plan.objective,
        "currency": plan.currency if plan.priced else None,
        "cost_per_hour": found.cost if plan.priced else None,
        "cost_at_least": found.bound if plan.priced else None,
        "gap": found.gap,
        "headroom": found.headroom,
        "nodes": [
            {**_kind(plan, kind), "used": int(used), "of": _count(plan, kind)}
            for kind, used in enumerate(found.nodes)
        ],
        "workloads": [
            {
                "workload": each.name,
                "placed": position in reasons,
                "reason": reasons.get(position) or _why_not(plan, position),
                "copies": copies.get(position, []),
            }
            for position, each in enumerate(plan.wanted)
        ],
        "what_if": [
            {
                **_kind(plan, row.kind),
                "nodes": row.change,
                "cost_per_hour": row.cost if plan.priced else None,
                "left_out": row.unserved,
            }
            for row in plan.placement.changes.itertuples()
        ],
        "notes": plan.notes,
    }


def in_words(plan: Plan) -> list[str]:
    """Lines for a person."""
    reasons, copies = _reasons(plan), _copies(plan)
    lines = [f"note: {note}" for note in plan.notes]
    lines.append(_summary(plan))
    for position, each in enumerate(plan.wanted):
        if position not in reasons:
            lines += [f"{each.name}: not placed", f"  {_why_not(plan, position)}"]
            continue
        lines.append(f"{each.name}: {reasons[position]}")
        lines += [f"  {line}" for line in _grouped(copies[position])]
    lines += _what_if(plan)
    return lines


def _summary(plan: Plan) -> str:
    found = plan.placement
    used = ", ".join(
        f"{count} x {_name(plan, kind)}" for kind, count in enumerate(found.nodes) if count
    )
    if not used:
        return "no node is used"
    parts = [used]
    if plan.priced:
        parts.append(f"{found.cost:.4g} {plan.currency} an hour")
    if found.gap is not None:
        near = "the least" if found.gap < 1e-6 else f"within {100 * found.gap:.1f} % of the least"
        parts.append(near if plan.objective == COST else f"for that headroom {near}")
    elif not found.unserved:
        parts.append("how far from the least is not known")
    if found.headroom is not None:
        least = "at least " if found.headroom >= SCALED else ""
        parts.append(f"carries {least}{found.headroom:.2f} times the demand")
    return "; ".join(parts)


def _grouped(copies: list[dict]) -> Iterator[str]:
    """Copies that differ in their place only, in one line."""
    table = pd.DataFrame(copies)
    how = ["platform", "precision", "batch_size", "share"]
    for (platform, precision, batch, share), own in table.groupby(how, sort=False, dropna=False):
        places = [f"{row.node} devices {row.devices}" for row in own.head(3).itertuples()]
        more = f" and {len(own) - 3} more" if len(own) > 3 else ""
        others = own["shared_with"].iloc[0]
        beside = f", beside {', '.join(others)}" if others else ""
        part = "" if share > 0.995 else f" for {100 * share:.2g} % of the time"
        size = "" if pd.isna(batch) else f" batch {batch:.0f}"
        yield (
            f"{len(own)} x {platform} {precision}{size}{part}"
            f" ({'; '.join(places)}{more}{beside}): {own['carried'].sum():.4g}"
        )


def _copies(plan: Plan) -> dict[int, list[dict]]:
    """By workload, its replicas and shares of some."""
    copies, rows = plan.placement.copies, defaultdict(list)
    if copies.empty:
        return {}
    beside = copies.groupby(["kind", "node", "first_device"])["workload"].unique()
    for row in copies.itertuples():
        point = plan.points.loc[row.point]
        first, last = row.first_device, row.first_device + row.device_count - 1
        batch = point["batch_size"]
        others = beside.loc[row.kind, row.node, first]
        rows[row.workload].append(
            {
                "node": f"{_name(plan, row.kind)} #{row.node}",
                "devices": f"{first}" if last == first else f"{first}-{last}",
                "platform": point["platform"],
                "precision": point["precision"],
                "batch_size": None if pd.isna(batch) else int(batch),
                "share": float(row.share),
                "memory": None if pd.isna(point["memory"]) else float(point["memory"]),
                "carried": float(row.carried),
                "shared_with": [plan.wanted[w].name for w in others if w != row.workload],
            }
        )
    return rows


def _reasons(plan: Plan) -> dict[int, str]:
    """By workload that is placed, why it runs where most of it runs."""
    reasons = {}
    for workload, own in plan.placement.copies.groupby("workload") if len(plan.points) else ():
        costs = _costs(plan, int(workload))
        main = own.groupby(own["kind"].map(plan.inventory["hardware"]))["carried"].sum().idxmax()
        reasons[int(workload)] = _reason(plan, int(workload), costs, main)
    return reasons


def _reason(plan: Plan, workload: int, costs: pd.Series, main: str) -> str:
    rate = plan.wanted[workload].demand.requests_per_second
    unit = plan.currency if plan.priced else "device-hours"
    unit += " an hour for each in flight" if rate is None else " per million requests"
    if len(costs) == 1:
        return f"of what there is only {main} carries it"
    best = costs.index[0]
    if best == main:
        others = f"then {costs.index[1]} at {costs.iloc[1]:.3g}"
        return f"{main} carries it at the least cost, {costs.iloc[0]:.3g} {unit}; {others}"
    here = plan.inventory["hardware"] == best
    full = (plan.placement.nodes == plan.inventory["nodes"])[here].all()
    why = "is all in use" if full else "if it filled them; the plan as a whole costs less so"
    return f"{main} carries it at {costs.loc[main]:.3g} {unit}; {best} at {costs.iloc[0]:.3g} {why}"


def _costs(plan: Plan, workload: int) -> pd.Series:
    """What each hardware costs, filled by one workload: per million requests, or for each in flight."""
    points = plan.points[plan.points["workload"] == workload]
    kinds = plan.inventory.assign(
        each=plan.inventory["price_per_hour"] / plan.inventory["device_count"]
    )
    kinds = kinds[kinds["nodes"] > 0]
    pairs = points.merge(kinds, on="hardware", suffixes=("", "_of_node"))
    pairs = pairs[pairs["device_count"] <= pairs["device_count_of_node"]]
    served = pairs["rate"]
    if plan.wanted[workload].demand.requests_per_second is not None:
        served = served * HOUR / MILLION
    cost = pairs["each"] * pairs["device_count"] / served
    return cost.groupby(pairs["hardware"]).min().sort_values()


def _why_not(plan: Plan, position: int) -> str:
    if position in plan.unsatisfied:
        return plan.unsatisfied[position].text
    own = plan.points[plan.points["workload"] == position]
    needed = own.groupby("hardware")["device_count"].min()
    kinds = plan.inventory[plan.inventory["hardware"].isin(needed.index)]
    large = kinds[kinds["device_count"] >= kinds["hardware"].map(needed)]
    if large.empty:
        told = ", ".join(f"{number} {hardware}" for hardware, number in needed.items())
        return f"it needs more devices in one node than there are: {told}"
    names = ", ".join(large["hardware"].unique())
    if not large["nodes"].any():
        return f"there is no node of {names} with as many devices as it needs"
    return f"no room was found for it beside the others on {names}"


def _what_if(plan: Plan) -> Iterator[str]:
    found = plan.placement
    tells = np.inf if found.bound is None else found.cost - found.bound
    for row in found.changes.itertuples():
        change, left = "one more" if row.change > 0 else "one fewer", len(found.unserved)
        if row.unserved != left:
            effect = f"{row.unserved} left out instead of {left}"
        else:
            difference = row.cost - found.cost
            unit = f"{plan.currency} an hour" if plan.priced else "devices"
            effect = f"{difference:+.4g} {unit}"
            if abs(difference) <= tells and tells > 1e-6 * found.cost:
                effect += ", which is less than the search can tell"
        yield f"what if {change} {_name(plan, row.kind)}: {effect}"


def _name(plan: Plan, kind: int) -> str:
    """Hardware and devices of a kind of node, and its price where that tells it from another."""
    row = plan.inventory.iloc[kind]
    same = (plan.inventory[["hardware", "device_count"]] == row[["hardware", "device_count"]]).all(
        axis=1
    )
    price = f" at {row['price_per_hour']:g}" if same.sum() > 1 else ""
    return f"{row['hardware']} x{row['device_count']}{price}"


def _kind(plan: Plan, kind: int) -> dict:
    row = plan.inventory.iloc[kind]
    return {
        "hardware": row["hardware"],
        "device_count": int(row["device_count"]),
        "price_per_hour": float(row["price_per_hour"]) if plan.priced else None,
    }


def _count(plan: Plan, kind: int) -> int | None:
    nodes = plan.inventory["nodes"].iloc[kind]
    return None if np.isinf(nodes) else int(nodes)
