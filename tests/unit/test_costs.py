"""What tests cost."""

import duckdb
import numpy as np
import pandas as pd

from pipelines.costs import with_costs, with_prices
from pipelines.offers import Offers

PRICES = """
create schema core;
create table core.prices as from (values
    ('h100', 1, 4.0, 'USD', 'near', 'north'), ('h100', 8, 24.0, 'USD', 'near', 'south'),
    ('h100', 1, 1.0, 'EUR', 'far', 'north'), ('a100', 8, 12.0, null, null, null)
) as offers (hardware, device_count, price_per_hour, currency, provider, region)
"""


def test_a_test_pays_for_the_cheapest_offer_with_enough_devices():
    candidates = pd.DataFrame(
        {
            "hardware": ["h100", "h100", "a100", "h100", "abacus"],
            "device_count": [1, 2, 1, 16, 1],
            "cost_minutes": [30.0, None, 60.0, 10.0, 10.0],
        },
        index=[7, 8, 9, 10, 11],
    )
    con = duckdb.connect()
    con.execute(PRICES)
    found = with_costs(con, candidates, minutes=15, offers=Offers("USD"))
    assert found["cost_minutes"].tolist() == [30, 15, 60, 10, 10]
    np.testing.assert_allclose(found["cost"], [2.0, 6.0, 12.0, np.nan, np.nan])


def test_platforms_share_an_offer_where_that_is_cheaper():
    options = pd.DataFrame({"hardware": ["h100", "h100", "h100"], "device_count": [1, 2, 3]})
    con = duckdb.connect()
    con.execute(PRICES)
    found = with_prices(con, options, Offers("USD"))
    assert found["price_per_hour"].tolist() == [4, 24, 24]
    assert found["price_per_replica_hour"].tolist() == [3, 6, 12]


def test_offers_are_those_of_the_provider_and_the_region():
    options = pd.DataFrame({"hardware": ["h100", "a100"], "device_count": [1, 1]})
    con = duckdb.connect()
    con.execute(PRICES)
    for offers, expected in (
        (Offers("USD", region="South"), [24, np.nan]),
        (Offers("EUR", "far"), [1, np.nan]),
        (Offers("EUR"), [1, 12]),
        (Offers("EUR", "nobody"), [np.nan, np.nan]),
    ):
        found = with_prices(con, options, offers)["price_per_hour"]
        np.testing.assert_array_equal(found, expected)
