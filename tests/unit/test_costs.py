"""What tests cost."""

import duckdb
import numpy as np
import pandas as pd

from pipelines.costs import with_costs

PRICES = """
create schema core;
create table core.prices as from (values
    ('h100', 1, 4.0, 'USD'), ('h100', 8, 24.0, 'USD'), ('h100', 1, 1.0, 'EUR'), ('a100', 8, 12.0, null)
) as offers (hardware, device_count, price_per_hour, currency)
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
    found = with_costs(con, candidates, minutes=15, currency="USD")
    assert found["cost_minutes"].tolist() == [30, 15, 60, 10, 10]
    np.testing.assert_allclose(found["cost"], [2.0, 6.0, 12.0, np.nan, np.nan])
