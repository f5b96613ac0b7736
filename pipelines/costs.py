"""What platforms and tests cost: offers of price lists, and minutes as `candidates.csv` states them."""

from __future__ import annotations

import duckdb
import pandas as pd

from pipelines.offers import Offers

PLACE = ["hardware", "device_count"]
PRICES = ["price_per_hour", "price_per_replica_hour"]
MINUTES, MONEY = "cost_minutes", "cost"
COUNTED = """
select hardware, device_count, price_per_hour
from core.prices
where coalesce(currency, $currency) = $currency
    and ($provider is null or provider ilike $provider)
    and ($region is null or region ilike $region)
"""
OFFERED = f"""
with offers as ({COUNTED})

select
    places.hardware,
    places.device_count,
    min(price_per_hour) as price_per_hour,
    min(price_per_hour / (offers.device_count // places.device_count)) as price_per_replica_hour
from places
inner join offers
    on places.hardware = offers.hardware and offers.device_count >= places.device_count
group by all
"""


def counted_offers(con: duckdb.DuckDBPyConnection, offers: Offers) -> pd.DataFrame:
    """What can be rented: `hardware, device_count, price_per_hour`."""
    return con.execute(COUNTED, offers._asdict()).df()


def prices_of(con: duckdb.DuckDBPyConnection, places: pd.DataFrame, offers: Offers) -> pd.DataFrame:
    """What each `hardware` and `device_count` costs an hour: one row each that a price is known of.

    Returns
    -------
    pandas.DataFrame
        `price_per_hour` of the cheapest offer with enough devices, and `price_per_replica_hour` where as
        many platforms share an offer as it has devices for.
    """
    con.register("places", places[PLACE].drop_duplicates())
    found = con.execute(OFFERED, offers._asdict()).df()
    con.unregister("places")
    return found


def with_prices(
    con: duckdb.DuckDBPyConnection, options: pd.DataFrame, offers: Offers
) -> pd.DataFrame:
    """Options with what their platform costs an hour; see `priced`."""
    return priced(options, prices_of(con, options, offers))


def priced(options: pd.DataFrame, prices: pd.DataFrame) -> pd.DataFrame:
    """Options with the prices of their platform, see `prices_of`; missing where none is known."""
    found = options[PLACE].merge(prices, how="left")
    return options.assign(**{name: found[name].to_numpy(float) for name in PRICES})


def with_costs(
    con: duckdb.DuckDBPyConnection, candidates: pd.DataFrame, minutes: float, offers: Offers
) -> pd.DataFrame:
    """Candidates with `cost_minutes` and `cost`; the latter is missing where no price is known.

    A test pays for the cheapest offer with enough of its devices.

    Parameters
    ----------
    minutes
        What a test takes whose minutes are not stated.
    """
    taken = candidates[MINUTES].astype(float).fillna(minutes)
    price = with_prices(con, candidates, offers)["price_per_hour"]
    return candidates.assign(**{MINUTES: taken, MONEY: taken * price / 60})
