"""What tests cost: minutes as `candidates.csv` states them, else assumed; money by price lists."""

from __future__ import annotations

import duckdb
import pandas as pd

MINUTES, MONEY = "cost_minutes", "cost"


def with_costs(
    con: duckdb.DuckDBPyConnection, candidates: pd.DataFrame, minutes: float, currency: str
) -> pd.DataFrame:
    """Candidates with `cost_minutes` and `cost`; the latter is missing where no price is known.

    A test pays for the cheapest offer with enough of its devices.

    Parameters
    ----------
    minutes
        What a test takes whose minutes are not stated.
    currency
        Offers in another one do not count; one that does not say is taken to be in this one.
    """
    offers = con.execute(
        "select hardware, device_count, price_per_hour from core.prices"
        " where coalesce(currency, ?) = ?",
        [currency, currency],
    ).df()
    taken = candidates[MINUTES].astype(float).fillna(minutes)
    places = candidates[["hardware", "device_count"]].drop_duplicates()
    enough = places.merge(offers, on="hardware", suffixes=("", "_offered"))
    enough = enough[enough["device_count_offered"] >= enough["device_count"]]
    cheapest = enough.groupby(["hardware", "device_count"], as_index=False)["price_per_hour"].min()
    price = candidates[["hardware", "device_count"]].merge(cheapest, how="left")["price_per_hour"]
    return candidates.assign(**{MINUTES: taken, MONEY: taken * price.to_numpy() / 60})
