"""An analyst who never stops: opens the published build, asks it, and closes it.

    python reader.py WAREHOUSE STOP

Until the file STOP is there. Prints what was read as JSON: `reads`, `builds` that were seen, and what
should not be: `errors`, and builds that are `mixed` of two.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

BUILD = """\
select
    build_id,
    row_counts['analytics.measurements'] as stated,
    (select count(*) from analytics.measurements) as counted,
    (select count(*) from analytics.hardware_recommendations where rank = 1) > 0 as recommends
from analytics.builds
order by build_id desc
limit 1
"""


def read_until(warehouse: Path, stop: Path) -> dict:
    """Read until a file is there."""
    database = warehouse / "current" / "benchmart.duckdb"
    reads, builds, errors, mixed = 0, set(), [], []
    while not stop.exists():
        reads += 1
        try:
            with duckdb.connect(str(database), read_only=True) as con:
                ((build, stated, counted, recommends),) = con.sql(BUILD).fetchall()
        except duckdb.Error as error:
            errors.append(str(error))
            continue
        builds.add(build)
        if stated != counted or not recommends:
            mixed.append(build)
    return {"reads": reads, "builds": sorted(builds), "errors": errors, "mixed": mixed}


if __name__ == "__main__":
    print(json.dumps(read_until(Path(sys.argv[1]), Path(sys.argv[2]))))
