"""`demand.csv` and `inventory.csv`: what has to run, and what there is to run it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from models_py.constraints import Constraints
from models_py.sizing import Demand
from pipelines.configurations import as_configurations, describe
from pipelines.costs import with_prices
from pipelines.errors import InputError
from pipelines.hardware import requirements_of
from pipelines.input_table import InputRow, read_input
from pipelines.offers import Offers
from pipelines.suggest import did_you_mean
from pipelines.workloads import require_devices

TEXTS = ("model_name", "model_type", "task", "precision")
COUNTS = ("batch_size", "concurrency", "input_length", "output_length", "image_size")
DEMAND = ("requests_per_second", "in_flight")
DEMAND_COLUMNS = ("workload", *TEXTS, *COUNTS, *DEMAND, "slo", "confidence")
INVENTORY_COLUMNS = ("hardware", "device_count", "nodes", "price_per_hour")


@dataclass(frozen=True)
class Wanted:
    """One row of a demand.

    Attributes
    ----------
    where
        File and line.
    said
        What is said of the workload, by column.
    """

    where: str
    name: str
    said: dict[str, object]
    demand: Demand
    constraints: Constraints


def read_demand(source: Path, utilisation: float, confidence: float | None) -> list[Wanted]:
    """Rows of a demand; `confidence` is that of rows that do not say.

    Raises
    ------
    InputError
        Naming file, line and column.
    """
    columns, rows = read_input(source, ("model_name",))
    _require_known(source, columns, DEMAND_COLUMNS)
    wanted = [_wanted(row, utilisation, confidence) for row in rows]
    names: set[str] = set()
    for each in wanted:
        if each.name in names:
            hint = "; name each row" if "workload" not in columns else ""
            raise InputError(f"{each.where}, column workload: '{each.name}' was named before{hint}")
        names.add(each.name)
    return wanted


def _wanted(row: InputRow, utilisation: float, confidence: float | None) -> Wanted:
    model = row.text("model_name", required=True)
    said = {name: row.text(name) for name in TEXTS} | row.counts(COUNTS)
    amounts = {name: row.positive(name) for name in DEMAND}
    given = [name for name in DEMAND if amounts[name] is not None]
    if len(given) != 1:
        raise InputError(f"{row.where}: either requests_per_second or in_flight is required")
    share = row.positive("confidence")
    if share is not None and share >= 1:
        raise InputError(
            f"{row.where}, column confidence: expected a number below 1, got {share:g}"
        )
    return Wanted(
        row.where,
        row.text("workload") or model,
        {name: value for name, value in said.items() if value is not None},
        Demand(**amounts, utilisation=utilisation),
        Constraints(
            requirements=requirements_of(row.text("slo"), f"{row.where}, column slo"),
            confidence=confidence if share is None else share,
        ),
    )


def read_inventory(source: Path, con: duckdb.DuckDBPyConnection, offers: Offers) -> pd.DataFrame:
    """Kinds of nodes: `hardware, device_count, nodes` (inf for any number) and `price_per_hour`.

    A price that the file does not state is that of the cheapest offer with so many devices. Without any
    price, all are NaN.

    Raises
    ------
    InputError
        Naming file, line and column.
    """
    columns, rows = read_input(source, ("hardware",))
    _require_known(source, columns, INVENTORY_COLUMNS)
    inventory = pd.DataFrame([_kind(row) for row in rows])
    asked = [{"model_name": "", "hardware": name} for name in inventory["hardware"]]
    inventory["hardware"] = describe(con, as_configurations(asked))["hardware"].to_numpy()
    require_devices(con, inventory["hardware"], (f"{row.where}, column hardware" for row in rows))
    offered = with_prices(con, inventory, offers)["price_per_hour"]
    inventory["price_per_hour"] = inventory["price_per_hour"].fillna(offered)
    _require_distinct(inventory, rows)
    unknown = inventory["price_per_hour"].isna()
    if unknown.any() and not unknown.all():
        first = rows[int(np.argmax(unknown))]
        raise InputError(f"{first.where}, column price_per_hour: no price is known, state it")
    return inventory


def _require_distinct(inventory: pd.DataFrame, rows: Sequence[InputRow]) -> None:
    """Nodes of one kind may differ in their price, as those that are reserved and those on demand."""
    again = inventory.duplicated(["hardware", "device_count", "price_per_hour"])
    if again.any():
        row = rows[int(np.argmax(again))]
        raise InputError(
            f"{row.where}: the same kind of node, at the same price, was listed before"
        )


def _kind(row: InputRow) -> dict[str, object]:
    nodes = row.whole("nodes", 0)
    return {
        "hardware": row.text("hardware", required=True),
        "device_count": row.whole("device_count", 1) or 1,
        "nodes": np.inf if nodes is None else float(nodes),
        "price_per_hour": row.positive("price_per_hour", zero=True),
    }


def _require_known(source: Path, columns: Sequence[str], known: Sequence[str]) -> None:
    for name in columns:
        if name not in known:
            hint = did_you_mean(name, known, 20)
            raise InputError(f"{source}: line 1, column {name}: unknown{hint}")
