"""How large the page of a build from all public tables is.

python benchmarks/report_size.py [--data ../shared/data]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from public_tables import DATA

from pipelines.published import connect_published
from pipelines.warehouse import Warehouse

MEASUREMENTS = "select count(*) from analytics.measurements"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Path(folder) / "warehouse"
        settings = {"WAREHOUSE": warehouse, "MLRUNS": Path(folder) / "mlruns"}
        settings |= {"METRICS": "throughput,latency_ms", "EXPORTS": "false"}
        named = {f"BENCHMART_{name}": str(value) for name, value in settings.items()}
        command = [Path(sys.executable).with_name("benchmart"), "build", "--raw", asked.data]
        subprocess.run(command, env=os.environ | named, check=True)
        with connect_published(warehouse) as con:
            measurements = con.sql(MEASUREMENTS).fetchall()[0][0]
        size = (Warehouse(warehouse).current / "report.html").stat().st_size
    print(f"{measurements:,} measurements: a page of {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
