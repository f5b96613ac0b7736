"""The gate before publishing (write, audit, publish): what a finished build has to be like.

dbt's tests ran while it was built: contracts, keys, ordered quantiles, rows accounted for. The gate asks
what they cannot: whether intervals keep their promise, and whether anything got lost since the build
that is published. What does not pass stays in staging.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
from scipy.stats import binomtest

from pipelines.errors import BenchmartError
from pipelines.published import connect
from pipelines.settings import Gate
from pipelines.warehouse import DATABASE

NOMINAL = 0.9
CONFIDENCE = 0.99
COVERAGE = """\
select metric, coverage, n
from analytics.calibration
where group_kind = 'overall' and nominal = $nominal and n > 0
order by metric
"""
MEASURED = """\
select source, sum(rows_accepted)::bigint
from analytics.data_quality
where build_id = (select max(build_id) from analytics.data_quality)
group by source
"""


def audit(staging: Path, previous: Path | None, gate: Gate, accept_shrinkage: bool) -> None:
    """Raise a `BenchmartError` that names everything for which a build is not to be published.

    Parameters
    ----------
    previous
        Directory of the build that is published, if there is one.
    accept_shrinkage
        Fewer measurements than before are meant.
    """
    with connect(staging / DATABASE, read_only=True) as con:
        findings = list(_coverage(con, gate))
        now = dict(con.sql(MEASURED).fetchall())
    if previous is not None and not accept_shrinkage:
        with connect(previous / DATABASE, read_only=True) as con:
            findings += _shrinkage(dict(con.sql(MEASURED).fetchall()), now, gate)
    if findings:
        raise BenchmartError(f"not published: {'; '.join(findings)}; left in {staging}")


def _coverage(con: duckdb.DuckDBPyConnection, gate: Gate) -> Iterator[str]:
    """Metrics whose intervals surely cover too few of the held-out rows, or too many."""
    low, high = gate.coverage
    for metric, coverage, n in con.execute(COVERAGE, {"nominal": NOMINAL}).fetchall():
        found = binomtest(round(coverage * n), n).proportion_ci(CONFIDENCE)
        if found.high < low or found.low > high:
            yield (
                f"{metric}: 90 % intervals cover {100 * coverage:.1f} % of {n} held-out rows,"
                f" where gate.coverage asks for {100 * low:g} to {100 * high:g} %"
            )


def _shrinkage(before: dict[str, int], now: dict[str, int], gate: Gate) -> Iterator[str]:
    """Sources with clearly fewer measurements than in the build that is published."""
    for source, number in sorted(before.items()):
        left = now.get(source, 0)
        if left < (1 - gate.shrinkage) * number:
            yield (
                f"{source}: {left} measurements, {number} in the published build"
                " (--accept-shrinkage if that is meant)"
            )
